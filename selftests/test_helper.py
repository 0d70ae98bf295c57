#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""The helper dies, hangs or lies while messages are held (THREATS I4, I5)."""
import os
import signal
import socket
import struct
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from smtplab import *  # noqa: E402,F403

HELD = 20


def signal_helpers(sig):
    for pid in helpers():
        try:
            os.kill(pid, sig)
        except ProcessLookupError:
            pass


def kill_helpers():
    signal_helpers(signal.SIGKILL)
    wait_for("the end of the helper", lambda: not helpers())
    wait_for("its notice", lambda: stats()["helpers"] == 0)


def hold_messages(srv, bodies):
    """Clients whose messages are all in the hold, waiting for a verdict."""
    signal_helpers(signal.SIGSTOP)
    clients = []
    for body in bodies:
        c = Client()
        c.hello()
        c.envelope()
        c.cmd("DATA", "354")
        c.send(stuff(body) + b".\r\n")
        clients.append(c)
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
        cli("set", "scan-timeout", "20s")
        try:
            clients = hold_messages(srv, bodies)
            kill_helpers()
            for c in clients:
                c.expect("451 4.3.0")
        finally:
            cli("set", "scan-timeout", "60s")
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
        cli("set", "scan-timeout", "3s")
        try:
            c, = hold_messages(srv, [mail("late")])
            c.expect("451 4.3.0")
        finally:
            cli("set", "scan-timeout", "60s")
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


def test_server_gone_in_scan():
    """a server that leaves before the verdict: the client gets a 421"""
    with Server() as srv:
        c, = hold_messages(srv, [mail("held")])
        srv.conns[0].reset()
        c.expect("421 4.4.2")
        assert c.closed()
        signal_helpers(signal.SIGCONT)
    wait_for("an empty hold", lambda: stats()["held"] == 0)


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
            c.quit()
        finally:
            stop.set()
            t.join()
        assert all(b"Subject: test" in m for m in srv.messages)


class Genl:
    """A minimal generic netlink socket in gw, to say what the helper should
    not."""

    def __init__(self):
        with netns("gw"):
            self.sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 16)
        self.sock.bind((0, 0))
        self.sock.settimeout(PATIENCE)
        self.seq = 0
        self.family = None
        reply = self.call(16, 3, [(2, b"smtpsplice\0")])
        self.family = dict(self.attrs(reply))[1]
        self.family = struct.unpack("H", self.family[:2])[0]

    @staticmethod
    def attrs(data):
        while len(data) >= 4:
            n, t = struct.unpack("HH", data[:4])
            yield t, data[4:n]
            data = data[(n + 3) & ~3:]

    def call(self, family, cmd, attrs=()):
        """Returns the attributes of the reply, or the errno."""
        body = struct.pack("BBH", cmd, 1, 0)
        for t, v in attrs:
            body += struct.pack("HH", len(v) + 4, t) + v + b"\0" * (-len(v) % 4)
        self.seq += 1
        self.sock.send(struct.pack("IHHII", len(body) + 16, family, 5,
                                   self.seq, 0) + body)
        reply = b""
        while True:
            data = self.sock.recv(65536)
            while data:
                n, t = struct.unpack("IH", data[:6])
                if t == 2:
                    err = -struct.unpack("i", data[16:20])[0]
                    return err or reply
                reply, data = data[20:n], data[(n + 3) & ~3:]


REGISTER, SCAN_ACCEPT, SCAN_VERDICT = 1, 2, 4
EPERM, ENOENT, EAGAIN, EBUSY, EINVAL = 1, 2, 11, 16, 22


def test_I1_not_registered():
    """only the registered socket takes work or gives verdicts; one at a time"""
    g = Genl()
    assert g.call(g.family, SCAN_ACCEPT) == EPERM
    assert g.call(g.family, SCAN_VERDICT, [(1, b"\0" * 8),
                                           (18, b"\0" * 4)]) == EPERM
    assert g.call(g.family, REGISTER, [(1, struct.pack("I", 1))]) == EBUSY


def test_I5_verdicts():
    """unknown, replayed, late and malformed verdicts are refused"""
    kill_helpers()
    g = Genl()
    try:
        assert g.call(g.family, REGISTER, [(1, struct.pack("I", 1))]) == b""
        assert g.call(g.family, SCAN_ACCEPT) == EAGAIN
        with Server() as srv:
            c = Client()
            c.hello()
            c.envelope()
            c.cmd("DATA", "354")
            c.send(mail("by hand") + b".\r\n")
            wait_for("a request", lambda: stats()["scan-queued"] == 1)
            a = dict(g.attrs(g.call(g.family, SCAN_ACCEPT)))
            cookie, fd = a[1], struct.unpack("i", a[2])[0]
            with open(fd, "rb") as f:
                assert f.read() == mail("by hand")
                for bad in (lambda: os.pwrite(fd, b"x", 0),
                            lambda: os.truncate("/proc/self/fd/%d" % fd, 0)):
                    try:
                        bad()
                        raise AssertionError("the held message was changed")
                    except OSError:
                        pass

            def verdict(cookie, verdict, reply=None):
                attrs = [(1, cookie), (18, struct.pack("I", verdict))]
                if reply is not None:
                    attrs.append((19, reply + b"\0"))
                return g.call(g.family, SCAN_VERDICT, attrs)
            wrong = bytes([cookie[0] ^ 1]) + cookie[1:]
            assert verdict(wrong, 0) == ENOENT
            assert verdict(cookie, 1, b"250 2.0.0 fine") == EINVAL
            assert verdict(cookie, 1, b"554 5.7.1 a\r\n250 b") == EINVAL
            assert verdict(cookie, 2, b"554 5.7.1 a") == EINVAL
            assert verdict(cookie, 7) != b""
            other = Genl()
            assert other.call(g.family, SCAN_VERDICT, [
                (1, cookie), (18, b"\0" * 4)]) == EPERM
            assert verdict(cookie, 1, b"554 5.7.1 by hand") == b""
            c.expect("554 5.7.1 by hand")
            assert verdict(cookie, 0) == ENOENT
            c.quit()
            assert not srv.messages
    finally:
        g.sock.close()
        wait_for("its notice", lambda: stats()["helpers"] == 0)
        start_helper()


def test_unmapped_after_end():
    """a message whose file the helper keeps open gives its budget back"""
    kill_helpers()
    g = Genl()
    fd = -1
    try:
        assert g.call(g.family, REGISTER, [(1, struct.pack("I", 1))]) == b""
        with Server():
            c = Client()
            c.hello()
            c.envelope()
            c.cmd("DATA", "354")
            c.send(mail("kept") + b".\r\n")
            wait_for("a request", lambda: stats()["scan-queued"] == 1)
            a = dict(g.attrs(g.call(g.family, SCAN_ACCEPT)))
            fd = struct.unpack("i", a[2])[0]
            c.reset()
            wait_for("the end", lambda: not sessions())
            wait_for("an empty hold", lambda: stats()["held"] == 0)
            assert os.pread(fd, 100, 0).startswith(b"From:")
    finally:
        if fd >= 0:
            os.close(fd)
        g.sock.close()
        wait_for("its notice", lambda: stats()["helpers"] == 0)
        start_helper()


if __name__ == "__main__":
    main(tests_of(sys.modules[__name__]))
