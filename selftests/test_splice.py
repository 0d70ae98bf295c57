#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Splice mode: a message goes to the server while it comes in, but for its end."""
import re
import sys
import threading

from smtplab.client import Client
from smtplab.config import mode, setting, splice
from smtplab.expect import PATIENCE, expect_equal, wait_for
from smtplab.gateway import delta, sessions, stats
from smtplab.helper import stopped_helper
from smtplab.lab import main
from smtplab.mails import infected, mail, sha, stuff
from smtplab.net import small_window
from smtplab.server import Server, Watcher
from smtplab.tap import tests_of
from smtplab.tls import TlsServer, inspected

# the octets that wait for the verdict: the end-of-data and what is before it,
# as much of it as may be of an end-of-data
KEPT = len("\r\n.\r\n")
ALONE = "421 4.3.0 No mail server any more, closing connection$"


def body_of(srv):
    """What the server has got behind its 354."""
    return b"".join(c.log for c in srv.conns).partition(b"DATA\r\n")[2]


def in_message(family=4):
    c = Client(family=family)
    c.hello()
    c.envelope()
    c.cmd("DATA", "354 go ahead$")
    return c


def clean_mail(family=4):
    bodies = [mail("one\r\n.a dot\r\n..two\r\n.\r\nend"), mail("two")]
    with Server() as srv:
        c = Client(family=family)
        c.hello()
        for body in bodies:
            c.envelope()
            # the server's own
            c.cmd("DATA", "354 go ahead$")
            c.send(stuff(body) + b".\r\n")
            c.expect("250 2.0.0 queued$")
        c.quit()
        expect_equal(srv.messages, bodies, "messages")
        assert b"NOOP" not in srv.log and b"RSET" not in srv.log


def test_clean_v4():
    """clean mails arrive as sent, the server's 354 and 250 are relayed; IPv4"""
    clean_mail()


def test_clean_v6():
    """clean mails arrive as sent; IPv6"""
    clean_mail(6)


def test_D2_infected():
    """EICAR: 554, the server is reset amid the message; the client may QUIT"""
    before = stats()
    with Watcher() as srv:
        c = in_message()
        c.send(infected() + b".\r\n")
        c.expect('554 5.7.1 .*"eicar.com".*"Eicar-Test-Signature.UNOFFICIAL"')
        srv.expect_reset()
        c.quit()
        assert b"\r\n.\r\n" not in body_of(srv)
    expect_equal(delta(before, "infected"), 1, "infected")


def test_D2_no_server_left():
    """after a refused message all but QUIT gets 421, in order"""
    with Watcher() as srv:
        c = in_message()
        c.send(infected() + b".\r\nRSET\r\nMAIL FROM:<late@lab>\r\nQUIT\r\n")
        c.expect("554 5.7.1")
        c.expect(ALONE)
        assert c.closed()
        srv.expect_reset()
        assert b"late" not in srv.log and len(srv.conns) == 1


def test_D2_client_leaves_after_refusal():
    """a client that closes without QUIT after a refused message"""
    with Watcher() as srv:
        c = in_message()
        c.send(infected() + b".\r\n")
        c.expect("554 5.7.1")
        c.sock.close()
        srv.expect_reset()
        wait_for("the end", lambda: not sessions())


def test_starttls():
    """inside STARTTLS: a clean mail arrives, EICAR does not"""
    with TlsServer() as srv:
        c = inspected()
        c.message(mail("clean"))
        c.envelope()
        c.cmd("DATA", "354 go ahead$")
        c.send(infected() + b".\r\n")
        c.expect("554 5.7.1")
        c.quit_tls()
        expect_equal(srv.messages, [mail("clean")], "messages")


def test_streams():
    """20 MB: the server has 90 % of it before the client sends the end-of-data"""
    line = b"0123456789abcdef" * 4 + b"\r\n"
    count = 20 * 1000 * 1000 // len(line)
    # an emulated machine may need minutes for the scan
    with setting("scan-timeout", "600s"), Server() as srv:
        c = in_message()
        log = srv.conns[0].log
        before = len(log)
        c.send(mail("begins"))
        for _ in range(count // 1000):
            c.send(line * 1000)
        body = mail("begins") + line * (count // 1000 * 1000)
        # all but the tail, to be exact
        wait_for("the body", lambda: len(log) - before >= len(body) - KEPT)
        assert len(log) - before >= 0.9 * len(body)
        c.send(b".\r\n")
        c.expect("250")
        c.quit()
        expect_equal(sha(srv.messages[0]), sha(body), "message")


def test_tail():
    """not one octet of the end-of-data leaves before the verdict"""
    wire = mail("x" * 3000) + b".\r\n"
    with Server() as srv:
        c = in_message()
        with stopped_helper():
            c.send(wire)
            wait_for("the scan", lambda: any(
                s["state"] == "scan" for s in sessions()))
            wait_for("the body", lambda: len(body_of(srv)) >= len(wire) - KEPT)
            expect_equal(body_of(srv), wire[:-KEPT], "before the verdict")
        c.expect("250")
        expect_equal(body_of(srv), wire, "in the end")
        c.quit()


def test_tail_by_octet():
    """the same, while the end-of-data comes octet by octet"""
    wire = mail("x\r\n..y\r\n.z") + b".\r\n"
    with Server() as srv:
        c = in_message()
        for i in range(len(wire)):
            c.send(wire[i:i + 1])
            got = max(0, i + 1 - KEPT + 1)
            if i + 1 < len(wire):
                wait_for("octet %d" % i, lambda n=got: len(body_of(srv)) >= n)
                expect_equal(body_of(srv), wire[:got], "after octet %d" % i)
        c.expect("250")
        expect_equal(body_of(srv), wire, "in the end")
        c.quit()


# THREATS B1: what a lax server might take for the end-of-data
LAX = (b"\n.\n", b"\n.\r", b"\r.\n", b"\r.\r", b"\n.\r\n", b"\r.\r\n",
       b"\r\n.\n", b"\r\n.\r", b"\r\n.\r\r\n", b"\r\r\n.\r\r\n",
       b"\r\n\0.\r\n", b"\r\n.\0\r\n")


def test_B1_smuggling():
    """what a lax server takes for an end-of-data does not reach it"""
    for end in LAX:
        with Watcher() as srv:
            c = in_message()
            c.send(mail() + b"text" + end)
            c.send(b"MAIL FROM:<smuggled@lab>\r\nRCPT TO:<b@lab>\r\n"
                   b"DATA\r\n" + mail("evil") + b".\r\nQUIT\r\n")
            c.expect("550 5.5.2")
            assert c.closed()
            srv.expect_reset()
            assert b"smuggled" not in srv.log, end
            assert not re.search(rb"[\r\n]\0*\.\0*[\r\n]",
                                 body_of(srv)), end


def open_files():
    with open("/proc/sys/fs/file-nr") as f:
        return int(f.read().split()[0])


def test_server_refuses_data():
    """a server that refuses DATA: its reply, and the session goes on"""
    with Server(script={"DATA": "451 4.3.0 not now\r\n"}) as srv:
        c = Client()
        c.hello()
        files = open_files()
        for _ in range(50):
            c.envelope()
            c.cmd("DATA", "451 4.3.0 not now$")
        # one message's at most, and what others open meanwhile
        assert open_files() < files + 25, "%d, then %d" % (files, open_files())
        c.quit()
        assert b"RSET" in srv.log


def early(reply):
    """A server that answers amid the message."""
    def data(p):
        p.send(b"354 go ahead\r\n")
        while b"answer me" not in p.log:
            if not p.fill():
                return False
        p.send(reply)
        # until it is closed, as it has to be
        while p.fill():
            pass
        return False
    return data


def test_early_reply():
    """a server that answers amid the message: the client hears it at the end"""
    with Watcher(script={"DATA": early(b"552-too\r\n552 5.3.4 too big\r\n")}) as srv:
        c = in_message()
        c.send(mail("answer me 0123456789"))
        srv.expect_reset()
        c.send(b"more\r\n.\r\n")
        c.expect("552 5.3.4 too big$")
        c.quit()


def test_early_success():
    """a server that accepts what it has not got is not believed"""
    with Watcher(script={"DATA": early(b"250 2.0.0 got it\r\n")}):
        c = in_message()
        c.send(mail("answer me 0123456789"))
        c.expect("421 4.3.0 Server broke the protocol$")
        assert c.closed()


def test_server_leaves():
    """a server that leaves amid the message: 451 at its end"""
    def data(p):
        p.send(b"354 go ahead\r\n")
        while b"leave" not in p.log:
            p.fill()
        return False
    with Watcher(script={"DATA": data}) as srv:
        c = in_message()
        c.send(mail("leave 0123456789"))
        wait_for("the end", lambda: srv.ends)
        c.send(b"more\r\n.\r\n")
        c.expect("451 4.4.2 Connection to the mail server lost$")
        c.quit()


def test_server_leaves_in_scan():
    """a server that leaves while the verdict is awaited: 451"""
    gate = threading.Event()

    def data(p):
        p.send(b"354 go ahead\r\n")
        gate.wait(PATIENCE)
        return False
    with Watcher(script={"DATA": data}):
        c = in_message()
        with stopped_helper():
            c.send(mail() + b".\r\n")
            wait_for("the scan", lambda: any(
                s["state"] == "scan" for s in sessions()))
            gate.set()
            c.expect("451 4.4.2 Connection to the mail server lost$")
        c.quit()


def test_client_resets():
    """a client that is gone amid the message, and while it is scanned"""
    for end in (b"", b".\r\n"):
        with Watcher() as srv:
            c = in_message()
            with stopped_helper():
                c.send(mail("x" * 100) + end)
                wait_for("the body", lambda: len(body_of(srv)) > 50)
                c.reset()
                srv.expect_reset()
            assert b"\r\n.\r\n" not in body_of(srv)
            wait_for("the end", lambda: not sessions())


def test_client_closes():
    """a FIN amid the message is not its end"""
    with Watcher() as srv:
        c = in_message()
        c.send(mail("x" * 100))
        wait_for("the body", lambda: len(body_of(srv)) > 50)
        c.sock.close()
        srv.expect_reset()
        wait_for("the end", lambda: not sessions())


def test_I4_no_verdict():
    """no verdict in time: 451, the server is reset"""
    with setting("scan-timeout", "1s"), Watcher() as srv:
        c = in_message()
        with stopped_helper():
            c.send(mail() + b".\r\n")
            c.expect("451 4.3.0")
        srv.expect_reset()
        c.quit()


def test_oversize():
    """a message that is too large: 552 at its end, the server is reset"""
    with setting("max-message", "2000"), Watcher() as srv:
        c = in_message()
        c.send(mail("y" * 70 + "\r\n") * 30)
        srv.expect_reset()
        c.send(b".\r\n")
        c.expect("552 5.3.4")
        c.quit()


def test_H2_lag():
    """a server that does not read stops the client: little is held ahead of it"""
    gate = threading.Event()

    def data(p):
        p.send(b"354 go ahead\r\n")
        gate.wait(PATIENCE)
        body = Server.read_body(p)
        srv.messages.append(body)
        p.send(b"250 2.0.0 queued\r\n")
    body = (b"z" * 70 + b"\r\n") * 300000
    done = threading.Event()
    with Server(script={"DATA": data}, prepare=small_window) as srv:
        c = in_message()

        def send():
            c.send(body + b".\r\n")
            done.set()
        t = threading.Thread(target=send)
        t.start()
        # as much as may be ahead of the server, and of what it was sent
        wait_for("the hold to fill", lambda: stats()["held"] >= 1 << 20)
        held = -1
        while held != stats()["held"]:
            held = stats()["held"]
        assert held < 8 << 20, held
        assert not done.is_set()
        gate.set()
        c.expect("250")
        t.join()
        c.quit()
        expect_equal(sha(srv.messages[0]), sha(body), "message")


def test_modes():
    """the mode is the policy's; a session keeps the one that it began with"""
    with Server() as srv:
        c = Client()
        c.hello()
        with mode("hold"):
            d = Client()
            d.hello()
            for peer, answer in ((c, "354 go ahead"), (d, "354 End data")):
                peer.envelope()
                peer.cmd("DATA", answer)
                peer.send(mail() + b".\r\n")
                peer.expect("250")
        d.message(mail())
        c.quit()
        d.quit()
        expect_equal(srv.messages, [mail()] * 3, "messages")


if __name__ == "__main__":
    main(tests_of(sys.modules[__name__]), splice)
