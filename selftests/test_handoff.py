#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""The sockets of a session with the helper, and the legs over kTLS.

This process is the helper for TLS here, so that it can do what a good one does
not. There are no handshakes: both ends of each leg are given keys that were
agreed beforehand, so that each record is under the test's control.
"""
import errno
import fcntl
import signal
import socket
import struct
import sys
import termios
import threading
import time

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from smtplab.client import Client
from smtplab.config import no_policies, policy, profile, profiles, setting
from smtplab.expect import PATIENCE, expect_equal, wait_for
from smtplab.gateway import cli, delta, sessions, stats
from smtplab.genl import UAPI, Genl
from smtplab.helper import signal_helpers, unloaded
from smtplab.ktls import (ALERT, CLOSE_NOTIFY, DATA, HANDSHAKE, KEY_UPDATE, TICKET, TLS_RX,
                          TLS_TX, V12, V13, Gone, KtlsClient, KtlsServer, Lent, Records, agreed,
                          ask_for_tls, bypassed, give_keys, hello_again, helper_for_tls,
                          inspected, only_scans, send_record, starttls_by_hand, tls_peer)
from smtplab.lab import main
from smtplab.mails import infected, mail, sha, stuff
from smtplab.net import (CLOSE, CLOSE_WAIT, ESTABLISHED, FIN_WAIT1, LAST_ACK, SERVER4, disconnect,
                         sh, small_window, sysctls, tcp_info)
from smtplab.peer import Peer, octets
from smtplab.server import Server
from smtplab.tap import tests_of


def begin_message(c, data=b"Subject: half\r\n\r\n"):
    """So far, and not to its end."""
    c.envelope()
    c.cmd("DATA", "354")
    c.send(data)


def expect_failed(c, before, srv=None):
    """The session ends: what the client gets, if anything, is TLS."""
    assert c.ends() or c.buf[:3] in (b"\x15\3\3", b"\x17\3\3"), c.buf
    wait_for("the end", lambda: not sessions())
    expect_equal(delta(before, "handshake-failed"), 1, "failed")
    if srv:
        assert not srv.messages


def test_inspect_v4(family=4):
    """a mail in TLS is delivered, an infected one is refused"""
    body = mail("x" * 60000)
    for version in (V12, V13):
        with helper_for_tls() as g, KtlsServer(version) as srv:
            before = stats()
            c = inspected(g, family, version)
            s, = sessions()
            expect_equal((s["tls"], s["state"]), ("inspected", "command"), "tls")
            c.message(body)
            c.message(infected(), "554 5.7.1 .*EICAR|554 5.7.1 .*Eicar")
            c.message(mail("after"))
            c.quit_tls()
            wait_for("two messages", lambda: len(srv.messages) == 2)
            expect_equal(sha(srv.messages[0]), sha(body), "body")
            assert b"X5O!" not in srv.log
            expect_equal(delta(before, "handshakes"), 1, "handshakes")
            expect_equal(c.alerts, [CLOSE_NOTIFY], "alerts for the client")
            wait_for("the end", lambda: not sessions())


def test_inspect_v6():
    """the same over IPv6"""
    test_inspect_v4(6)


def test_request():
    """what the helper is told of a session"""
    with helper_for_tls() as g, KtlsServer():
        c = ask_for_tls()
        lent = Lent(g)
        expect_equal(lent.get("STARTTLS"), b"", "starttls")
        expect_equal(socket.inet_ntoa(lent.get("SERVER")), SERVER4, "server")
        expect_equal(struct.unpack("H", lent.get("CLIENT_PORT"))[0],
                     c.sock.getsockname()[1], "port")
        profile = dict(Genl.attrs(lent.get("TLS")))
        expect_equal(profile[UAPI["A_TLS_PROFILE_SMTPS_PORT"]],
                     struct.pack("H", 465), "profile")
        lent.close()
        lent.done("FAILED", "CLIENT")
        c.sock.close()


def test_smtps():
    """port 465 begins with TLS, the server greets inside it"""
    with helper_for_tls() as g:
        def banner(p):
            tls_peer(p).start_tls()
            p.send(b"220 server.lab ESMTP\r\n")
        with Server(port=465, script={"BANNER": banner}) as srv:
            c = KtlsClient(port=465)
            # connected to the gateway, which may not have begun a session yet
            wait_for("the session", lambda: any(
                s["server-port"] == 465 for s in sessions()))
            lent = Lent(g)
            assert lent.get("STARTTLS") is None
            lent.give_keys()
            lent.close()
            assert lent.done() == b""
            c.start_tls()
            c.expect("220 server.lab")
            hello_again(c)
            c.message(mail("by 465"))
            c.quit_tls()
            wait_for("the message", lambda: len(srv.messages) == 1)


def test_bypassed():
    """what the helper has not touched is relayed unseen, and counted"""
    with helper_for_tls() as g, Server(script={
            "STARTTLS": "220 2.0.0 Ready to start TLS\r\n"}) as srv:
        before = stats()
        c = bypassed(g)
        c.message(infected())
        c.message(mail("y" * 300000))
        c.quit()
        wait_for("the end", lambda: not sessions())
        expect_equal(len(srv.messages), 2, "messages")
        expect_equal(delta(before, "bypass-exempt"), 1, "counted")


def test_I1_not_registered():
    """only the registered socket takes handshakes or ends them"""
    with helper_for_tls() as g, KtlsServer():
        other = Genl()
        assert other.ask("HANDSHAKE_ACCEPT") == errno.EPERM
        assert other.register("TLS") == errno.EBUSY
        c = ask_for_tls()
        lent = Lent(g)
        assert lent.done("INSPECTED", genl=other) == errno.EPERM
        lent.give_keys()
        lent.close()
        assert lent.done() == b""
        assert lent.done() == errno.ENOENT
        c.start_tls()
        hello_again(c)
        c.quit_tls()
        other.sock.close()


def test_I1_lies():
    """keys that are not there, or not as they should be, end the session"""
    def keep(lent):
        lent.kept = lent.client.dup()
        lent.give_keys()

    def half(lent):
        give_keys(lent.client, True)
        give_keys(lent.server, True, directions=(TLS_TX,))

    def one(lent):
        give_keys(lent.client, True)

    for lie in (lambda lent: None, one, half, keep,
                lambda lent: lent.give_keys(V13, V12)):
        # for as long it may be another one who looks at what is kept
        with setting("handshake-timeout", "5s"), helper_for_tls() as g, \
                KtlsServer() as srv:
            before = stats()
            c = ask_for_tls()
            lent = Lent(g)
            lie(lent)
            lent.close()
            assert lent.done() == b""
            expect_failed(c, before, srv)
    # bypassed, but not untouched
    with helper_for_tls() as g, KtlsServer() as srv:
        before = stats()
        c = ask_for_tls()
        lent = Lent(g)
        lent.give_keys()
        lent.close()
        assert lent.done("BYPASSED", "EXEMPT") == b""
        expect_failed(c, before, srv)


def test_K5_files_looked_at():
    """K5: who lists the helper's descriptors has the files, too, for a moment"""
    for result in ("INSPECTED", "BYPASSED"):
        with helper_for_tls() as g, Server(script={
                "STARTTLS": starttls_by_hand if result == "INSPECTED" else
                "220 2.0.0 Ready to start TLS\r\n"}):
            before = stats()
            c = ask_for_tls()
            lent = Lent(g)
            seen = lent.client.dup(), lent.server.dup()
            if result == "INSPECTED":
                lent.give_keys()
            lent.close()
            assert lent.done(result) == b""
            for looked_at in seen:
                for _ in range(3):
                    expect_equal([s["state"] for s in sessions()],
                                 ["handshake"], "states")
                looked_at.close()
            if result == "INSPECTED":
                c.start_tls()
                hello_again(c)
                c.quit_tls()
            else:
                c.quit()
            expect_equal(delta(before, "handshake-failed"), 0, "failed")
            wait_for("the end", lambda: not sessions())


def test_I3_dies():
    """a helper that dies with the sockets, or before it took them"""
    for keys in (False, True):
        with helper_for_tls() as g, KtlsServer() as srv:
            before = stats()
            c = ask_for_tls()
            lent = Lent(g)
            if keys:
                lent.give_keys()
            g.sock.close()
            lent.close()
            expect_failed(c, before, srv)
    with helper_for_tls() as g, KtlsServer() as srv:
        c = ask_for_tls()
        wait_for("a request", lambda: stats()["handshake-queued"] == 1)
        g.sock.close()
        wait_for("its notice", lambda: stats()["helpers"] == 1)
        # the next one does what is left to do
        heir = Genl()
        assert heir.register("TLS") == b""
        lent = Lent(heir)
        lent.give_keys()
        lent.close()
        assert lent.done() == b""
        c.start_tls()
        hello_again(c)
        c.quit_tls()
        heir.sock.close()


def test_I3_timeout():
    """a helper that is too slow loses: its sockets are dead, its answer late"""
    for keys in (False, True):
        with setting("handshake-timeout", "3s"), helper_for_tls() as g, \
                KtlsServer() as srv:
            before = stats()
            c = ask_for_tls()
            lent = Lent(g)
            if keys:
                lent.give_keys()
            expect_failed(c, before, srv)
            assert lent.done() == errno.ENOENT
            try:
                lent.client.send(b"still here?")
                raise AssertionError("the socket lives")
            except OSError as e:
                assert e.errno in (errno.EPIPE, errno.ECONNABORTED,
                                   errno.ECONNRESET, errno.ENOTCONN), e
            lent.close()


def test_server_leaves():
    """a server that goes between its keys and the answer: 421 inside TLS"""
    def fin(p):
        p.sock.shutdown(socket.SHUT_WR)

    for leave, state in ((fin, CLOSE_WAIT), (Peer.reset, CLOSE)):
        with helper_for_tls() as g, KtlsServer() as srv:
            c = ask_for_tls()
            lent = Lent(g)
            lent.give_keys()
            c.start_tls()
            leave(srv.conns[0])
            wait_for("the end", lambda: tcp_info(lent.server)[0] == state)
            lent.close()
            assert lent.done() == b""
            c.expect("421 4.4.2 ")
            assert c.ends(), c.buf
            expect_equal(c.alerts, [CLOSE_NOTIFY], "alerts for the client")


def test_I3_done_race():
    """an answer and the time-out at the same moment: one of them wins"""
    with setting("handshake-timeout", "200ms"), helper_for_tls() as g, \
            KtlsServer():
        for i in range(20):
            c = ask_for_tls()
            try:
                lent = Lent(g)
                try:
                    lent.give_keys()
                except OSError as e:
                    # the time was up before
                    expect_equal((e.errno, lent.done()),
                                 (errno.ENOTCONN, errno.ENOENT), "too late")
                lent.close()
                time.sleep(i * 0.02)
                answer = lent.done()
                assert answer in (b"", errno.ENOENT), answer
            except Gone:
                pass
            c.sock.close()
        wait_for("the end", lambda: not sessions())


def test_A1_injected():
    """A1, A2: plain text behind STARTTLS or its 220 ends the session"""
    with helper_for_tls() as g:
        with KtlsServer():
            for tail in (b"RSET\r\n", b"EHLO x\r\n", b"M"):
                c = KtlsClient()
                c.hello()
                c.send(b"STARTTLS\r\n" + tail)
                c.expect("554 5.5.0 ")
                assert c.closed()
        for tail in ("250-evil\r\n250 AUTH LOGIN\r\n", "2"):
            with Server(script={"STARTTLS": "220 go\r\n" + tail}):
                c = KtlsClient()
                c.hello()
                c.send(b"STARTTLS\r\n")
                c.expect("421 4.3.0 ")
                assert c.closed()
        assert g.ask("HANDSHAKE_ACCEPT") == errno.EAGAIN


def test_A3_no_tls_now():
    """without a helper for TLS the client is told so and goes on in clear"""
    with KtlsServer() as srv:
        c = Client()
        c.hello()
        c.cmd("STARTTLS", "454 4.7.0 ")
        c.message(mail("in clear"))
        c.quit()
        assert "STARTTLS" not in srv.log.decode("latin-1")


def test_A5_close_notify():
    """close_notify is the end: nothing behind it is read, as data or as text"""
    with helper_for_tls() as g:
        for where in ("command", "body"):
            with KtlsServer() as srv:
                c = inspected(g)
                if where == "body":
                    begin_message(c)
                c.send(b"NO")
                send_record(c.sock, ALERT, CLOSE_NOTIFY)
                c.send(b"OP\r\n")
                c.sock.shutdown(socket.SHUT_WR)
                c.ends()
                wait_for("the end", lambda: not sessions())
                assert b"NOOP" not in srv.log, srv.log
                assert not srv.messages


def test_A6_plain_after_close_notify():
    """a peer that goes on in plain text is not heard"""
    with helper_for_tls() as g, KtlsServer() as srv:
        c = inspected(g)
        begin_message(c)
        send_record(c.sock, ALERT, CLOSE_NOTIFY)
        raw(c.sock, b"\r\n.\r\n")
        wait_for("the end", lambda: not sessions())
        assert not srv.messages
        c.sock.close()


def test_A6_anywhere():
    """nor in a dialogue of AUTH, nor while its message is scanned"""
    with helper_for_tls() as g:
        with KtlsServer(script={"AUTH": "334 VXNlcg==\r\n"}) as srv:
            c = inspected(g)
            c.cmd("AUTH LOGIN", "334")
            c.send(b"dXNl")
            send_record(c.sock, ALERT, CLOSE_NOTIFY)
            raw(c.sock, b"cg==\r\n")
            wait_for("the end", lambda: not sessions())
            assert b"dXNl" not in srv.log, srv.log
            c.sock.close()
        with KtlsServer() as srv:
            c = inspected(g)
            c.envelope()
            c.cmd("DATA", "354")
            signal_helpers(signal.SIGSTOP)
            try:
                c.send(mail("held") + b".\r\n")
                wait_for("its scan", lambda: [
                    s["state"] for s in sessions()] == ["scan"])
                send_record(c.sock, ALERT, CLOSE_NOTIFY)
                raw(c.sock, b"NOOP\r\n")
            finally:
                signal_helpers(signal.SIGCONT)
            wait_for("the end", lambda: not sessions())
            assert b"NOOP" not in srv.log, srv.log
            c.sock.close()


def test_A6_server():
    """the same at the server's end, amid a reply and before one"""
    def end(p):
        send_record(p.sock, ALERT, CLOSE_NOTIFY)
        raw(p.sock, b"250 2.0.0 ok\r\n")
        rest_of(p)
        return False

    def half(p):
        p.send(b"250-2.0.0 o")
        return end(p)

    with helper_for_tls() as g:
        for verb in ("MAIL", "BODY"):
            for reply in (end, half):
                with KtlsServer(script={verb: reply}):
                    c = inspected(g)
                    if verb == "MAIL":
                        c.cmd("MAIL FROM:<from@lab>", "421 4")
                    else:
                        c.message(mail(), "4[25]1 4")
                    c.ends()
                    wait_for("the end", lambda: not sessions())
                    c.sock.close()


def rest_of(p):
    """Waits until the other end is gone."""
    try:
        while p.fill():
            pass
    except OSError:
        pass


def raw(sock, data):
    """Writes octets below kTLS: by a record that no TLS would make."""
    send_record(sock, 0x0d, data)


def test_truncated():
    """a FIN without close_notify inside a message is no end of it"""
    with helper_for_tls() as g, KtlsServer() as srv:
        c = inspected(g)
        begin_message(c, b"Subject: half\r\n\r\n.\r")
        c.sock.shutdown(socket.SHUT_WR)
        c.expect("421 4.4.2 ")
        c.ends()
        wait_for("the end", lambda: not sessions())
        assert not srv.messages


def test_A7_tickets():
    """session tickets of the server are no data, wherever they come"""
    def ticket(p):
        for _ in range(3):
            send_record(p.sock, HANDSHAKE, TICKET)

    def greet(p):
        ticket(p)
        p.send(b"250-server.lab\r\n250 PIPELINING\r\n")

    def split(p):
        for octet in TICKET:
            send_record(p.sock, HANDSHAKE, bytes([octet]))
        send_record(p.sock, HANDSHAKE, TICKET + TICKET + b"\4\0\4\0")
        send_record(p.sock, HANDSHAKE, bytes(1024))
        p.send(b"250 2.0.0 ok\r\n")

    with helper_for_tls() as g, KtlsServer(script={
            "NOOP": split, "RSET": lambda p: (
                p.send(b"250 "), ticket(p), p.send(b"ok\r\n"))[3:]}) as srv:
        c = inspected(g)
        ticket(srv.conns[0])
        c.cmd("NOOP", "250 2.0.0 ok")
        c.cmd("RSET", "250 ok")
        c.message(mail("behind tickets"))
        c.quit_tls()
        expect_equal(len(srv.messages), 1, "messages")


def test_A7_key_update():
    """new keys, renegotiation and the like end the session, told as 421"""
    with helper_for_tls() as g:
        for who in ("client", "server"):
            for record in (KEY_UPDATE, b"\0\0\0\0", b"\1\0\0\4abcd", b"\x18"):
                with KtlsServer() as srv:
                    c = inspected(g)
                    p = c if who == "client" else srv.conns[0]
                    send_record(p.sock, HANDSHAKE, record)
                    c.expect("421 4")
                    assert c.ends()
                    wait_for("the end", lambda: not sessions())
                    assert c.alerts, "no alert"


def test_A7_new_keys():
    """new keys of either peer, at any place, asked for or not"""
    def ask_amid(p):
        p.records.update(1)
        p.send(b"354 go ahead\r\n")
        with srv.lock:
            srv.messages.append(Server.read_body(p))
        p.records.update(1)
        p.send(b"250 2.0.0 queued\r\n")

    body = mail("x" * 100000)
    with helper_for_tls() as g, Server(script={
            "STARTTLS": starttls_by_hand}) as srv:
        c = inspected(g, secrets=True, start=Records)
        for p, ask in ((c, 0), (c, 1), (srv.conns[0], 0), (srv.conns[0], 1)):
            before = p.records.updates
            p.records.update(ask)
            c.cmd("NOOP", "250 2.0.0 ok")
            expect_equal(p.records.updates - before, ask, "key updates of ours")
        # many at once: one of ours may answer several
        before = c.records.updates
        for i in range(20):
            c.records.update(i % 2)
        c.cmd("NOOP", "250")
        assert 0 < c.records.updates - before <= 10, c.records.updates
        # inside a message
        c.envelope()
        c.cmd("DATA", "354")
        for at in range(0, len(body), 30000):
            c.send(body[at:at + 30000])
            c.records.update(1)
        c.send(b".\r\n")
        c.expect("250")
        expect_equal(sha(srv.messages[-1]), sha(body), "body")
        c.message(infected(), "554 5.7.1 ")
        c.cmd("QUIT", "221")
        assert not c.fill()
        c.sock.close()
        expect_equal(c.records.alerts, [CLOSE_NOTIFY], "alerts")
    # of the server's, before and behind a large message
    with helper_for_tls() as g, Server(script={
            "STARTTLS": starttls_by_hand, "DATA": ask_amid}) as srv:
        c = inspected(g, secrets=True)
        for _ in range(2):
            c.message(mail("y" * 300000))
        expect_equal([sha(m) for m in srv.messages],
                     [sha(mail("y" * 300000))] * 2, "bodies")
        c.cmd("NOOP", "250")
        expect_equal(srv.conns[0].records.updates, 4, "key updates of ours")
        c.quit_tls()


def test_A7_key_update_broken():
    """a key update that is none, or not the last of its record, is the end"""
    with helper_for_tls() as g:
        for record in (b"\x18\0\0\1\2", b"\x18\0\0\2\0\0", KEY_UPDATE[:4],
                       KEY_UPDATE * 2, KEY_UPDATE + TICKET, b"\x18" + bytes(600)):
            for who in ("client", "server"):
                with KtlsServer() as srv:
                    c = inspected(g, secrets=True)
                    p = c if who == "client" else srv.conns[0]
                    send_record(p.sock, HANDSHAKE, record)
                    c.expect("421 4")
                    assert c.ends() and c.alerts
                    wait_for("the end", lambda: not sessions())


def test_I1_secrets():
    """secrets that no hash has are refused, and the request stays"""
    with helper_for_tls() as g, KtlsServer():
        c = ask_for_tls()
        lent = Lent(g)
        lent.give_keys()
        lent.close()
        for size in (0, 1, 20, 63, 65, 95, 98):
            expect_equal(lent.done(HANDSHAKE_SERVER_SECRETS=bytes(size)),
                         errno.EINVAL, "%d octets" % size)
        assert lent.done_with_secrets() == b""
        c.start_tls()
        hello_again(c)
        c.quit_tls()


def test_A7_in_body():
    """the same inside a message, which is dropped"""
    with helper_for_tls() as g, KtlsServer() as srv:
        c = inspected(g)
        begin_message(c)
        send_record(c.sock, HANDSHAKE, KEY_UPDATE)
        c.expect("421 4")
        assert c.ends()
        wait_for("the end", lambda: not sessions())
        assert not srv.messages


def test_alerts():
    """a fatal alert of a peer, or a record that cannot be, is the end"""
    with helper_for_tls() as g:
        for kind, data in ((ALERT, b"\2\x28"), (ALERT, b"\1"), (20, b"\1"),
                           (99, b"NOOP\r\n")):
            for who in ("client", "server"):
                with KtlsServer() as srv:
                    c = inspected(g)
                    p = c if who == "client" else srv.conns[0]
                    send_record(p.sock, kind, data)
                    if who == "server":
                        c.expect("421 4")
                    c.ends()
                    wait_for("the end", lambda: not sessions())


def test_bad_record():
    """a record under a wrong key ends the session"""
    with helper_for_tls() as g, KtlsServer() as srv:
        c = agreed(g)
        c.send(b"\x17\3\3\0\x20" + bytes(32))
        wait_for("the end", lambda: not sessions())
        assert not srv.messages
        c.sock.close()


def test_A8_tiny_records():
    """empty records, and records of one octet, are data like any other"""
    n = octets(2000, 200)
    body = mail("z" * n)
    with helper_for_tls() as g, KtlsServer() as srv:
        c = inspected(g)
        c.envelope()
        c.cmd("DATA", "354")
        for octet in stuff(body):
            c.send(bytes([octet]))
        c.send(b".\r\n")
        c.expect("250")
        c.quit_tls()
        expect_equal(srv.messages, [body], "message")


def test_big_both_ways():
    """messages of many records, in pieces of odd sizes"""
    with helper_for_tls() as g, KtlsServer() as srv:
        c = inspected(g)
        for size in (16384, 16385, 1000003):
            body = mail("0123456789abcdef\r\n" * (size // 18))
            c.message(body)
            expect_equal(sha(srv.messages[-1]), sha(body), size)
        c.quit_tls()


def test_record_sizes():
    """a message goes to the server in records as long as TLS has them"""
    with helper_for_tls() as g, Server(script={
            "STARTTLS": starttls_by_hand}) as srv:
        c = inspected(g)
        body = mail(("z" * 76 + "\r\n") * 15000)
        for i in range(1, 4):
            before = len(srv.conns[0].records.sizes) if i > 1 else 0
            c.message(body)
            sizes = srv.conns[0].records.sizes[before:]
            full = sizes.count(16384)
            expect_equal(full, len(body) // 16384, "full records of %s" % sizes)
        c.quit_tls()
        expect_equal([sha(m) for m in srv.messages], [sha(body)] * 3, "bodies")


def test_K1_tail():
    """K1: no FIN overtakes what waits for a client that reads late"""
    text = "".join("214-%070d\r\n" % i for i in range(180)) + "214 end\r\n"
    with sysctls("gw", {"ipv4/tcp_wmem": "4096 4096 4096"}), \
            helper_for_tls() as g, KtlsServer(script={"HELP": text}):
        c = KtlsClient(prepare=small_window)
        c.hello()
        c.cmd("STARTTLS", "220 2.0.0 Ready to start TLS$")
        lent = Lent(g)
        lent.give_keys()
        lent.close()
        assert lent.done() == b""
        c.start_tls()
        hello_again(c)
        c.send(b"HELP\r\nQUIT\r\n")
        wait_for("close", lambda: [s["state"] for s in sessions()] == ["close"])
        expect_equal(len(c.expect("214")), len(text) - 182, "its length")
        c.expect("221 ")
        assert c.ends(), c.buf
        expect_equal(c.alerts, [CLOSE_NOTIFY], "alerts")
        wait_for("the end", lambda: not sessions())


def test_relay_reset():
    """relay: a server that resets, with octets for it unsent, resets the client"""
    stop = threading.Event()

    def starttls(p):
        p.send(b"220 2.0.0 Ready to start TLS\r\n")
        stop.wait(PATIENCE)
        p.reset()
        return False

    with helper_for_tls() as g, Server(script={"STARTTLS": starttls},
                                       prepare=small_window):
        c = bypassed(g)
        c.sock.settimeout(1)
        try:
            while True:
                c.sock.send(b"z" * 65536)
        except socket.timeout:
            pass
        stop.set()
        c.sock.settimeout(PATIENCE)
        try:
            got = c.sock.recv(100)
            raise AssertionError("the client got %r" % got)
        except ConnectionResetError:
            pass
        c.sock.close()
        wait_for("the end", lambda: not sessions())


def test_relay_half_close():
    """relay: what a client says after the server's FIN arrives, all of it"""
    got, fin, go = [], threading.Event(), threading.Event()

    def starttls(p):
        p.send(b"220 2.0.0 Ready to start TLS\r\n")
        fin.wait(PATIENCE)
        p.sock.shutdown(socket.SHUT_WR)
        go.wait(PATIENCE)
        n = 0
        while True:
            data = p.sock.recv(65536)
            if not data:
                break
            n += len(data)
        got.append(n)
        return False

    with helper_for_tls() as g, Server(script={"STARTTLS": starttls},
                                       prepare=small_window):
        c = bypassed(g)
        fin.set()
        assert c.sock.recv(10) == b""
        n = 60000
        c.sock.sendall(b"z" * n)
        c.sock.shutdown(socket.SHUT_WR)
        # the gateway has all of it, and both FINs
        wait_for("the client's end", lambda: tcp_info(c.sock)[0] not in (
            ESTABLISHED, FIN_WAIT1, CLOSE_WAIT, LAST_ACK))
        go.set()
        wait_for("the server", lambda: got)
        c.sock.close()
        wait_for("the end", lambda: not sessions())
        expect_equal(got, [n], "octets")


def test_A1_urgent():
    """A1: plain text behind STARTTLS is not hidden by an urgent octet"""
    go = threading.Event()

    def starttls(p):
        go.wait(PATIENCE)
        p.send(b"220 2.0.0 Ready to start TLS\r\n")

    with helper_for_tls() as g, Server(script={"STARTTLS": starttls}) as srv:
        c = KtlsClient()
        c.hello()
        c.send(b"STARTTLS\r\n")
        wait_for("it at the server", lambda: b"STARTTLS" in srv.log)
        c.sock.send(b"X", socket.MSG_OOB)
        c.send(b"RSET\r\n")
        wait_for("it in the gateway", lambda: not any(
            fcntl.ioctl(c.sock, termios.TIOCOUTQ, bytes(4))))
        go.set()
        c.expect("554 5.5.0 ")
        c.sock.close()
        assert g.ask("HANDSHAKE_ACCEPT") == errno.EAGAIN


def test_I1_redirected():
    """a socket that the helper has connected elsewhere is not taken back"""
    with helper_for_tls() as g, KtlsServer(), Server(port=2525) as other:
        before = stats()
        c = ask_for_tls()
        lent = Lent(g)
        disconnect(lent.server)
        lent.server.setblocking(True)
        lent.server.connect((SERVER4, 2525))
        wait_for("the other server", lambda: other.conns)
        lent.close()
        lent.done("BYPASSED", "EXEMPT")
        expect_failed(c, before)
        c.sock.close()


def test_bypass_no_helper():
    """starttls bypass needs no helper"""
    with profile("bypass", "starttls", "bypass"), no_policies(), \
            policy("bypass", "iif", "lan", "port", "25", "tls", "bypass"), \
            Server(script={"STARTTLS": "220 2.0.0 go\r\n"}):
        before = stats()
        c = Client()
        c.hello()
        c.cmd("STARTTLS", "220")
        c.cmd("NOOP", "250")
        expect_equal(delta(before, "bypass-policy"), 1, "counted")
        c.quit()
        wait_for("the end", lambda: not sessions())


def test_smtps_no_server():
    """port 465: a client that speaks TLS gets no plain text"""
    with helper_for_tls():
        c = KtlsClient(port=465)
        assert c.ends(), c.buf
        c.sock.close()
        wait_for("the end", lambda: not sessions())


def test_A3_require_helo():
    """starttls require: HELO instead of EHLO is no way around it"""
    with helper_for_tls(), profile("require", "starttls", "require"), \
            no_policies(), \
            policy("require", "iif", "lan", "port", "25", "tls", "require"), \
            KtlsServer():
        c = Client()
        c.expect("220 ")
        c.cmd("HELO client.lab", "250")
        c.cmd("MAIL FROM:<a@b>", "530")
        c.quit()


def test_M4_require_refused_ehlo():
    """starttls require: nor is an EHLO that the server refuses, before or after another"""
    def ehlo(p):
        named = p.log.rstrip().split(b"\r\n")[-1] != b"EHLO"
        p.send(b"250-server.lab\r\n250 STARTTLS\r\n" if named else b"501 5.5.4 no\r\n")
    with helper_for_tls(), profile("require", "starttls", "require"), \
            no_policies(), \
            policy("require", "iif", "lan", "port", "25", "tls", "require"), \
            KtlsServer(script={"EHLO": ehlo}) as srv:
        for lines in (("EHLO", "HELO client.lab"),
                      ("EHLO client.lab", "EHLO", "HELO client.lab")):
            c = Client()
            c.expect("220 ")
            for line in lines:
                c.cmd(line, "501" if line == "EHLO" else "250")
            c.cmd("MAIL FROM:<a@b>", "530 5.7.0")
            c.cmd("AUTH PLAIN c2VjcmV0", "530 5.7.0")
            c.quit()
        assert b"MAIL" not in srv.log and b"c2VjcmV0" not in srv.log, srv.log


def test_bad_record_alert():
    """the sender of a record under a wrong key gets the alert for it"""
    with helper_for_tls() as g, KtlsServer():
        c = agreed(g)
        give_keys(c.sock, False, directions=(TLS_RX,))
        c.alerts = []
        c.sock.send(b"\x17\3\3\0\x20" + bytes(32))
        c.ends()
        expect_equal(c.alerts, [b"\2\x14"], "alerts")
        c.sock.close()
        wait_for("the end", lambda: not sessions())


def test_user_canceled():
    """user_canceled before close_notify is no error (RFC 8446 6.1)"""
    with helper_for_tls() as g, KtlsServer():
        c = inspected(g)
        c.send(b"QUIT\r\n")
        send_record(c.sock, ALERT, b"\1\x5a")
        send_record(c.sock, ALERT, CLOSE_NOTIFY)
        c.expect("221 ")
        assert c.ends()
        expect_equal(c.alerts, [CLOSE_NOTIFY], "alerts")
        c.sock.close()


def records(seq, contents):
    """TLS 1.3 records of data, as the client's (see give_keys)."""
    aead = AESGCM(b"\x22" * 16)
    iv = int.from_bytes(b"saltiviviviv", "big")

    def record(i, content):
        head = b"\x17\3\3" + struct.pack(">H", len(content) + 17)
        return head + aead.encrypt((iv ^ i).to_bytes(12, "big"),
                                   content + bytes([DATA]), head)
    return b"".join(record(seq + i, c) for i, c in enumerate(contents))


def test_A8_flood():
    """A8: empty records without end keep no session beyond its time"""
    # most are there before the state that they keep busy begins
    first = records(0, [b"NOOP\r\n"] + [b""] * 19999)
    with setting("command-timeout", "2s"), \
            setting("handshake-timeout", "600s"), \
            helper_for_tls() as g, KtlsServer():
        c = ask_for_tls()
        lent = Lent(g)
        lent.give_keys()
        lent.close()
        stop = threading.Event()

        def flood():
            seq, ready = 20000, first
            try:
                while not stop.is_set():
                    c.sock.sendall(ready)
                    ready = records(seq, [b""] * 4000)
                    seq += 4000
            except OSError:
                pass
        t = threading.Thread(target=flood)
        t.start()
        try:
            assert lent.done() == b""
            wait_for("the end", lambda: not any(
                s["state"] in ("handshake", "command") for s in sessions()))
        finally:
            stop.set()
            c.reset()
            t.join()
        wait_for("the end", lambda: not sessions())


def test_large_profile():
    """a profile as large as can be is listed, and the others with it"""
    label = ".".join(["n" * 60] * 4)
    names = ["%s.%d" % (label, i) for i in range(30)]
    cli("tls", "set", "default", "exempt-name", ",".join(names))
    try:
        p = {p["name"]: p for p in profiles()}
        expect_equal(p["default"]["exempt-name"], names, "names")
        assert "lab" in p
        r = sh("smtpsplice", "tls", "set", "default", "exempt-name",
               ",".join(names + ["m%s.%d" % (label, i) for i in range(9)]),
               ns="gw", check=False)
        assert r.returncode == 1 and "too large" in r.stderr, r.stderr
    finally:
        cli("tls", "set", "default", "exempt-name", "none")


def test_kill_sessions():
    """the module goes while sockets are lent, inspected and relayed"""
    with helper_for_tls() as g, KtlsServer() as srv:
        live = inspected(g)
        asked = [ask_for_tls() for _ in range(3)]
        kept = [Lent(g) for _ in range(2)]
        kept[1].give_keys()
        with unloaded():
            for c in [live] + asked:
                c.ends()
                c.sock.close()
            for lent in kept:
                lent.close()
        assert not srv.messages


if __name__ == "__main__":
    main(tests_of(sys.modules[__name__]), only_scans)
