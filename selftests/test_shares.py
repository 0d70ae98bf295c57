#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""What one client may have of what all share: octets held, handshakes, scans.

The greedy one has an address of its own, 10.0.1.9.
"""
import sys
import threading
from contextlib import contextmanager

from smtplab.client import Client
from smtplab.config import setting, splice
from smtplab.expect import expect_equal, wait_for
from smtplab.gateway import counted, delta, sessions, stats
from smtplab.helper import stopped_helper
from smtplab.lab import main
from smtplab.mails import mail
from smtplab.net import addresses
from smtplab.peer import trickle
from smtplab.server import Server
from smtplab.tap import tests_of
from smtplab.tls import TlsServer

GREEDY = "10.0.1.9"
LINE = b"y" * 70 + b"\r\n"


def scanning():
    return sum(s["state"] == "scan" for s in sessions())


def visitor(src=None):
    c = Client(src=(src, 0) if src else None)
    c.hello()
    return c


def begun(src=None, size=0):
    """A client amid a message of which so much has been sent."""
    c = visitor(src)
    c.envelope()
    c.cmd("DATA", "354")
    c.send(LINE * (size // len(LINE)))
    return c


def sent(src=None, size=100):
    """A client that has sent a whole message."""
    c = begun(src, size)
    c.send(b".\r\n")
    return c


@contextmanager
def trickling(clients):
    """They go on by some hundred octets a second."""
    stop = threading.Event()

    def run():
        while not stop.wait(0.2):
            for c in clients:
                c.send(LINE)
    t = threading.Thread(target=run)
    t.start()
    try:
        yield
    finally:
        stop.set()
        t.join()


def six_slow_messages():
    """Six of one client's would fill the budget; others still find room."""
    size = 350000
    with setting("max-held", "2M"), Server() as srv, counted(delivered=6, no_space=0):
        before = stats()
        slow = [begun(GREEDY, size) for _ in range(6)]
        wait_for("the end of its share", lambda: delta(before, "share-held"))
        with trickling(slow):
            for n in range(6):
                c = visitor()
                c.message(mail("message %d" % n) + LINE * 1000)
                c.quit()
            assert stats()["held"] > 2 * size
            wait_for("the slow ones alone", lambda: len(sessions()) == 6)
        for c in slow:
            c.reset()
        wait_for("the end", lambda: not sessions())
        expect_equal(stats()["held"], 0, "held")
        expect_equal(len(srv.messages), 6, "messages")


def test_N3_H5_six_slow_messages():
    """six slow messages of one client leave room for the mails of others"""
    six_slow_messages()


def test_N3_H5_six_slow_messages_splice():
    """the same in splice mode"""
    with splice():
        six_slow_messages()


def test_N3_refused_by_share():
    """who has its share is told 452, at DATA or at the end; later all is well"""
    with setting("max-held", "1M", "max-client-held", "50"), Server() as srv, \
            counted(share_held=2, no_space=0, delivered=2):
        # its only one may be larger
        first = begun(GREEDY, 600000)
        wait_for("it", lambda: stats()["held"] >= 600000 // 72 * 72)
        second = visitor(GREEDY)
        second.envelope()
        second.cmd("DATA", "452 4.3.1 Too much is held of this client")
        third = begun(size=1000)
        wait_for("it", lambda: stats()["held"] >= 600000 // 72 * 72 + 1000 // 72 * 72)
        first.send(LINE * 1000)
        wait_for("more", lambda: stats()["held"] >= 670000)
        fourth = visitor()
        fourth.message(LINE * 4000, "452 4.3.1 Too much is held of this client")
        first.send(b".\r\n")
        first.expect("250")
        third.send(b".\r\n")
        third.expect("250")
        for c in first, second, third, fourth:
            c.quit()
        expect_equal(len(srv.messages), 2, "messages")


def greedy_messages(src, size):
    """As many of a client's messages of that size as it is let hold; silent then."""
    slow = []
    while True:
        before = stats()
        c = visitor(src)
        c.envelope()
        c.send(b"DATA\r\n")
        if c.reply().startswith("452"):
            c.quit()
            return slow
        c.send(LINE * (size // len(LINE)))
        held = before["held"] + size - size // 50
        wait_for("it", lambda: stats()["held"] >= held or
                 delta(before, "share-held"))
        if delta(before, "share-held"):
            c.reset()
            return slow
        slow.append(c)


def test_N3_H5_three_greedy():
    """three greedy clients leave room for others, without conserve mode"""
    more = ["10.0.1.%d" % n for n in (10, 11)]
    with addresses("client", "eth0", *[a + "/24" for a in more]), \
            setting("max-held", "4M", "data-timeout", "3600s"), Server() as srv, \
            counted(delivered=6, no_space=0):
        slow = sum((greedy_messages(src, 200000) for src in [GREEDY] + more), [])
        assert stats()["held"] > 4 << 19, stats()["held"]
        for n in range(6):
            c = visitor()
            c.message(mail("message %d" % n) + LINE * 100)
            c.quit()
        expect_equal(len(srv.messages), 6, "messages")
        for c in slow:
            c.reset()
        wait_for("the end", lambda: not sessions())


def test_N3_H5_silence():
    """who fills the budget and falls silent then has not earned so much time"""
    with setting("max-held", "4M", "max-client-held", "100", "data-timeout", "160s",
                 "command-timeout", "60s"), Server():
        slow = [begun(src, 1900000) for src in (GREEDY, None)]
        wait_for("them", lambda: stats()["held"] > 3700000)
        idle = visitor()
        idle.expect("421 4.4.2")
        # where one has gone there is room, and time for the other one
        left = [s["client"] for s in sessions() if s["state"] == "body"]
        assert len(left) < 2, "both have their time still"
        for c in slow:
            if c.sock.getsockname()[0] in left:
                c.reset()
            else:
                c.expect("421 4.4.2")
        wait_for("the end", lambda: not sessions())


def fill(octets):
    """Messages of two clients that wait for their verdict hold so much."""
    clients = [sent(src, octets // 2) for src in (GREEDY, None)]
    wait_for("the scan", lambda: scanning() == 2)
    return clients


def test_N3_rate_rises():
    """the fuller the budget, the faster a message has to come"""
    hurry = ("data-timeout", "3s")
    with setting("max-held", "10M", "max-client-held", "100"), Server() as srv:
        # some thousand octets a second are enough where there is room
        with setting(*hurry):
            silent, c = begun(), begun()
            trickle(c, LINE * 10, until=silent)
            c.send(b".\r\n")
            c.expect("250")
        with stopped_helper():
            # those that fill it need not hurry
            clients = fill(9000000)
            with setting(*hurry):
                c = begun()
                trickle(c, LINE * 10)
                c.expect("421 4.4.2")
        for c in clients:
            c.expect("250")
        expect_equal(len(srv.messages), 3, "messages")


def test_N3_scans():
    """who has its share of messages waiting is told 451 where others wait too"""
    with setting("max-client-scans", "2"), Server() as srv, \
            counted(share_scans=1, delivered=5):
        with stopped_helper():
            clients = []
            # while there are no others, nothing is refused
            for n in range(3):
                clients.append(sent(GREEDY))
                wait_for("the scan", lambda n=n: scanning() == n + 1)
            clients.append(sent())
            wait_for("the scan", lambda: scanning() == 4)
            late = visitor(GREEDY)
            late.message(mail(), "451 4.3.2 Too many messages of this client")
            clients.append(sent())
            wait_for("the scan", lambda: scanning() == 5)
        for c in clients:
            c.expect("250")
            c.quit()
        late.quit()
        expect_equal(len(srv.messages), 5, "messages")


def test_N3_handshakes():
    """who has its share of handshakes under way is told 454 where others have some"""
    def handshaking():
        return sum(s["state"] == "handshake" for s in sessions())

    def ask(src, reply, n):
        c = visitor(src)
        c.cmd("STARTTLS", reply)
        wait_for("the handshake", lambda: handshaking() == n)
        return c
    with setting("max-client-handshakes", "2"), TlsServer(), \
            counted(share_handshakes=2):
        clients = [ask(GREEDY, "220", n + 1) for n in range(3)]
        clients.append(ask(None, "220", 4))
        late = ask(GREEDY, "454 4.7.0", 4)
        late.message(mail())
        late.quit()
        # one that begins with TLS cannot be told
        with TlsServer(port=465):
            late = Client(port=465, src=(GREEDY, 0))
            assert late.closed()
        clients.append(ask(None, "220", 5))
        for c in clients:
            c.reset()
        wait_for("the end", lambda: not sessions())


@contextmanager
def greedy():
    with addresses("client", "eth0", GREEDY + "/24"):
        yield


if __name__ == "__main__":
    main(tests_of(sys.modules[__name__]), greedy)
