# SPDX-License-Identifier: GPL-2.0
"""An end of a TCP connection, line by line or octet by octet."""
import errno
import functools
import select
import socket
import time
from contextlib import contextmanager

from smtplab.expect import PATIENCE
from smtplab.net import CLOSE, sysctls, tcp_info


class Peer:
    """A line-based end of a TCP connection.

    by_octet: all peers send one octet a segment (by_octet() sets it).
    merged: where they did not.
    """

    by_octet = False
    merged = []

    def __init__(self, sock):
        sock.settimeout(PATIENCE)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock = sock
        self.buf = b""
        self.log = bytearray()

    def fill(self):
        data = self.sock.recv(65536)
        self.buf += data
        self.log += data
        return bool(data)

    def line(self):
        """One line without its end, or None at the end of the stream."""
        while b"\n" not in self.buf:
            if not self.fill():
                return None
        line, self.buf = self.buf.split(b"\n", 1)
        return line.rstrip(b"\r")

    def send(self, data):
        if not Peer.by_octet:
            self.sock.sendall(data)
            return
        for i in range(len(data)):
            self.sock.sendall(data[i:i + 1])
            self.sent()

    def sent(self):
        """Waits until what was written has left."""
        end = time.monotonic() + PATIENCE
        while True:
            try:
                state, unsent, segments, octets = tcp_info(self.sock)
            except OSError as e:
                # the peer has taken it all, and another thread closed
                if e.errno == errno.EBADF:
                    return
                raise
            if segments != octets:
                Peer.merged.append("%d octets in %d segments"
                                   % (octets, segments))
            if not unsent:
                return
            if state == CLOSE or time.monotonic() > end:
                raise ConnectionResetError
            time.sleep(0.001)

    def closed(self):
        """Waits for the end of the stream; True if nothing else came."""
        rest = b""
        try:
            while True:
                data = self.sock.recv(65536)
                if not data:
                    break
                rest += data
        except ConnectionResetError:
            pass
        return not rest and not self.buf

    def reset(self):
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                             b"\1\0\0\0\0\0\0\0")
        try:
            # wakes a thread that reads, which would keep the socket open
            self.sock.shutdown(socket.SHUT_RD)
        except OSError:
            pass
        self.sock.close()


@contextmanager
def by_octet():
    """All that client and server send goes one octet a segment."""
    collapse = "ipv4/tcp_retrans_collapse"
    with sysctls("client", {collapse: 0}), sysctls("server", {collapse: 0}):
        Peer.by_octet, Peer.merged = True, []
        try:
            yield
        finally:
            Peer.by_octet = False
        assert not Peer.merged, Peer.merged


def octets(many, few):
    """How much a test sends: few where each octet is a segment."""
    return few if Peer.by_octet else many


def each_split(test):
    """The same test, one octet a segment both ways."""
    @functools.wraps(test)
    def split():
        with by_octet():
            test()
    split.__name__ = test.__name__ + "_split"
    split.__doc__ = "one octet a segment: " + test.__doc__
    return split


def trickle(c, octet, until=None):
    """Sends an octet now and then until there is an answer, or one to another
    client, which must come although there always is another octet."""
    answered = select.poll()
    answered.register((until or c).sock, select.POLLIN)
    for _ in range(400):
        if answered.poll(50):
            return
        c.send(octet)
    raise AssertionError("no end to it")
