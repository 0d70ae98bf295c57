#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""A server that leaves while a message is held: another connection gets its
envelope again, so that the message costs the client nothing (K6)."""
import socket
import sys

from smtplab.client import Client
from smtplab.config import av, setting, splice
from smtplab.expect import expect_equal, wait_for
from smtplab.gateway import counted, delta, sessions, stats
from smtplab.helper import stopped_helper, unloaded
from smtplab.lab import main
from smtplab.mails import infected, mail, stuff
from smtplab.net import nft, tcp_sockets
from smtplab.peer import Peer
from smtplab.server import Server
from smtplab.tap import tests_of
from smtplab.tls import TlsServer, inspected

NO_SYN = "chain in { type filter hook input priority 0; tcp flags syn tcp dport 25 drop; }"
LOST = "451 4.4.2 Connection to the mail server lost"
ENVELOPE = (b"EHLO client.lab\r\nMAIL FROM:<from@lab> BODY=8BITMIME\r\n"
            b"RCPT TO:<one@lab>\r\nRCPT TO:<two@lab> NOTIFY=NEVER\r\n")


def begun(*auth):
    """A client amid a message, one of whose recipients was refused."""
    c = Client()
    c.hello()
    for line in auth:
        c.cmd(line, "235")
    c.cmd("MAIL FROM:<from@lab> BODY=8BITMIME", "250")
    c.cmd("RCPT TO:<one@lab>", "250")
    c.cmd("RCPT TO:<no@lab>", "550")
    c.cmd("RCPT TO:<two@lab> NOTIFY=NEVER", "250")
    c.cmd("DATA", "354")
    return c


def rcpt(p):
    p.send(b"550 5.1.1 no\r\n" if b"<no@" in p.log.splitlines()[-1] else b"250 ok\r\n")


def server(**script):
    return Server(script={"RCPT": rcpt, "AUTH": "235 2.7.0 ok\r\n", **script})


def fin(p):
    try:
        p.sock.shutdown(socket.SHUT_WR)
    except OSError:
        pass    # the gateway was faster


def bye(p):
    p.send(b"421-4.4.2 you are\r\n421 4.4.2 too slow\r\n")
    fin(p)


def dismiss(p):
    p.send(b"421 4.4.2 too slow\r\n")


def left():
    """Has the gateway noticed that the server left?"""
    return not any(port == 25 and state == 1
                   for _, port, state in tcp_sockets("gw"))


LEAVES = (fin, bye, dismiss, Peer.reset)


def test_K6_in_body():
    """it leaves while the message comes in: by FIN, by RST, or with a 421"""
    for leave in LEAVES:
        with server() as srv, counted(redials=1, delivered=2, aborted=0,
                                      refused_by_server=0):
            c = begun()
            c.send(b"Subject: test\r\n")
            leave(srv.conns[0])
            wait_for("the end of the leg", left)
            c.send(b"\r\n..two dots\r\n.\r\n")
            c.expect("250")
            expect_equal(srv.messages, [b"Subject: test\r\n\r\n.two dots\r\n"],
                         "messages")
            expect_equal(bytes(srv.conns[1].log),
                         ENVELOPE + b"DATA\r\nSubject: test\r\n\r\n..two dots\r\n.\r\n",
                         "what the second connection heard")
            # and it is as good as the first
            c.message(mail())
            c.quit()
            expect_equal(len(srv.conns), 2, "connections")
            wait_for("the end", lambda: not sessions())
            expect_equal(stats()["held"], 0, "held")


def test_K6_in_scan():
    """the same while it is scanned"""
    for leave in LEAVES:
        with server() as srv, counted(redials=1, delivered=1):
            with stopped_helper():
                c = begun()
                c.send(mail() + b".\r\nQUIT\r\n")
                wait_for("the scan", lambda: [s["state"] for s in sessions()] == ["scan"])
                leave(srv.conns[0])
                wait_for("the end of the leg", left)
            c.expect("250")
            c.expect("221")
            assert c.closed()
            expect_equal(srv.messages, [mail()], "messages")


def test_K6_at_the_end():
    """it leaves just as the message ends, which needs no scan"""
    with av("av-scan", "disable"), server() as srv, \
            counted(redials=30, delivered=30):
        for _ in range(30):
            c = begun()
            c.send(b"Subject: test\r\n")
            wait_for("the body", lambda: any(s["held"] for s in sessions()))
            fin(srv.conns[-1])
            c.send(b"\r\nx\r\n.\r\n")
            c.expect("250")
            c.quit()
            wait_for("the end", lambda: not sessions())


def test_K6_bdat():
    """the same of a message by chunks"""
    with server() as srv, counted(redials=1, delivered=1):
        c = Client()
        c.hello()
        c.envelope()
        c.send(b"BDAT %d\r\n" % len(mail()) + mail())
        c.expect("250")
        fin(srv.conns[0])
        wait_for("the end of the leg", left)
        c.send(b"BDAT 5 LAST\r\nmore!")
        c.expect("250")
        expect_equal(srv.messages, [mail() + b"more!"], "messages")
        c.quit()


def test_K6_infected():
    """an infected mail is refused as ever, and there is no other connection"""
    with server() as srv, counted(redials=0, infected=1):
        c = begun()
        fin(srv.conns[0])
        wait_for("the end of the leg", left)
        c.send(stuff(infected()) + b".\r\n")
        c.expect("554 5.7.1")
        c.cmd("QUIT", "221")
        expect_equal(len(srv.conns), 1, "connections")


def test_K6_refused():
    """what the server does not want again: 451, and the session ends"""
    def second(reply):
        def answer(p):
            if p is not srv.conns[0]:
                p.send(reply)
            else:
                p.send(b"220 server.lab ESMTP\r\n")
        return answer

    def refused(**script):
        with counted(redials=1, delivered=0, refused_by_server=1):
            c = begun()
            leave(srv.conns[0])
            wait_for("the end of the leg", left)
            c.send(mail() + b".\r\n")
            c.expect(LOST)
            c.cmd("MAIL FROM:<from@lab>", "421")
            assert c.closed()
            wait_for("the end", lambda: not sessions())
            expect_equal(srv.messages, [], "messages")

    def rcpt_once(p):
        if p is srv.conns[0]:
            rcpt(p)
        else:
            p.send(b"452 4.2.2 full\r\n")

    def first_only(p):
        return p is srv.conns[0] and p.send(b"220 server.lab\r\n") is None

    for leave in (fin, bye):
        with server(BANNER=second(b"554 5.3.2 no\r\n")) as srv:
            refused()
        with server(RCPT=rcpt_once) as srv:
            refused()
        # it goes again, amid its envelope
        with server(BANNER=first_only) as srv:
            refused()


def test_K6_no_connection():
    """nobody is there any more: 451"""
    with server() as srv, counted(redials=1, dial_failed=1):
        c = begun()
        fin(srv.conns[0])
        wait_for("the end of the leg", left)
        srv.close()
        srv.listeners.clear()
        c.send(mail() + b".\r\n")
        c.expect(LOST)
        c.cmd("QUIT", "221")


def test_K6_no_answer():
    """the SYN is lost: 451 in time"""
    with server() as srv, counted(redials=1, timeout=1, dial_failed=1):
        c = begun()
        fin(srv.conns[0])
        wait_for("the end of the leg", left)
        with setting("dial-timeout", "1s"), nft("server", "inet", NO_SYN):
            c.send(mail() + b".\r\n")
            c.expect(LOST)
        c.cmd("QUIT", "221")


def test_K6_client_leaves():
    """the client leaves meanwhile: before, amid and behind the dial"""
    with server() as srv:
        c = begun()
        fin(srv.conns[0])
        wait_for("the end of the leg", left)
        c.reset()
        wait_for("the end", lambda: not sessions())
    with server() as srv:
        c = begun()
        fin(srv.conns[0])
        wait_for("the end of the leg", left)
        before = stats()
        with nft("server", "inet", NO_SYN):
            c.send(mail() + b".\r\n")
            wait_for("the dial", lambda: delta(before, "redials"))
            c.reset()
            wait_for("the end", lambda: not sessions())
    def silent(p):
        if p is srv.conns[0]:
            p.send(b"220 server.lab\r\n")

    with server(BANNER=silent) as srv:
        c = begun()
        fin(srv.conns[0])
        wait_for("the end of the leg", left)
        c.send(mail() + b".\r\n")
        wait_for("the dial", lambda: len(srv.conns) == 2)
        c.reset()
        wait_for("the end", lambda: not sessions())
        expect_equal(stats()["held"], 0, "held")


def test_K6_not_with_auth():
    """who has logged in has to do so again: 421"""
    for leave in (fin, Peer.reset):
        with server() as srv, counted(redials=0, aborted=1):
            c = begun("AUTH PLAIN AGEAYg==")
            c.send(b"half a message\r\n")
            leave(srv.conns[0])
            c.expect("421 4.4.2")
            assert c.closed()
    with server() as srv, counted(redials=0, aborted=1), stopped_helper():
        c = begun("AUTH PLAIN AGEAYg==")
        c.send(mail() + b".\r\n")
        wait_for("the scan", lambda: [s["state"] for s in sessions()] == ["scan"])
        Peer.reset(srv.conns[0])
        c.expect("421 4.4.2")
        assert c.closed()
        wait_for("the end", lambda: not sessions())
        expect_equal(stats()["held"], 0, "held")
    with server() as srv, counted(redials=0, aborted=1):
        c = begun("AUTH PLAIN AGEAYg==")
        dismiss(srv.conns[0])
        c.expect("421 4.4.2 too slow")
        assert c.closed()


def test_K6_not_in_tls():
    """nor inside TLS, whose handshake the client has had: 421"""
    with TlsServer() as srv, counted(redials=0):
        c = inspected()
        c.envelope()
        c.cmd("DATA", "354")
        srv.conns[0].reset()
        c.expect("421 4.4.2")


def test_K6_not_in_splice():
    """nor where the server has a part of the message"""
    with splice(), server() as srv, counted(redials=0):
        c = begun()
        fin(srv.conns[0])
        c.send(b"a line\r\n.\r\n")
        c.expect("451 4.4.2")


def test_K6_rmmod():
    """the module goes while the message is dialled for"""
    with server() as srv:
        clients = [begun() for _ in range(3)]
        for p in srv.conns:
            fin(p)
        wait_for("the end of the legs", left)
        with nft("server", "inet", NO_SYN):
            before = stats()
            for c in clients[1:]:
                c.send(mail() + b".\r\n")
            wait_for("the dials", lambda: delta(before, "redials") == 2)
            with unloaded():
                pass
        for c in clients:
            c.sock.close()


if __name__ == "__main__":
    main(tests_of(sys.modules[__name__]))
