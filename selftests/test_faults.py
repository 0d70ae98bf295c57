#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Allocations of the module's work fail at random (THREATS H2, I4): nothing
infected passes, every client has an answer or its connection ends, and when
memory is back all is as before. Needs a kernel with fault injection.
"""
import os
import struct
import sys
from contextlib import contextmanager

from smtplab.client import Client
from smtplab.expect import expect_equal, wait_for
from smtplab.gateway import sessions, stats
from smtplab.genl import UAPI, Genl, asker
from smtplab.helper import start_helper, stop_helper
from smtplab.ktls import (CLOSE_NOTIFY, KtlsServer, Records, helper_for_tls,
                          inspected, only_scans)
from smtplab.lab import main
from smtplab.mails import infected, mail, stuff
from smtplab.server import Server
from smtplab.tap import Skip, tests_of

SOL_NETLINK, NETLINK_ADD_MEMBERSHIP = 270, 1
ROUNDS = 40
MANY = 1 << 20
DEBUGFS = "/sys/kernel/debug/"
KINDS = ("failslab", "fail_page_alloc")


def write(path, value):
    with open(path, "w") as f:
        f.write(str(value))


def kworkers():
    """Process ids of the threads that may run a session's work."""
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/comm" % pid) as f:
                if f.read().startswith("kworker/u"):
                    yield pid
        except OSError:
            pass


@contextmanager
def failing(kind, probability):
    """Some allocations of kernel workers fail."""
    knobs = DEBUGFS + kind + "/"
    if not os.path.exists(knobs):
        raise Skip("this kernel has no " + kind)
    for pid in kworkers():
        try:
            write("/proc/%s/make-it-fail" % pid, 1)
        except OSError:
            pass
    write(knobs + "task-filter", "Y")
    write(knobs + "ignore-gfp-wait", "N")
    write(knobs + "verbose", 0)
    write(knobs + "interval", 1)
    write(knobs + "times", MANY)
    if kind == "fail_page_alloc":
        write(knobs + "min-order", 0)
    write(knobs + "probability", probability)
    try:
        yield
    finally:
        write(knobs + "probability", 0)
    with open(knobs + "times") as f:
        failed = MANY - int(f.read())
    print("# %d allocations failed" % failed)
    assert failed, "nothing failed"


@contextmanager
def nth_failing(n):
    """The nth allocation of each kernel worker fails."""
    for kind in KINDS:
        knobs = DEBUGFS + kind + "/"
        if not os.path.exists(knobs):
            raise Skip("this kernel has no " + kind)
        write(knobs + "ignore-gfp-wait", "N")
        write(knobs + "verbose", 0)
        write(knobs + "times", -1)
    write(DEBUGFS + "fail_page_alloc/min-order", 0)

    def arm(nth):
        for pid in kworkers():
            try:
                write("/proc/%s/fail-nth" % pid, nth)
            except OSError:
                pass
    arm(n)
    try:
        yield
    finally:
        arm(0)


def dialogue(kind):
    """One session, whatever comes of it: what it was told at the end."""
    said = "nothing"
    try:
        c = Client(family=4 if kind % 2 else 6)
        said = c.reply()
        said = c.cmd("EHLO client.lab")
        for body in (mail("round"), infected(), mail("x" * 70000)):
            for line in ("MAIL FROM:<from@lab>", "RCPT TO:<to@lab>", "DATA"):
                said = c.cmd(line)
            if said.startswith("354"):
                c.send(stuff(body) + b".\r\n")
                said = c.reply()
                assert not (body == infected() and said.startswith("2")), said
        # not its FIN: tcp_send_fin() gives up where it has no memory
        c.cmd("QUIT", "221")
        c.sock.close()
    except (ConnectionError, AssertionError) as e:
        # the connection may end, but an answer must not fail to come
        assert "connection closed" in str(e) or isinstance(e, ConnectionError), e
    return said


def under(kind, probability):
    with Server() as srv:
        with failing(kind, probability):
            for i in range(ROUNDS):
                dialogue(i)
        wait_for("the end of the sessions", lambda: not sessions())
        c = Client()
        c.hello()
        c.message(mail("memory is back"))
        c.message(infected(), "554")
        c.quit()
        expect_equal(srv.messages[-1], mail("memory is back"), "the last message")
        for m in srv.messages:
            assert b"Subject: test" in m and b"eicar" not in m, m
    assert stats()["held"] == 0


def test_small_allocations():
    """slab allocations fail"""
    under("failslab", 3)


def test_pages():
    """page allocations fail"""
    under("fail_page_alloc", 10)


class Bell(Genl):
    """Hears the doorbells of the group "work"."""

    def __init__(self):
        super().__init__()
        family = dict(self.attrs(self.call(16, 3, [(2, b"smtpsplice\0")])))
        groups = [dict(self.attrs(g)) for _, g in self.attrs(family[7])]
        work, = [g[2] for g in groups if g[1] == b"work\0"]
        self.sock.setsockopt(SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, work)

    def wait(self):
        expect_equal(self.sock.recv(65536)[16], UAPI["CMD_SCAN_READY"], "the command")


@contextmanager
def helper_that_waits():
    """This process is the helper, and asks for nothing before it is rung for. (The
    real one also asks by itself, every few seconds.)"""
    stop_helper()
    try:
        with asker() as g:
            bell = Bell()
            try:
                assert g.register("SCAN") == b""
                yield g, bell
            finally:
                bell.sock.close()
        wait_for("its notice", lambda: stats()["helpers"] == 0)
    finally:
        start_helper()


def test_K5_doorbell():
    """K5: a message that no doorbell could be rung for is rung for later"""
    with helper_that_waits() as (g, bell), Server() as srv:
        for n in range(1, 16):
            c = Client()
            c.hello()
            c.envelope()
            c.cmd("DATA", "354")
            c.send(stuff(mail("round")))
            with nth_failing(n):
                c.send(b".\r\n")
                bell.wait()
            cookie, f = g.take()
            f.close()
            assert g.ask("SCAN_VERDICT", SCAN_COOKIE=cookie, SCAN_VERDICT=struct.pack(
                "I", UAPI["VERDICT_ACCEPT"])) == b""
            c.expect("250 ")
            c.reset()
        wait_for("the end", lambda: not sessions())
        expect_equal(len(srv.messages), 15, "messages")


def told(c, lines):
    """What a client is told after those lines, until its session ends."""
    got = []
    try:
        for line in lines:
            got.append(c.cmd(line)[:3])
    except ConnectionError:
        pass
    except AssertionError as e:
        assert "connection closed" in str(e), e
    return got


def test_K5_record():
    """K5: a TLS record for which there was no memory leaves when there is some"""
    with helper_for_tls() as g, KtlsServer():
        whole = ["250"] * 4
        for n in range(1, 28):
            c = inspected(g, secrets=True, start=Records)
            try:
                with nth_failing(n):
                    got = told(c, ["NOOP"] * 4)
            finally:
                c.reset()
            assert got == whole or got[-1:] == ["421"] or \
                (len(got) < 4 and set(got) <= {"250"}), "%d: %r" % (n, got)
            wait_for("the end", lambda: not sessions())


def said_goodbye(c):
    """What a client reads after QUIT, to the end of the stream."""
    c.send(b"QUIT\r\n")
    lines = []
    while (line := c.line()) is not None:
        lines.append(line[:3])
    return lines


def test_K1_no_memory():
    """K1: no FIN overtakes the records for which there was no memory"""
    with helper_for_tls() as g, KtlsServer():
        whole = 0
        for n in range(1, 40):
            c = inspected(g, secrets=True, start=Records)
            try:
                with nth_failing(n):
                    lines = said_goodbye(c)
                # where QUIT itself could not be read, the session was given up
                if lines:
                    whole += 1
                    expect_equal((lines, c.records.alerts, bytes(c.records.raw)),
                                 ([b"221"], [CLOSE_NOTIFY], b""), "allocation %d" % n)
            finally:
                c.reset()
            wait_for("the end", lambda: not sessions())
        assert whole > 20, whole


def asked_for_keys(g, n):
    """Asks a session for new keys, with a failure of allocation n: 0 where
    it ended for that, else how many it had."""
    c = inspected(g, secrets=True, start=Records)
    try:
        with nth_failing(n):
            c.records.update(1)
            for _ in range(3):
                c.cmd("NOOP", "250")
        return c.records.updates
    except TimeoutError as e:
        raise AssertionError("allocation %d: %r" % (n, sessions())) from e
    except (ConnectionError, AssertionError) as e:
        assert isinstance(e, ConnectionError) or "connection closed" in str(e) \
            or "got '421 4." in str(e), e
        return 0
    finally:
        c.reset()
        wait_for("the end", lambda: not sessions())


def test_K2_rekey():
    """K2: a leg that cannot have its next key says nothing under the old one"""
    with helper_for_tls() as g, KtlsServer():
        updates = [asked_for_keys(g, n) for n in range(1, 28)]
        print("# updates: %r" % updates)
        assert 0 in updates and 1 in updates


if __name__ == "__main__":
    main(tests_of(sys.modules[__name__]), only_scans)
