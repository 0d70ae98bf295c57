# SPDX-License-Identifier: GPL-2.0
"""The gateway's netlink family, asked by hand."""
import os
import re
import socket
import struct
import sys
from contextlib import contextmanager

from smtplab.expect import PATIENCE
from smtplab.net import netns


def _uapi():
    """The numbers of the netlink interface, by name without SMTPSPLICE_."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                        "../../uapi/linux/smtpsplice.h")
    with open(path) as f:
        text = re.sub(r"/\*.*?\*/", "", f.read(), flags=re.S)
    numbers = {}
    for body in re.findall(r"enum[^{]*\{(.*?)\}", text, flags=re.S):
        value = -1
        for item in filter(None, map(str.strip, body.split(","))):
            name, _, given = (w.strip() for w in item.partition("="))
            if given and not re.fullmatch(r"[0-9x]+", given):
                continue
            value = int(given, 0) if given else value + 1
            numbers[name.replace("SMTPSPLICE_", "", 1)] = value
    return numbers


UAPI = _uapi()
# The words for attributes that hold one of an enum's numbers
ENUMS = {attr: {n: key[len(prefix):].lower().replace("_", "-")
                for key, n in UAPI.items() if key.startswith(prefix)}
         for attr, prefix in (("state", "STATE_"), ("tls", "TLS_RESULT_"))}
NLMSG_ERROR, NLMSG_DONE = 2, 3
NLM_F_REQUEST, NLM_F_ACK, NLM_F_DUMP = 1, 4, 0x300


@contextmanager
def asker():
    """A socket for one question: an open one would keep the namespace alive."""
    genl = Genl()
    try:
        yield genl
    finally:
        genl.sock.close()


class Genl:
    """A minimal generic netlink socket, to say what the helper should not."""

    def __init__(self, ns="gw", port=0):
        with netns(ns):
            self.sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 16)
        self.sock.bind((port, 0))
        self.sock.settimeout(PATIENCE)
        self.seq = 0
        self.family = None
        reply = self.call(16, 3, [(2, b"smtpsplice\0")])
        family = dict(self.attrs(reply))
        assert 1 in family, "no number of the family in %r" % reply
        self.family = struct.unpack("H", family[1][:2])[0]

    @staticmethod
    def attrs(data):
        while len(data) >= 4:
            n, t = struct.unpack("HH", data[:4])
            yield t & 0x3fff, data[4:n]
            data = data[(n + 3) & ~3:]

    def send(self, family, cmd, attrs, flags):
        body = struct.pack("BBH", cmd, 1, 0)
        for t, v in attrs:
            body += struct.pack("HH", len(v) + 4, t) + v + b"\0" * (-len(v) % 4)
        self.seq += 1
        self.sock.send(struct.pack("IHHII", len(body) + 16, family, flags,
                                   self.seq, 0) + body)

    def replies(self):
        """The attributes of each message, and the errno, 0 for none, as the last."""
        while True:
            data = self.sock.recv(65536)
            while data:
                n, t = struct.unpack("IH", data[:6])
                if t in (NLMSG_ERROR, NLMSG_DONE):
                    yield -struct.unpack("i", data[16:20])[0]
                    return
                yield data[20:n]
                data = data[(n + 3) & ~3:]

    def call(self, family, cmd, attrs=()):
        """Returns the attributes of the reply, or the errno."""
        self.send(family, cmd, attrs, NLM_F_REQUEST | NLM_F_ACK)
        *reply, err = self.replies()
        return err or b"".join(reply)

    def dump(self, cmd):
        """The attributes of each thing."""
        self.send(self.family, UAPI["CMD_" + cmd], (), NLM_F_REQUEST | NLM_F_DUMP)
        *rows, err = self.replies()
        assert not err, os.strerror(err)
        return rows

    def ask(self, cmd, **attrs):
        """A command by its name, with attributes by theirs: octets."""
        return self.call(self.family, UAPI["CMD_" + cmd],
                         [(UAPI["A_" + k], v) for k, v in attrs.items()])

    @classmethod
    def decode(cls, prefix, data):
        """Attributes as smtpsplice's JSON has them."""
        assert isinstance(data, bytes), "%s: %s" % (prefix, os.strerror(data))
        prefix = "A_%s_" % prefix
        names = {n: key[len(prefix):].lower().replace("_", "-")
                 for key, n in UAPI.items() if key.startswith(prefix)}
        return {names[t]: cls._value(names[t], v) for t, v in cls.attrs(data)}

    @staticmethod
    def _value(name, data):
        if name in ("policy", "iif"):
            return data.rstrip(b"\0").decode()
        if name in ("client", "server"):
            return socket.inet_ntop(socket.AF_INET if len(data) == 4 else
                                    socket.AF_INET6, data)
        number = int.from_bytes(data, sys.byteorder)
        if name in ENUMS:
            return ENUMS[name][number]
        return number

    def register(self, *roles):
        return self.ask("REGISTER", HELPER_ROLES=struct.pack(
            "I", sum(UAPI["ROLE_" + r] for r in roles)))

    def take(self):
        """Takes a message to scan: its cookie, and its file."""
        a = dict(self.attrs(self.ask("SCAN_ACCEPT")))
        fd, = struct.unpack("i", a[UAPI["A_SCAN_FD"]])
        return a[UAPI["A_SCAN_COOKIE"]], open(fd, "rb")
