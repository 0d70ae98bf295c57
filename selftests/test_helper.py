#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""The helper dies, hangs or lies while messages are held (THREATS I4, I5)."""
import errno
import mmap
import os
import signal
import struct
import sys
import tempfile
import threading
from contextlib import contextmanager

from smtplab.client import Client
from smtplab.config import setting
from smtplab.exchange import send_message
from smtplab.expect import expect_equal, wait_for
from smtplab.gateway import delta, sessions, stats
from smtplab.genl import Genl
from smtplab.helper import (helpers, in_place_of_the_helper, kill_helpers, restarted_helper,
                            signal_helpers, start_helper)
from smtplab.lab import main
from smtplab.mails import infected, mail
from smtplab.net import sh
from smtplab.server import Server
from smtplab.tap import tests_of

HELD = 20


def hold_messages(srv, bodies):
    """Clients whose messages are all in the hold, waiting for a verdict."""
    signal_helpers(signal.SIGSTOP)
    clients = [send_message(body) for body in bodies]
    wait_for("all held", lambda: sum(
        s["state"] == "scan" for s in sessions()) == len(bodies))
    assert not srv.messages
    return clients


def mixed():
    return [infected() if i % 2 else mail("held %d" % i) for i in range(HELD)]


def test_I4_kill_restart():
    """kill -9 with 20 messages held; the next helper answers them all"""
    bodies = mixed()
    with Server() as srv:
        before = stats()
        clients = hold_messages(srv, bodies)
        kill_helpers()
        assert not srv.messages
        start_helper()
        for c, body in zip(clients, bodies):
            c.expect("554" if eicar_in(body) else "250")
            c.quit()
        wanted = sorted(b for b in bodies if not eicar_in(b))
        assert sorted(srv.messages) == wanted
        assert delta(before, "scan-timeout") == 0
    wait_for("an empty hold", lambda: stats()["held"] == 0)


def eicar_in(body):
    return b"Subject: infected" in body


def test_I4_kill_deadline():
    """kill -9 with 20 messages held, no helper comes: 451 4.3.0 in time"""
    bodies = mixed()
    with Server() as srv:
        before = stats()
        with setting("scan-timeout", "20s"):
            clients = hold_messages(srv, bodies)
            kill_helpers()
            for c in clients:
                c.expect("451 4.3.0")
        # both legs are usable: the same sessions go on with the next helper
        start_helper()
        for c in clients:
            c.message(mail("again"))
            c.quit()
        assert srv.messages == [mail("again")] * HELD
        assert delta(before, "scan-timeout") == HELD


def test_I4_hang():
    """a helper that hangs: 451 4.3.0 in time, and its late verdict is void"""
    with Server() as srv:
        before = stats()
        with setting("scan-timeout", "3s"):
            try:
                c, = hold_messages(srv, [mail("late")])
                c.expect("451 4.3.0")
            finally:
                signal_helpers(signal.SIGCONT)
        c.message(mail("in time"))
        c.quit()
        assert srv.messages == [mail("in time")]
        assert delta(before, "scan-timeout") == 1


def test_client_gone_in_scan():
    """a client that leaves before the verdict: nothing reaches the server"""
    with Server() as srv:
        before = stats()
        c, = hold_messages(srv, [mail("left")])
        c.reset()
        wait_for("the end", lambda: not sessions())
        signal_helpers(signal.SIGCONT)
        d = Client()
        d.hello()
        d.message(mail("next"))
        d.quit()
        assert srv.messages == [mail("next")] and b"left" not in srv.log
        assert delta(before, "aborted") == 1


def test_keepalive_in_scan():
    """a server that waits for a verdict gets NOOPs, and the message after it"""
    def noop(p):
        answered.append(p.log.count(b"DATA"))
        p.send(b"250 2.0.0 ok\r\n")
    answered = []
    with setting("keepalive", "200ms"):
        with Server(script={"NOOP": noop}) as srv:
            c, = hold_messages(srv, [mail("waits")])
            wait_for("some NOOP", lambda: len(answered) > 3)
            signal_helpers(signal.SIGCONT)
            c.expect("250")
            c.quit()
            assert srv.messages == [mail("waits")]
            assert not any(answered), "a command was sent on top of another"


def test_worker_killed():
    """a killed scan worker costs no message and lets nothing through"""
    with Server() as srv:
        stop = threading.Event()

        def killer():
            # the youngest processes are the workers
            while not stop.wait(0.2):
                pids = helpers()
                if len(pids) > 3:
                    try:
                        os.kill(max(pids), signal.SIGKILL)
                    except ProcessLookupError:
                        pass
        t = threading.Thread(target=killer)
        t.start()
        try:
            c = Client()
            c.hello()
            for i in range(20):
                r = c.message(mail("m %d" % i), "250|451")
                assert r[:3] in ("250", "451")
                c.message(infected(), "554|451")
        finally:
            stop.set()
            t.join()
        # once nobody kills any more, all is as it was
        wait_for("a worker", lambda: c.message(mail("last"), "250|451")[:3] == "250")
        c.message(infected(), "554")
        c.quit()
        expect_equal(srv.messages[-1], mail("last"), "the last message")
        for m in srv.messages:
            assert b"Subject: test" in m and b"eicar" not in m, m


def test_I1_not_registered():
    """only the registered socket takes work or gives verdicts; one at a time"""
    g = Genl()
    assert g.ask("SCAN_ACCEPT") == errno.EPERM
    assert g.ask("SCAN_VERDICT", SCAN_COOKIE=bytes(8),
                 SCAN_VERDICT=bytes(4)) == errno.EPERM
    assert g.register("SCAN") == errno.EBUSY


def test_I1_port_is_no_right():
    """the helper's port id alone is no right: not later, not elsewhere"""
    kill_helpers()
    port = 0x534d5450
    try:
        for _ in range(100):
            g = Genl(port=port)
            assert g.register("SCAN") == b""
            elsewhere = Genl("client", port)
            assert elsewhere.ask("SCAN_ACCEPT") == errno.EPERM
            elsewhere.sock.close()
            # the port is free at once, what hung on it must be gone as well
            g.sock.close()
            heir = Genl(port=port)
            assert heir.ask("SCAN_ACCEPT") == errno.EPERM
            heir.sock.close()
            wait_for("its notice", lambda: stats()["helpers"] == 0)
    finally:
        start_helper()


def test_I5_verdicts():
    """unknown, replayed, late and malformed verdicts are refused"""
    with in_place_of_the_helper(mail("by hand")) as (g, c, srv):
        cookie, f = g.take()
        with f:
            fd = f.fileno()
            assert f.read() == mail("by hand")
            for bad in (lambda: os.pwrite(fd, b"x", 0),
                        lambda: os.truncate("/proc/self/fd/%d" % fd, 0)):
                try:
                    bad()
                    raise AssertionError("the held message was changed")
                except OSError:
                    pass

        def verdict(cookie, verdict, reply=None):
            attrs = {"SCAN_COOKIE": cookie,
                     "SCAN_VERDICT": struct.pack("I", verdict)}
            if reply is not None:
                attrs["SCAN_REPLY"] = reply + b"\0"
            return g.ask("SCAN_VERDICT", **attrs)
        wrong = bytes([cookie[0] ^ 1]) + cookie[1:]
        assert verdict(wrong, 0) == errno.ENOENT
        assert verdict(cookie, 1, b"250 2.0.0 fine") == errno.EINVAL
        assert verdict(cookie, 1, b"554 5.7.1 a\r\n250 b") == errno.EINVAL
        assert verdict(cookie, 2, b"554 5.7.1 a") == errno.EINVAL
        assert verdict(cookie, 7) != b""
        other = Genl()
        assert other.ask("SCAN_VERDICT", SCAN_COOKIE=cookie,
                         SCAN_VERDICT=bytes(4)) == errno.EPERM
        assert verdict(cookie, 1, b"554 5.7.1 by hand") == b""
        c.expect("554 5.7.1 by hand")
        assert verdict(cookie, 0) == errno.ENOENT
        c.quit()
        assert not srv.messages


def test_K5_memory_and_budget():
    """K5: a message that the helper keeps open is in the budget as long as it is"""
    with in_place_of_the_helper(mail("kept")) as (g, c, _):
        clients = [c] + [send_message(mail("other")) for _ in range(3)]
        wait_for("the requests", lambda: stats()["scan-queued"] == len(clients))
        files = [g.take()[1] for _ in clients]
        left = stats()["held"]
        page = left // len(clients)
        assert page
        for c in clients:
            c.reset()
        wait_for("the end", lambda: not sessions())
        expect_equal(stats()["held"], left, "held")

        def still_held(how):
            nonlocal left
            # what another one had is given back: so this one was looked at as well
            files.pop().close()
            left -= page
            wait_for("a look", lambda: stats()["held"] <= left)
            expect_equal(stats()["held"], left, "held by " + how)
        kept = files.pop(0)
        still_held("a file")
        with mmap.mmap(kept.fileno(), 0, prot=mmap.PROT_READ) as memory:
            with open("/proc/self/fd/%d" % kept.fileno(), "rb") as again:
                kept.close()
                still_held("another file")
                assert again.read().startswith(b"From:")
            still_held("memory")
            assert memory[:5] == b"From:"
        wait_for("an empty hold", lambda: stats()["held"] == 0)


@contextmanager
def small_tmpdir():
    """The helper has a file system of 4 MiB for temporary files."""
    room = tempfile.mkdtemp()
    sh("mount", "-t", "tmpfs", "-o", "size=4m", "none", room)
    try:
        with restarted_helper("--tmpdir", room):
            yield room
    finally:
        sh("umount", "-l", room)
        os.rmdir(room)


def answers(clean, bad):
    """Expects that of mail without and with a virus, which no cache knows, in turn;
    returns how many the server has got."""
    word = os.urandom(8).hex()
    with Server() as srv:
        for body, pattern in ((mail(word), clean), (infected(word), bad)):
            c = Client()
            c.hello()
            c.message(body, pattern)
            c.quit()
        return len(srv.messages)


def test_M8_full_tmpfs():
    """M8: mail that cannot be unpacked for want of room gets 451, and passes later"""
    with small_tmpdir() as room:
        answers("250 2.0.0", "554 5.7.1")
        ballast = os.path.join(room, "ballast")
        with open(ballast, "wb") as f:
            os.posix_fallocate(f.fileno(), 0, (4 << 20) - (64 << 10))
        before = stats()
        expect_equal(answers("451 4.3.0", "451 4.3.0"), 0, "messages")
        expect_equal(delta(before, "tempfail"), 2, "counter")
        os.unlink(ballast)
        expect_equal(answers("250 2.0.0", "554 5.7.1"), 1, "messages")


def test_M8_cleaner():
    """M8: systemd-tmpfiles takes away what is old, but not the helper's folder"""
    with small_tmpdir() as room, tempfile.NamedTemporaryFile("w", suffix=".conf") as conf:
        for name in "old", "old2":
            os.mkdir(os.path.join(room, name))
        conf.write("e %s 0700 root root 0\n" % room)
        conf.flush()
        answers("250 2.0.0", "554 5.7.1")
        sh("systemd-tmpfiles", "--clean", conf.name)
        left = os.listdir(room)
        assert len(left) == 1 and left[0].startswith("smtpspliced."), left
        expect_equal(answers("250 2.0.0", "554 5.7.1"), 1, "messages")


if __name__ == "__main__":
    main(tests_of(sys.modules[__name__]))
