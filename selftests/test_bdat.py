#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""BDAT and CHUNKING (RFC 3030), in both modes."""
import select
import socket
import sys
import threading
from contextlib import nullcontext

from smtplab.client import Client
from smtplab.config import setting, splice
from smtplab.expect import PATIENCE, expect_equal, wait_for
from smtplab.gateway import delta, sessions, stats
from smtplab.helper import stopped_helper
from smtplab.lab import main
from smtplab.mails import chunks, infected, mail, sha
from smtplab.server import Server, Watcher
from smtplab.tap import tests_of

CHUNK = "250 2.0.0 Chunk received$"
BODY = mail("\r\n.\r\n..two dots\r\n" + "x" * 5000 + "\r\n.")


def begun(family=4, **kw):
    c = Client(family=family)
    assert "250-CHUNKING" in c.hello()
    c.envelope(**kw)
    return c


def send(c, body, *sizes):
    c.send(chunks(body, *sizes))
    for _ in sizes:
        c.expect(CHUNK)


def passes(how):
    with how, Server() as srv:
        before = stats()
        for sizes in ((), (100,), (1, 0, 2, 5000), (len(BODY),), (0,) * 70):
            c = begun()
            send(c, BODY, *sizes)
            c.expect("250 2.0.0 queued$")
            c.quit()
        expect_equal([sha(m) for m in srv.messages], [sha(BODY)] * 5, "messages")
        expect_equal(delta(before, "delivered"), 5, "delivered")
        return srv.log


def test_C2_hold():
    """messages by BDAT arrive octet by octet, in one BDAT, dots and all"""
    log = passes(nullcontext())
    expect_equal(log.count(b"BDAT "), 5, "BDATs")
    expect_equal(log.count(b"BDAT %d LAST\r\n" % len(BODY)), 5, "BDATs")


def test_C2_splice():
    """the same while they come in: chunks of the gateway's own, LAST at the end"""
    log = passes(splice())
    expect_equal(log.count(b" LAST\r\n"), 5, "BDATs")
    assert log.count(b"BDAT ") >= 10, "nothing was sent before the verdict"


def test_C6_pipelined():
    """two mails and QUIT at once, the second one is infected"""
    with Server() as srv:
        c = Client()
        c.hello()
        envelope = b"MAIL FROM:<from@lab>\r\nRCPT TO:<to@lab>\r\n"
        c.send(envelope + chunks(BODY, 10) + envelope + chunks(infected()) +
               envelope + chunks(mail()) + b"QUIT\r\n")
        for pattern in ("250", "250", CHUNK, "250 2.0.0 queued$", "250", "250",
                        "554 5.7.1", "250", "250", "250 2.0.0 queued$", "221"):
            c.expect(pattern)
        expect_equal([sha(m) for m in srv.messages], [sha(BODY), sha(mail())],
                     "messages")


def test_C3_swallowed():
    """the octets of a refused chunk are no commands"""
    with Server(script={"RCPT": "550 5.1.1 no\r\n"}) as srv:
        evil = b"MAIL FROM:<evil@lab>\r\nRCPT TO:<b@lab>\r\nQUIT\r\n"
        c = Client()
        c.hello()
        c.send(chunks(evil, 10))
        c.expect("503 5.5.1 MAIL first$")
        c.expect("503 5.5.1 MAIL first$")
        c.cmd("MAIL FROM:<a@lab>", "250")
        c.cmd("RCPT TO:<b@lab>", "550")
        c.send(chunks(evil))
        c.expect("554 5.5.1 No valid recipients$")
        c.quit()
        assert b"evil" not in srv.log and b"BDAT" not in srv.log


def test_C3_hidden():
    """a server without CHUNKING gets none of it"""
    with Server(ehlo=("PIPELINING", "8BITMIME")) as srv:
        c = Client()
        assert "CHUNKING" not in c.hello()
        c.envelope()
        c.send(chunks(b"QUIT\r\n"))
        c.expect("502 5.5.1")
        c.cmd("MAIL FROM:<a@lab> BODY=BINARYMIME", "555 5.5.4")
        c.quit()
        assert b"BDAT" not in srv.log


def test_C4_sizes():
    """sizes that are none end the session, larger ones than anybody reads too"""
    with Server() as srv:
        for size in ("", "-1", "1e3", "18446744073709551615", "10 LASTX",
                     "99999999999999999999"):
            c = begun()
            c.cmd("BDAT " + size, "501 5.5.4 Syntax: BDAT octets")
            assert c.closed()
        c = Client()
        c.hello()
        c.cmd("BDAT 9223372036854775807", "552 5.3.4")
        assert c.closed()
        assert b"BDAT" not in srv.log


def test_C4_cut():
    """a client that leaves inside a chunk"""
    for how in (nullcontext(), splice()):
        with how, Watcher() as srv:
            c = begun()
            c.send(b"BDAT 10\r\n012345678")
            c.sock.shutdown(socket.SHUT_WR)
            c.expect("421 4.4.2")
            wait_for("the end", lambda: srv.ends)
            c.sock.close()
            expect_equal(srv.messages, [], "messages")


def oversize(how):
    with setting("max-message", "100k"), how, Server() as srv:
        before = stats()
        for sizes in ((), (110000,), (60000, 60000)):
            c = begun()
            c.send(chunks(b"x" * 76 + b"\r\n" * 62000, *sizes))
            # the last of them is there when the limit is known to be passed
            for n in sizes[:-1]:
                c.expect(CHUNK)
            c.expect("552 5.3.4")
            if sizes:
                # a server that is amid a chunk of ours can only be left
                c.expect("503 5.5.1 MAIL first$|421 4.3.0 No mail server")
            c.sock.close()
        expect_equal(srv.messages, [], "messages")
        expect_equal(delta(before, "oversize"), 3, "oversize")


def trickle(c, piece, times):
    """Sends a piece now and then, until there is an answer; how often it did."""
    answered = select.poll()
    answered.register(c.sock, select.POLLIN)
    for i in range(times):
        if answered.poll(50):
            return i
        c.send(piece)
    return times


def test_K9_refused_chunk():
    """the octets of a refused chunk earn time, as those of a message do, and no more"""
    with setting("command-timeout", "3s"), Server():
        c = Client()
        c.hello()
        # 100 pieces: more than the time that a command may take
        c.send(b"BDAT 10000\r\n")
        expect_equal(trickle(c, b"x" * 100, 100), 100, "pieces")
        c.expect("503 5.5.1 MAIL first$")
        c.quit()
        c = Client()
        c.hello()
        c.send(b"BDAT 10000\r\n")
        assert trickle(c, b"x", 400) < 400, "no end to it"
        c.expect("421 4.4.2")
        assert c.closed()


def test_C4_oversize():
    """more than the limit, in one chunk and in many: 552 where it is passed"""
    oversize(nullcontext())


def test_C4_oversize_splice():
    """the same in splice mode"""
    oversize(splice())


def test_C5_tiny():
    """20,000 chunks of one octet"""
    body = mail("x" * 20000)
    with Server() as srv:
        c = begun()
        out = chunks(body, *[1] * 20000)
        reader = threading.Thread(target=lambda: c.send(out), daemon=True)
        reader.start()
        for _ in range(20000):
            c.expect(CHUNK)
        c.expect("250 2.0.0 queued$")
        reader.join()
        c.quit()
        expect_equal([sha(m) for m in srv.messages], [sha(body)], "messages")


def test_C7_binarymime():
    """BODY=BINARYMIME: any octets pass, and are scanned as what they may be"""
    body = mail("bare\nlf, bare\rcr\0\r")
    cr = infected().replace(b"\r\n", b"\r")
    for how in (nullcontext(), splice()):
        with how, Server() as srv:
            c = Client()
            assert "BINARYMIME" in c.hello()
            c.cmd("MAIL FROM:<from@lab> BODY=BINARYMIME", "250")
            c.cmd("RCPT TO:<to@lab>", "250")
            c.cmd("DATA", "503 5.5.1")
            send(c, body, 20)
            c.expect("250 2.0.0 queued$")
            c.cmd("MAIL FROM:<from@lab> BODY=BINARYMIME", "250")
            c.cmd("RCPT TO:<to@lab>", "250")
            send(c, cr, 20)
            c.expect("554 5.7.1")
            # text is text
            c.envelope()
            c.send(chunks(body) + b"QUIT\r\n")
            c.expect("550 5.5.2")
            assert c.closed()
            expect_equal([sha(m) for m in srv.messages], [sha(body)], "messages")


def test_abandoned():
    """RSET and QUIT between two chunks"""
    for how in (nullcontext(), splice()):
        with how, Watcher() as srv:
            before = stats()
            c = begun()
            c.send(b"BDAT 10\r\n0123456789")
            c.expect(CHUNK)
            c.cmd("NOOP", "250")
            c.cmd("RCPT TO:<more@lab>", "503 5.5.1")
            c.cmd("RSET", "250 2.0.0 reset$")
            c.send(chunks(b"abc"))
            c.expect("503 5.5.1 MAIL first$")
            c.envelope()
            c.send(chunks(mail(), 5))
            c.expect(CHUNK)
            c.expect("250 2.0.0 queued$")
            c.envelope()
            c.send(b"BDAT 10\r\n0123456789")
            c.expect(CHUNK)
            c.quit()
            wait_for("the end", lambda: srv.ends)
            expect_equal(srv.messages, [mail()], "messages")
            expect_equal(delta(before, "aborted"), 2, "aborted")


def test_stream():
    """splice: the server has 20 MB but for the last octets before LAST is said"""
    body = (b"x" * 76 + b"\r\n") * 268817
    with splice(), Server() as srv:
        c = begun()
        c.send(b"BDAT %d\r\n" % len(body) + body)
        c.expect(CHUNK)
        wait_for("the octets", lambda: sum(
            len(conn.log) for conn in srv.conns) > len(body))
        assert b"LAST" not in srv.log[-100:]
        c.send(b"BDAT 0 LAST\r\n")
        c.expect("250 2.0.0 queued$")
        c.quit()
        expect_equal([sha(m) for m in srv.messages], [sha(body)], "messages")


def refused_chunk(code, lives):
    with splice(), Watcher(script={"CHUNK": code + " 5.3.4 no\r\n"}) as srv:
        c = begun()
        c.send(b"BDAT 10\r\n0123456789")
        c.expect(CHUNK)
        wait_for("the reply", lambda: lives or srv.ends)
        c.send(chunks(b"abc"))
        c.expect(code + " 5.3.4 no$")
        if lives:
            c.cmd("NOOP", "250 2.0.0 ok$")
        else:
            assert c.closed()
        expect_equal(srv.messages, [], "messages")
        c.sock.close()


def test_refused_chunk():
    """splice: a chunk that the server refuses; both legs live on after a 552"""
    refused_chunk("552", True)


def test_refused_chunk_421():
    """splice: and where it says 421, that ends the session"""
    refused_chunk("421", False)


def test_A8_half_chunk():
    """a server that does not read a chunk: the client is held up, none is lost"""
    ready = threading.Event()

    def slow(p):
        ready.wait(PATIENCE)
        line = p.log[p.log.rindex(b"BDAT"):].split(b"\r\n")[0]
        if Server.read_chunk(p, int(line.split()[1])) is None:
            return False
        p.send(b"250 2.0.0 slow\r\n")
        return b" LAST" not in line
    body = (b"x" * 76 + b"\r\n") * 40000
    with splice(), Server(script={"BDAT": slow}):
        c = begun()
        out = chunks(body)
        sender = threading.Thread(target=lambda: c.send(out), daemon=True)
        sender.start()
        wait_for("a chunk", lambda: any(s["state"] == "body" for s in sessions()))
        ready.set()
        c.expect("250 2.0.0 slow$")
        sender.join()
        c.sock.close()


def test_tempfail():
    """no verdict in time: RSET, and both legs live on"""
    for how in (nullcontext(), splice()):
        with how, setting("scan-timeout", "500ms"), Server() as srv:
            c = begun()
            with stopped_helper():
                c.send(chunks(BODY))
                c.expect("451 4.3.0")
            c.envelope()
            c.quit()
            expect_equal(srv.messages, [], "messages")
            assert b" LAST" not in srv.log


if __name__ == "__main__":
    main(tests_of(sys.modules[__name__]))
