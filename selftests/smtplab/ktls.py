# SPDX-License-Identifier: GPL-2.0
"""The sockets of a session with the helper for TLS, which is played here.

There are no handshakes: both ends of each leg are given keys that were agreed
beforehand, so that each record is under the test's control.
"""
import errno
import hmac
import socket
import struct
from contextlib import contextmanager

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from smtplab.client import Client
from smtplab.expect import expect_equal, wait_for
from smtplab.gateway import sessions, stats
from smtplab.genl import UAPI, Genl
from smtplab.helper import restarted_helper
from smtplab.server import Server

SOL_TLS, TCP_ULP = 282, 31
TLS_TX, TLS_RX = 1, 2
SET_TYPE, GET_TYPE = 1, 2
ALERT, HANDSHAKE, DATA = 21, 22, 23
AES_GCM_128 = 51
CLOSE_NOTIFY = b"\1\0"
TICKET = b"\4\0\0\x1d" + bytes(29)
KEY_UPDATE = b"\x18\0\0\1\0"
V12, V13 = 0x0303, 0x0304


def give_keys(sock, gateway, version=V13, directions=(TLS_TX, TLS_RX)):
    """kTLS for an end of a leg: what one end sends with the other receives."""
    sock.setsockopt(socket.IPPROTO_TCP, TCP_ULP, b"tls")
    for d in directions:
        key = bytes([0x11 if (d == TLS_TX) == gateway else 0x22]) * 16
        sock.setsockopt(SOL_TLS, d, struct.pack(
            "HH8s16s4s8s", version, AES_GCM_128, b"iviviviv", key, b"salt",
            bytes(8)))


# From which the next keys of a leg come, where the helper tells the kernel: what
# the gateway sends, and what it receives. RFC 8446 7.1 and 7.2.
SENT, RECEIVED = b"g" * 32, b"p" * 32


def expand(secret, label, n):
    info = struct.pack("!HB", n, 6 + len(label)) + b"tls13 " + label + b"\0\1"
    return hmac.digest(secret, info, "sha256")[:n]


class Direction:
    """Keys of one direction, and of those that follow."""

    def __init__(self, key, secret):
        self.aead, self.nonce, self.seq = AESGCM(key * 16), b"saltiviviviv", 0
        self.secret = secret

    def next(self):
        self.secret = expand(self.secret, b"traffic upd", 32)
        self.aead = AESGCM(expand(self.secret, b"key", 16))
        self.nonce, self.seq = expand(self.secret, b"iv", 12), 0

    def once(self):
        seq, self.seq = self.seq.to_bytes(12, "big"), self.seq + 1
        return bytes(a ^ b for a, b in zip(self.nonce, seq))

    def seal(self, kind, data):
        head = struct.pack("!BHH", DATA, V12, len(data) + 17)
        return head + self.aead.encrypt(self.once(), data + bytes([kind]), head)

    def open(self, record):
        text = self.aead.decrypt(self.once(), record[5:], record[:5])
        return text[-1], text[:-1]


class Records:
    """TLS 1.3 by hand for a peer: new keys on all kernels, and each record seen.

    sizes: of the records that came; updates: how often the gateway had new keys.
    """

    def __init__(self, peer):
        self.peer, self.raw = peer, bytearray()
        self.tx, self.rx = Direction(b"\x22", RECEIVED), Direction(b"\x11", SENT)
        self.sizes, self.updates, self.alerts = [], 0, []
        peer.send, peer.fill, peer.records = self.send, self.fill, self

    def record(self, kind, data):
        self.peer.sock.sendall(self.tx.seal(kind, data))

    def send(self, data):
        for at in range(0, len(data), 16384):
            self.record(DATA, data[at:at + 16384])

    def update(self, ask):
        """New keys for what this end sends; it may ask for the other's."""
        self.record(HANDSHAKE, KEY_UPDATE[:4] + bytes([ask]))
        self.tx.next()

    def fill(self):
        while True:
            while len(self.raw) < 5 or len(self.raw) < self.end():
                data = self.peer.sock.recv(65536)
                if not data:
                    return False
                self.raw += data
            kind, text = self.rx.open(bytes(self.raw[:self.end()]))
            del self.raw[:self.end()]
            if kind == DATA:
                self.sizes.append(len(text))
                self.peer.buf += text
                return True
            if (kind, text) == (HANDSHAKE, KEY_UPDATE):
                self.updates += 1
                self.rx.next()
                continue
            expect_equal(kind, ALERT, "type of record")
            self.alerts.append(text)
            if text == CLOSE_NOTIFY:
                return False

    def end(self):
        return 5 + (self.raw[3] << 8 | self.raw[4])


def send_record(sock, kind, data):
    sock.sendmsg([data], [(SOL_TLS, SET_TYPE, bytes([kind]))])


class Tls:
    """For Client and the peers of Server: TLS from now on."""

    alerts = None

    def start_tls(self, version=V13):
        give_keys(self.sock, False, version)
        self.alerts = []

    def fill_tls(self):
        while True:
            data, control, _, _ = self.sock.recvmsg(65536, 64)
            kind = [c[2][0] for c in control if c[1] == GET_TYPE]
            if not kind or kind[0] == DATA:
                self.buf += data
                self.log += data
                return bool(data)
            assert kind[0] == ALERT, kind
            self.alerts.append(data)
            if data == CLOSE_NOTIFY:
                return False

    def ends(self):
        """Waits for the end of the stream, without another octet of data."""
        try:
            while self.fill():
                pass
        except ConnectionResetError:
            pass
        # the gateway waits for this, if not for long
        self.sock.close()
        return not self.buf


class KtlsClient(Client, Tls):
    """A client of the lab that can do TLS."""

    def fill(self):
        return super().fill() if self.alerts is None else self.fill_tls()

    def quit_tls(self):
        self.cmd("QUIT", "221")
        assert self.ends(), self.buf
        expect_equal(self.alerts, [CLOSE_NOTIFY], "alerts")
        self.sock.close()


def tls_peer(p):
    """Gives a peer of Server the same abilities."""
    for name in ("start_tls", "fill_tls", "ends"):
        setattr(p, name, getattr(Tls, name).__get__(p))
    p.fill = p.fill_tls
    return p


class KtlsServer(Server):
    """A Server whose answer to STARTTLS is 220 and TLS."""

    def __init__(self, version=V13, script=None, **kw):
        def starttls(p):
            p.send(b"220 2.0.0 Ready to start TLS\r\n")
            tls_peer(p).start_tls(version)
        super().__init__(script={"STARTTLS": starttls, **(script or {})}, **kw)


class Gone(Exception):
    """The session did not wait for its handshakes any longer."""


class Lent:
    """The sockets of a session that were lent to this process."""

    def __init__(self, genl):
        self.genl = genl
        answers = []

        def asked():
            answers.append(genl.ask("HANDSHAKE_ACCEPT"))
            if answers[-1] != errno.EAGAIN:
                return True
            if not any(s["state"] in ("command", "dial", "handshake")
                       for s in sessions()):
                raise Gone
            return False
        wait_for("a session that wants TLS", asked)
        self.attrs = dict(Genl.attrs(answers[-1]))
        self.cookie = self.get("COOKIE")
        self.client, self.server = (
            socket.socket(fileno=struct.unpack("i", self.get(k))[0])
            for k in ("CLIENT_FD", "SERVER_FD"))

    def get(self, key):
        return self.attrs.get(UAPI["A_HANDSHAKE_" + key])

    def give_keys(self, client=V13, server=V13):
        give_keys(self.client, True, client)
        give_keys(self.server, True, server)

    def close(self):
        self.client.close()
        self.server.close()

    def done(self, result="INSPECTED", cause="NONE", genl=None, **more):
        return (genl or self.genl).ask(
            "HANDSHAKE_DONE", HANDSHAKE_COOKIE=self.cookie,
            HANDSHAKE_RESULT=struct.pack("I", UAPI["TLS_RESULT_" + result]),
            HANDSHAKE_CAUSE=struct.pack("I", UAPI["TLS_CAUSE_" + cause]),
            **more)

    def done_with_secrets(self):
        return self.done(HANDSHAKE_CLIENT_SECRETS=RECEIVED + SENT,
                         HANDSHAKE_SERVER_SECRETS=RECEIVED + SENT)


def only_scans():
    """The lab's helper leaves TLS to us."""
    return restarted_helper("--ca-dir", "/nonexistent")


@contextmanager
def helper_for_tls():
    """This process is the helper for TLS."""
    g = Genl()
    try:
        assert g.register("TLS") == b""
        yield g
    finally:
        g.sock.close()
        wait_for("its notice", lambda: stats()["helpers"] == 1)


def ask_for_tls(family=4):
    """A client that has the server's 220 to STARTTLS."""
    c = KtlsClient(family=family)
    c.hello()
    c.cmd("STARTTLS", "220 2.0.0 Ready to start TLS$")
    return c


def agreed(g, family=4, version=V13, secrets=False):
    """A client whose session is inspected, and that has not begun with TLS."""
    c = ask_for_tls(family)
    lent = Lent(g)
    lent.give_keys(version, version)
    lent.close()
    assert (lent.done_with_secrets() if secrets else lent.done()) == b""
    return c


def inspected(g, family=4, version=V13, secrets=False, start=None):
    """A client whose session is inspected by the book, after its second EHLO."""
    c = agreed(g, family, version, secrets)
    if start:
        start(c)
    else:
        c.start_tls(version)
    hello_again(c)
    return c


def hello_again(c):
    r = c.cmd("EHLO client.lab", "250")
    assert "STARTTLS" not in r, r
    return r


def bypassed(g):
    """A client whose session is relayed."""
    c = ask_for_tls()
    lent = Lent(g)
    lent.close()
    assert lent.done("BYPASSED", "EXEMPT") == b""
    wait_for("relay", lambda: [s["state"] for s in sessions()] == ["relay"])
    return c


def starttls_by_hand(p):
    p.send(b"220 2.0.0 Ready to start TLS\r\n")
    Records(p)
