#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""TLS peers that send empty records without end (THREATS A8, A10): kTLS does not
return while there are any. Nobody but they may wait for that.

All legs have the same keys and begin with the same record, so that one flood is
encrypted once and goes to each of them.
"""
import errno
import os
import select
import signal
import socket
import struct
import sys
import threading
import time
from contextlib import contextmanager

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from smtplab.client import Client
from smtplab.config import setting
from smtplab.expect import expect_equal, wait_for
from smtplab.gateway import delta, sessions, stats
from smtplab.genl import UAPI, Genl
from smtplab.helper import signal_helpers, unloaded
from smtplab.ktls import (DATA, V12, give_keys, helper_for_tls, inspected, only_scans,
                          starttls_by_hand)
from smtplab.lab import main
from smtplab.mails import infected, mail, stuff
from smtplab.net import SERVER4, addresses, tcp_socket
from smtplab.peer import Peer
from smtplab.server import Server
from smtplab.tap import tests_of

CLIENTS = ("10.0.1.2", "10.0.1.3")
# a record takes the debug kernel a hundred times as long as others
DEBUG = os.environ.get("SMTPSPLICE_KERNEL") == "debug"
LEGS = int(os.environ.get("LAB_LEGS") or (24 if DEBUG else 256))
# more than the gateway takes in while a test looks
RECORDS = 100000 if DEBUG else 400000


def times(x, y):
    """Product in GCM's field (NIST SP 800-38D 6.3)."""
    product = 0
    for bit in range(127, -1, -1):
        if x >> bit & 1:
            product ^= y
        y = y >> 1 ^ (0xe1 << 120 if y & 1 else 0)
    return product


def columns(octets, width):
    return [octets[i::width] for i in range(width)]


def empty_records(seq, n):
    """That many empty records of a peer, from this sequence number on.

    By whole columns: one call for each record would take an emulated machine many
    minutes. Of an empty record only the type is encrypted, so that there are 256
    values of GHASH.
    """
    iv = int.from_bytes(b"saltiviviviv", "big")
    head = struct.pack("!BHH", DATA, V12, 17)
    counters = b"".join([(iv ^ i).to_bytes(12, "big") + ctr for i in range(seq, seq + n)
                         for ctr in (b"\0\0\0\1", b"\0\0\0\2")])
    aes = Cipher(algorithms.AES(b"\x22" * 16), modes.ECB()).encryptor()
    h = int.from_bytes(aes.update(bytes(16)), "big")
    h2 = times(h, h)
    fixed = (times(int.from_bytes(head, "big") << 88, times(h2, h)) ^
             times(len(head) * 8 << 64 | 8, h))
    ghash = [(fixed ^ times(c << 120, h2)).to_bytes(16, "big") for c in range(256)]
    stream = columns(aes.update(counters), 32)
    text = stream[16].translate(bytes(DATA ^ c for c in range(256)))
    tags = columns(b"".join(map(ghash.__getitem__, text)), 16)
    out = bytearray(22 * n)
    for at, octet in enumerate(head):
        out[at::22] = bytes([octet]) * n
    out[5::22] = text
    for at in range(16):
        out[6 + at::22] = (int.from_bytes(tags[at], "big") ^
                           int.from_bytes(stream[at], "big")).to_bytes(n, "big")
    return bytes(out)


class Flood:
    """Sends the same octets by many sockets at once, as fast as they go."""

    def __init__(self, socks, data):
        self.data = memoryview(data)
        self.at = dict.fromkeys(socks, 0)
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.run)
        for s in socks:
            s.setblocking(False)

    def run(self):
        poll, by_fd = select.poll(), {s.fileno(): s for s in self.at}
        for fd in by_fd:
            poll.register(fd, select.POLLOUT)
        while by_fd and not self.stop.is_set():
            for fd, _ in poll.poll(100):
                s = by_fd[fd]
                try:
                    self.at[s] += s.send(self.data[self.at[s]:][:65536])
                    if self.at[s] < len(self.data):
                        continue
                except BlockingIOError:
                    continue
                except OSError:
                    pass
                poll.unregister(fd)
                del by_fd[fd]

    def has_begun(self):
        """Has each of them more under way than a socket keeps to itself?"""
        return all(n >= 100000 for n in self.at.values())

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join()


@contextmanager
def silent_server():
    """On port 465, and says nothing."""
    with tcp_socket("server") as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind((SERVER4, 465))
        s.listen(2 * LEGS)
        yield


def give_keys_to_next(g):
    """Does as if there had been the handshakes of the next session."""
    answers = []

    def asked():
        answers.append(g.ask("HANDSHAKE_ACCEPT"))
        return answers[-1] != errno.EAGAIN
    wait_for("a handshake", asked)
    attrs = dict(Genl.attrs(answers[-1]))
    for key in ("CLIENT_FD", "SERVER_FD"):
        fd, = struct.unpack("i", attrs[UAPI["A_HANDSHAKE_" + key]])
        with socket.socket(fileno=fd) as lent:
            give_keys(lent, True)
    expect_equal(g.ask(
        "HANDSHAKE_DONE",
        HANDSHAKE_COOKIE=attrs[UAPI["A_HANDSHAKE_COOKIE"]],
        HANDSHAKE_RESULT=struct.pack("I", UAPI["TLS_RESULT_INSPECTED"]),
        HANDSHAKE_CAUSE=struct.pack("I", UAPI["TLS_CAUSE_NONE"])), b"", "done")


def flooders(g, n):
    """Clients inside TLS of sessions that wait for their server's greeting."""
    socks = []
    for i in range(n):
        socks.append(tcp_socket("client", src=(CLIENTS[i % len(CLIENTS)], 0)))
        socks[-1].connect((SERVER4, 465))
    for _ in range(n):
        give_keys_to_next(g)
    return socks


@contextmanager
def flooded(n):
    """That many sessions whose clients flood."""
    patient = ("command-timeout", "600s", "handshake-timeout", "600s",
               "max-client-handshakes", str(LEGS))
    data = empty_records(0, RECORDS)
    with setting(*patient), helper_for_tls() as g, \
            addresses("client", "eth0", CLIENTS[1] + "/24"):
        try:
            with silent_server():
                socks = flooders(g, n)
                try:
                    with Flood(socks, data) as flood:
                        wait_for("the flood", flood.has_begun)
                        yield flood
                finally:
                    # What such a socket still has to send would keep it for minutes,
                    # and its namespace with it, once its address is gone.
                    for s in socks:
                        Peer(s).reset()
        finally:
            wait_for("the end", lambda: not sessions())


def test_N1_verdict_under_flood():
    """N1: a server floods while its message waits: its scan, and others, go on"""
    with setting("scan-timeout", "20s"), helper_for_tls() as g, \
            Server(script={"STARTTLS": starttls_by_hand}) as srv:
        before = stats()
        c = inspected(g)
        p = srv.conns[0]
        signal_helpers(signal.SIGSTOP)
        try:
            c.envelope()
            c.cmd("DATA", "354")
            # takes its time, which the scan does not have
            data = empty_records(p.records.tx.seq, RECORDS)
            c.send(stuff(infected()) + b".\r\n")
            wait_for("scan", lambda: [s["state"] for s in sessions()] == ["scan"])
            others = [Client(family=f) for f in (4, 6)]
            with p.sock.dup() as sock, Flood([sock], data) as flood:
                wait_for("the flood", flood.has_begun)
                signal_helpers(signal.SIGCONT)
                for o in others:
                    o.hello()
                    o.message(infected(), "554 5.7.1 ")
                    o.quit()
                c.expect("554 5.7.1 ")
        finally:
            signal_helpers(signal.SIGCONT)
        expect_equal(delta(before, "scan-timeout"), 0, "time-outs")
        c.reset()
        p.reset()
        wait_for("the end", lambda: not sessions())


def test_N1_many_legs():
    """N1: flooded legs, 256 of them, do not keep others from their verdict"""
    with Server() as srv, flooded(LEGS):
        before = stats()
        for i in range(3):
            c = Client(family=4 if i else 6)
            c.hello()
            c.envelope()
            c.cmd("DATA", "354")
            start = time.monotonic()
            c.send(stuff(mail("x" * 1000 * i)) + b".\r\n")
            c.expect("250")
            print("# its verdict took %.2f s" % (time.monotonic() - start))
            c.message(infected(), "554 5.7.1 ")
            c.quit()
        expect_equal(delta(before, "scan-timeout"), 0, "time-outs")
        expect_equal(len(srv.messages), 3, "messages")
        # they are kept from flooding, not ended
        wait_for("the flooded sessions alone", lambda: len(sessions()) == LEGS)


def test_N2_rmmod_under_flood():
    """N2: the module goes under a flood by IPv4"""
    with flooded(LEGS):
        start = time.monotonic()
        with unloaded():
            print("# helper and module were gone after %.2f s"
                  % (time.monotonic() - start))


if __name__ == "__main__":
    main(tests_of(sys.modules[__name__]), only_scans)
