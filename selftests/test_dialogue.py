#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""The main job and the SMTP dialogue, over real sockets through the gateway.

Each dialogue runs twice: once as it comes, and once with one octet a segment
both ways.
"""
import json
import os
import select
import socket
import sys
import threading
from contextlib import contextmanager

from smtplab.client import Client
from smtplab.config import setting
from smtplab.expect import PATIENCE, expect_equal, wait_for
from smtplab.gateway import delta, sessions, stats
from smtplab.lab import main
from smtplab.mails import infected, mail, sha
from smtplab.net import CLIENT4, CLIENT6, RUN, SERVER4, addresses, nft, sh, small_window
from smtplab.peer import each_split, octets, trickle
from smtplab.server import HIDDEN, Server
from smtplab.tap import tests_of

REFUSED = ('554 5.7.1 Dangerous Attachment has been Removed.  The file '
           '"eicar.com" has been removed because of a virus.  It was infected '
           'with the "Eicar-Test-Signature.UNOFFICIAL" virus.  File quarantined as: "".')


def clean_mail(family=4):
    body = mail("a clean message\r\n.a line with a dot\r\n..two\r\n.\r\nend")
    with Server() as srv:
        c = Client(family=family)
        c.hello()
        c.message(body)
        c.quit()
        expect_equal([sha(m) for m in srv.messages], [sha(body)], "messages")
        expect_equal(srv.peers[0][0], CLIENT4 if family == 4 else CLIENT6,
                     "the client as the server sees it")


def infected_mail(family=4):
    body = mail("after the virus")
    with Server() as srv:
        before = stats()
        c = Client(family=family)
        c.hello()
        expect_equal(c.message(infected(), "554"), REFUSED, "reply")
        wait_for("RSET", lambda: b"RSET" in srv.log)
        for word in (b"DATA", b"BDAT", b"Subject", b"XXX", b"UEsD"):
            assert word not in srv.log, "%r reached the server" % word
        c.message(body)
        c.quit()
        expect_equal([sha(m) for m in srv.messages], [sha(body)], "messages")
        expect_equal(delta(before, "infected"), 1, "infected")


def test_clean_v4():
    """a clean mail arrives octet by octet as sent, IPv4"""
    clean_mail()


def test_clean_v6():
    """a clean mail arrives octet by octet as sent, IPv6"""
    clean_mail(family=6)


def test_infected_v4():
    """EICAR gets the 554 naming file and virus, the server nothing; IPv4"""
    infected_mail()


def test_infected_v6():
    """EICAR gets the 554 naming file and virus, the server nothing; IPv6"""
    infected_mail(family=6)


def records(filename):
    """What the log says of a file."""
    # a part of the last record may be there before the rest
    with open(os.path.join(RUN, "av.log"), "rb") as log:
        rows = [json.loads(line) for line in log if line.endswith(b"\n")]
    return [r for r in rows if r.get("filename") == filename]


def test_log_record():
    """the verdict is logged with the FortiOS field names"""
    name = octets("log-me.com", "log-me-too.com")
    with Server():
        c = Client()
        c.hello()
        c.message(infected(name), "554")
        c.quit()

    wait_for("a log record", lambda: records(name))
    r = records(name)[0]
    for key, value in {"type": "utm", "subtype": "virus",
                       "eventtype": "infected", "action": "blocked",
                       "service": "SMTP", "srcip": CLIENT4, "dstip": SERVER4,
                       "srcintf": "lan", "sender": "from@lab",
                       "recipient": "to@lab",
                       "virus": "Eicar-Test-Signature.UNOFFICIAL"}.items():
        expect_equal(r.get(key), value, key)
    expect_equal(int(r["dstport"]), 25, "dstport")


def test_pipelined():
    """pipelined transactions keep their order"""
    bodies = [mail("one"), mail("two")]
    with Server() as srv:
        c = Client()
        c.hello()
        envelope = b"MAIL FROM:<a@lab>\r\nRCPT TO:<b@lab>\r\nDATA\r\n"
        c.send(envelope)
        for code in ("250", "250", "354"):
            c.expect(code)
        # the second transaction follows the end-of-data in the same segment
        c.send(bodies[0] + b".\r\n" + envelope)
        for code in ("250", "250", "250", "354"):
            c.expect(code)
        c.send(bodies[1] + b".\r\nQUIT\r\n")
        c.expect("250")
        c.expect("221")
        assert c.closed()
        expect_equal(srv.messages, bodies, "messages")


def test_ehlo():
    """EHLO shows the server's keywords but those that hide mail from us"""
    with Server():
        c = Client()
        expect_equal(c.hello(),
                     "250-server.lab\n250-PIPELINING\n250-SIZE 104857600\n"
                     "250-8BITMIME\n250-DSN\n250-ENHANCEDSTATUSCODES\n"
                     "250-CHUNKING\n250-BINARYMIME\n250 STARTTLS", "EHLO")
        c.quit()


def test_auth():
    """an AUTH dialogue passes and is not logged"""
    def auth(p):
        p.send(b"334 VXNlcm5hbWU6\r\n")
        assert p.line() == b"dXNlcg=="
        p.send(b"334 UGFzc3dvcmQ6\r\n")
        assert p.line() == b"c2VjcmV0"
        p.send(b"235 2.7.0 ok\r\n")
    with Server(script={"AUTH": auth}) as srv:
        c = Client()
        c.hello()
        c.cmd("AUTH LOGIN", "334 VXNl")
        c.cmd("dXNlcg==", "334 UGFz")
        c.cmd("c2VjcmV0", "235")
        c.message(mail())
        c.quit()
        expect_equal(len(srv.messages), 1, "messages")
    with open(os.path.join(RUN, "av.log")) as log:
        assert "c2VjcmV0" not in log.read()


def test_D1_refused_commands():
    """commands that open an uninspected path get 502"""
    with Server() as srv:
        c = Client()
        c.hello()
        for line in ("TURN", "ATRN", "BURL imap://x",
                     "XEXCH50 5 2", "XCLIENT NAME=x", "LHLO x"):
            c.cmd(line, "502 5.5.1")
        c.cmd("DATA", "503")
        c.cmd("MAIL FROM:<a@lab>", "250")
        c.cmd("DATA", "554 5.5.1")
        c.cmd("RSET", "250")
        c.cmd("MAIL FROM:<a@lab> SIZE=99999999999", "552 5.3.4")
        c.message(mail())
        c.quit()
        expect_equal(len(srv.messages), 1, "messages")
        for word in (b"BURL", b"XCLIENT"):
            assert word not in srv.log, word


def test_sizes():
    """messages of 0 octets to 5 MB arrive as sent"""
    with Server() as srv:
        c = Client()
        c.hello()
        sizes = [0, 2, 3, 100, 4093, 4094, 4095, 4096, 4097]
        sizes += octets([16381, 16384, 16387, 65536, 1 << 20, 5 << 20], [])
        bodies = []
        for n in sizes:
            line = b"x" * 70 + b"\r\n"
            body = (line * (n // 72 + 1))[:max(n - 2, 0)]
            body = body.rstrip(b"\r\n") + b"\r\n" if n else b""
            bodies.append(body)
            c.message(body)
        c.quit()
        expect_equal([sha(m) for m in srv.messages],
                     [sha(b) for b in bodies], "messages")
    wait_for("an empty hold", lambda: stats()["held"] == 0)


def test_parallel():
    """20 sessions at a time, mixed clean and infected"""
    errors = []
    n = octets(20, 5)

    def one(i):
        try:
            c = Client(family=4 if i % 2 else 6)
            c.hello()
            for j in range(3):
                c.message(mail("message %d %d" % (i, j)))
                c.message(infected(), "554")
            c.quit()
        except Exception as e:  # pylint: disable=broad-except
            errors.append("%d: %r" % (i, e))
    with Server() as srv:
        threads = [threading.Thread(target=one, args=(i,)) for i in range(n)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        expect_equal(errors, [], "errors")
        expect_equal(sorted(srv.messages),
                     sorted(mail("message %d %d" % (i, j))
                            for i in range(n) for j in range(3)), "messages")


def test_oversize():
    """a message over the limit gets 552 5.3.4, the session goes on"""
    with setting("max-message", str(octets(100000, 2000))):
        with Server() as srv:
            before = stats()
            c = Client()
            c.hello()
            c.message((b"y" * 70 + b"\r\n") * octets(3000, 60), "552 5.3.4")
            c.message(mail())
            c.quit()
            expect_equal(srv.messages, [mail()], "messages")
            expect_equal(delta(before, "oversize"), 1, "oversize")


def test_hold_budget():
    """a message over the budget of all messages gets 452 4.3.1"""
    with setting("max-held", str(octets(200000, 20000))):
        with Server() as srv:
            c = Client()
            c.hello()
            c.message((b"y" * 70 + b"\r\n") * octets(4000, 300), "452 4.3.1")
            c.message(mail())
            c.quit()
            expect_equal(srv.messages, [mail()], "messages")


def test_too_many_sessions():
    """a client over the limit gets 421 4.3.2"""
    # those that are ending count as well
    wait_for("the end", lambda: stats()["sessions"] == 0)
    with setting("max-sessions", "2"):
        with Server():
            a, b = Client(), Client()
            a.hello()
            b.hello()
            c = Client()
            c.expect("421 4.3.2")
            assert c.closed()
            a.quit()
            b.quit()


B1 = [b"\n.\n", b"\n.\r", b"\r.\n", b"\r.\r", b"\n.\r\n", b"\r.\r\n",
      b"\r\n.\n", b"\r\n.\r", b"\r\n.\r\r\n", b"\r\r\n.\r\r\n",
      b"\r\n\0.\r\n", b"\r\n.\0\r\n"]


def smuggle(sequences, pattern):
    with Server() as srv:
        before = stats()
        for seq in sequences:
            body = (mail("first") + b"x" + seq + b"MAIL FROM:<smuggled@lab>\r\n"
                    b"RCPT TO:<b@lab>\r\nDATA\r\nsmuggled\r\n")
            c = Client()
            c.hello()
            c.envelope()
            c.cmd("DATA", "354")
            # K11: who knows what is a command behind it?
            c.send(body + b".\r\nMAIL FROM:<smuggled@lab>\r\nQUIT\r\n")
            c.expect(pattern)
            assert c.closed()
        wait_for("the end", lambda: not sessions())
        expect_equal(delta(before, "bad-newline"), len(sequences), "bad-newline")
        expect_equal(delta(before, "aborted"), 0, "aborted")
        c = Client()
        c.hello()
        c.message(mail("last"))
        c.quit()
        expect_equal(srv.messages, [mail("last")], "messages")
        assert b"smuggled" not in srv.log, srv.log


def test_B1_smuggling():
    """a dot line between other line ends than CRLF is refused, 550 5.5.2, and all behind it"""
    smuggle(B1, "550 5.5.2")


def test_B1_smuggling_allow():
    """the same where a bare LF is allowed"""
    with setting("bare-newline", "allow"):
        smuggle(B1, "550 5.5.2")
        with Server() as srv:
            c = Client()
            c.hello()
            c.message(b"a\nb\r\n")
            c.quit()
            expect_equal(srv.messages, [b"a\nb\r\n"], "messages")


def test_server_refuses_connection():
    """nobody listens: 421 4.4.1"""
    c = Client(port=587)
    c.expect("421 4.4.1")
    assert c.closed()


def test_server_does_not_answer():
    """the server's SYN is lost: 421 4.4.1 in time"""
    lost = "chain in { type filter hook input priority 0; tcp dport 25 drop; }"
    with setting("dial-timeout", "1s"), nft("server", "inet", lost):
        c = Client()
        c.expect("421 4.4.1")
        assert c.closed()


def test_server_replies_relayed():
    """the server's own texts reach the client, multi-line ones too"""
    with Server(script={"BANNER": "220-one\r\n220 two\r\n",
                        "RCPT": "550-5.1.1 no\r\n550 5.1.1 such user\r\n",
                        "VRFY": "252 2.0.0 maybe\r\n"}):
        c = Client()
        expect_equal(c.reply(), "220-one\n220 two", "banner")
        c.cmd("EHLO x", "250")
        expect_equal(c.cmd("VRFY a"), "252 2.0.0 maybe", "VRFY")
        c.cmd("MAIL FROM:<a@lab>", "250")
        expect_equal(c.cmd("RCPT TO:<b@lab>"),
                     "550-5.1.1 no\n550 5.1.1 such user", "RCPT")
        c.cmd("DATA", "554 5.5.1")
        c.quit()


def test_server_refuses_data():
    """the server's no to DATA is the answer to the message"""
    with Server(script={"DATA": "451 4.3.0 not now\r\n"}) as srv:
        before = stats()
        c = Client()
        c.hello()
        for _ in range(3):
            expect_equal(c.message(mail(), ""), "451 4.3.0 not now", "reply")
            expect_equal(stats()["held"], 0, "held while the client idles")
        c.quit()
        expect_equal(srv.messages, [], "messages")
        expect_equal(delta(before, "refused-by-server"), 3, "counter")
        wait_for("the end", lambda: not sessions())
        expect_equal(stats()["held"], 0, "held")


def test_server_refuses_message():
    """the server's no to the message is relayed"""
    with Server(script={"BODY": "552 5.3.4 not that\r\n"}):
        c = Client()
        c.hello()
        expect_equal(c.message(mail(), ""), "552 5.3.4 not that", "reply")
        c.quit()


def test_half_close():
    """a client that sends all it has and closes its side is served"""
    with Server() as srv:
        c = Client()
        c.hello()
        c.envelope()
        c.cmd("DATA", "354")
        c.send(mail() + b".\r\nQUIT\r\n")
        c.sock.shutdown(socket.SHUT_WR)
        c.expect("250")
        c.expect("221")
        assert c.closed()
        expect_equal(srv.messages, [mail()], "messages")


def test_client_leaves_in_body():
    """a message whose client leaves is dropped, nothing reaches the server"""
    for leave in (lambda c: c.reset(),
                  lambda c: c.sock.shutdown(socket.SHUT_WR)):
        with Server() as srv:
            before = stats()
            c = Client()
            c.hello()
            c.envelope()
            c.cmd("DATA", "354")
            c.send(b"half a message\r\n")
            wait_for("the body", lambda: any(s["held"] for s in sessions()))
            leave(c)
            wait_for("the end", lambda: not sessions())
            assert b"half" not in srv.log and b"DATA" not in srv.log
            expect_equal(delta(before, "aborted"), 1, "aborted")
            expect_equal(stats()["held"], 0, "held")


def test_server_timeout_421():
    """an unsolicited 421 is passed on"""
    with Server() as srv:
        c = Client()
        c.hello()
        srv.conns[0].send(b"421 4.4.2 idle too long\r\n")
        expect_equal(c.reply(), "421 4.4.2 idle too long", "reply")
        assert c.closed()


def test_idle_timeout():
    """a silent client gets 421 4.4.2"""
    with setting("command-timeout", "1s"):
        with Server():
            c = Client()
            c.expect("220")
            c.expect("421 4.4.2")
            assert c.closed()


def test_idle_in_body():
    """replies to our own NOOPs do not renew the time of a silent client"""
    with setting("data-timeout", "3s", "keepalive", "200ms"):
        with Server() as srv:
            c = Client()
            c.hello()
            c.envelope()
            c.cmd("DATA", "354")
            c.send(b"half a message\r\n")
            c.expect("421 4.4.2")
            assert c.closed()
            assert srv.log.count(b"NOOP\r\n") > 1, srv.log
            assert b"half" not in srv.log


def test_K6_H6_few_noops():
    """a server that counts NOOPs as Exim does gets its message, however slow it is"""
    noops = []

    def noop(p):
        noops.append(p)
        if len(noops) > 10:
            p.send(b"554 Too many nonmail commands\r\n")
            return False
        p.send(b"250 OK\r\n")
    line = b"y" * 70 + b"\r\n"
    with setting("keepalive", "20ms", "data-timeout", "4s"), \
            Server(script={"NOOP": noop}) as srv, Server(port=587):
        c = Client()
        c.hello()
        # the second one finds none left
        for n in range(2):
            silent = Client(port=587)
            silent.hello()
            for peer in c, silent:
                peer.envelope()
            # four seconds, in which there could be two hundred
            for peer in c, silent:
                peer.cmd("DATA", "354")
            trickle(c, line * octets(40, 1), until=silent)
            expect_equal(len(noops), 8, "NOOPs")
            c.send(b".\r\n")
            c.expect("250")
            silent.expect("421 4.4.2")
            silent.sock.close()
            expect_equal(len(srv.messages), n + 1, "messages")
        c.quit()


def test_H1_line_without_end():
    """a command line that only grows does not keep a session"""
    with setting("command-timeout", "2s"), Server():
        c = Client()
        c.hello()
        c.send(b"x" * 3000)
        trickle(c, b"x")
        c.expect("421 4.4.2")


def test_H1_trickle_in_body():
    """a message of some octets a second does not keep a session"""
    with setting("data-timeout", "2s"), Server() as srv:
        c = Client()
        c.hello()
        c.envelope()
        c.cmd("DATA", "354")
        trickle(c, b"x")
        c.expect("421 4.4.2")
        assert b"xx" not in srv.log


def test_H1_slow_reply():
    """a reply that grows line by line does not keep a session"""
    def noop(p):
        gone = select.poll()
        gone.register(p.sock, select.POLLIN)
        while not gone.poll(100):
            p.send(b"250-wait\r\n")
        return False
    with setting("command-timeout", "2s"), Server(script={"NOOP": noop}):
        c = Client()
        c.hello()
        c.send(b"NOOP\r\n")
        while not c.line().startswith(b"421 4.4.2"):
            pass
        assert c.closed()


def test_H1_endless_body():
    """a refused message is not read for ever"""
    with setting("max-message", "2000"), Server():
        c = Client()
        c.hello()
        c.envelope()
        c.cmd("DATA", "354")
        try:
            for _ in range(octets(10000, 200)):
                c.send(b"y" * 70 + b"\r\n")
        except OSError:
            pass
        c.expect("552 5.3.4")


def test_H2_client_sessions():
    """one client does not take all sessions"""
    # those that are ending count as well
    wait_for("the end", lambda: stats()["sessions"] == 0)
    with setting("max-client-sessions", "2"), Server(), \
            addresses("client", "eth0", "10.0.1.9/24"):
        few = [Client(), Client(), Client(src=("10.0.1.9", 0))]
        for c in few:
            c.hello()
        d = Client()
        d.expect("421 4.3.2")
        assert d.closed()
        # one that ends makes room for one, although the client is still there
        for c in few[0], few[2]:
            c.quit()
        wait_for("the end", lambda: len(sessions()) == 1)
        e, d = Client(), Client()
        e.hello()
        d.expect("421 4.3.2")
        assert d.closed()
        few[1].quit()
        e.quit()


def test_end_of_data_behind_noop():
    """a message that ends while a NOOP of ours is unanswered waits for that"""
    go, noops = threading.Event(), []

    def noop(p):
        noops.append(p)
        go.wait(PATIENCE)
        p.send(b"250 2.0.0 ok\r\n")
    with setting("keepalive", "200ms"), Server(script={"NOOP": noop}) as srv:
        c = Client()
        c.hello()
        c.envelope()
        c.cmd("DATA", "354")
        wait_for("a NOOP", lambda: noops)
        with runs_of_sessions() as runs:
            c.send(mail() + b".\r\nQUIT\r\n")
            for _ in range(20):
                sessions()
            # some per segment and NOOP, but not without end
            assert runs() < 1000, runs()
        go.set()
        c.expect("250")
        c.expect("221")
        assert c.closed()
        expect_equal(srv.messages, [mail()], "messages")


@contextmanager
def runs_of_sessions():
    """Counts how often the work of sessions runs."""
    tracing = "/sys/kernel/tracing/"
    if not os.path.exists(tracing + "events"):
        sh("mount", "-t", "tracefs", "tracefs", tracing)
    event = tracing + "events/workqueue/workqueue_execute_start/enable"

    def write(name, value):
        with open(name, "w") as f:
            f.write(value)

    def runs():
        with open(tracing + "trace") as f:
            return sum("session_work" in row for row in f)
    write(tracing + "trace", "")
    # Names of commands are no use, and they would have the scheduler patched while
    # all CPUs run it: an emulated one once met the breakpoint in there when it was
    # gone already, and the machine died.
    write(tracing + "options/record-cmd", "0")
    write(event, "1")
    try:
        yield runs
    finally:
        write(event, "0")
        write(tracing + "options/record-cmd", "1")
        write(tracing + "trace", "")


def test_client_dies_in_reply():
    """the end-of-data does not leave for the server once the client is gone"""
    go, ended = threading.Event(), []

    def data(p):
        p.send(b"354 go\r\n")
        go.wait(PATIENCE)
        try:
            ended.append(Server.read_body(p) is None)
        except OSError:
            ended.append(True)
        return False
    with Server(script={"DATA": data}, prepare=small_window):
        c = Client()
        c.hello()
        c.envelope()
        c.cmd("DATA", "354")
        c.send((b"z" * 70 + b"\r\n") * octets(300, 200) + b".\r\n")
        wait_for("the end-of-data", lambda: any(
            s["state"] == "reply" for s in sessions()))
        c.reset()
        wait_for("close", lambda: all(
            s["state"] == "close" for s in sessions()))
        # what has not left by now is not to leave any more
        go.set()
        wait_for("the server", lambda: ended)
        expect_equal(ended, [True], "the message was cut off")


def test_unmatched_flow():
    """a flow that no policy matches is forwarded untouched"""
    with Server(port=2525) as srv:
        before = stats()
        c = Client(port=2525)
        assert HIDDEN in c.hello()
        expect_equal(srv.peers[0], c.sock.getsockname()[:2], "client")
        c.quit()
        expect_equal(delta(before, "steered"), 0, "steered")


def test_bad_commands():
    """NUL, bare CR, an empty line, bad syntax: 500 or 501"""
    with Server() as srv:
        c = Client()
        c.hello()
        for line, code in ((b"NO\0OP\r\n", "500 5.5.2"),
                           (b"NO\rOP\r\n", "500 5.5.2"),
                           (b"\r\n", "500 5.5.2"),
                           (b"MAIL TO:<a>\r\n", "501 5.5.4"),
                           (b"RCPT FROM:<a>\r\n", "501 5.5.4"),
                           (b"FROBNICATE\r\n", "502 5.5.1")):
            c.send(line)
            c.expect(code)
        c.message(mail())
        c.quit()
        assert b"\0" not in srv.log and b"FROB" not in srv.log


def test_K10_first_octet():
    """a typing error at the start of a line: 500, and on; TLS and the like are hung up on"""
    with Server() as srv:
        c = Client()
        c.hello()
        for line in (b" MAIL FROM:<k10@lab>\r\n", b"<k10>\r\n", b"1\r\n"):
            c.send(line)
            c.expect("500 5.5.2")
        c.message(mail())
        c.quit()
        for octet in (b"\x16", b"\x80", b"\0"):
            c = Client()
            c.hello()
            c.send(octet)
            c.expect("500 5.5.1")
            assert c.closed()
        assert b"k10" not in srv.log, srv.log


def test_M6_forged_envelope():
    """an envelope that servers read in different ways: 501; else it is logged as sent"""
    name = octets("m6.com", "m6-too.com")
    with Server() as srv:
        c = Client()
        c.hello()
        for path in ('"ceo@lab" <evil@lab>', "ceo@lab<evil@lab>",
                     "<(ceo@lab) evil@lab>", "<ceo@lab> <evil@lab>"):
            c.cmd("MAIL FROM:" + path, "501 5.5.4 Syntax: MAIL")
            c.cmd("RCPT TO:" + path, "501 5.5.4 Syntax: RCPT")
        c.cmd('MAIL FROM: < "a b"@lab > SIZE=1', "250")
        c.cmd("RCPT TO:bare@lab", "250")
        c.cmd("RCPT TO:<@r.lab:routed@lab> NOTIFY=NEVER", "250")
        c.cmd("DATA", "354")
        c.send(infected(name) + b".\r\n")
        c.expect("554")
        c.quit()
        assert b"evil" not in srv.log, srv.log
    wait_for("a log record", lambda: records(name))
    expect_equal(records(name)[0]["sender"], '"a b"@lab', "sender")
    expect_equal(records(name)[0]["recipient"], "bare@lab,@r.lab:routed@lab", "recipient")


def test_D7_long_line():
    """a command line of 100 KB: 500 5.5.2"""
    with Server():
        c = Client()
        c.hello()
        c.send(b"NOOP " + b"x" * octets(100000, 3000) + b"\r\n")
        c.expect("500 5.5.2")
        c.message(mail())
        c.quit()


def test_E1_http():
    """an HTTP request on the SMTP port is hung up on, nothing is echoed"""
    with Server() as srv:
        c = Client()
        c.expect("220")
        c.send(b"POST / HTTP/1.1\r\nHost: <script>\r\n\r\n")
        assert "script" not in c.expect("500 5.5.1")
        assert c.closed()
        assert b"POST" not in srv.log


def test_D4_early_talker():
    """a client that speaks before the banner: 554 5.5.0"""
    gate = threading.Event()

    def banner(p):
        gate.wait(PATIENCE)
        p.send(b"220 late\r\n")
    with Server(script={"BANNER": banner}):
        c = Client()
        c.send(b"EHLO early\r\n")
        c.expect("554 5.5.0")
        gate.set()
        assert c.closed()


def test_D4_after_quit():
    """what follows QUIT is ignored"""
    with Server() as srv:
        c = Client()
        c.hello()
        c.send(b"QUIT\r\nMAIL FROM:<late@lab>\r\n")
        c.expect("221")
        assert c.closed()
        assert b"late" not in srv.log


def test_D2_after_refusal():
    """after a refused message the transaction is over"""
    with Server(script={"RCPT": "503 5.5.1 MAIL first\r\n"}):
        pass
    with Server() as srv:
        c = Client()
        c.hello()
        c.message(infected(), "554")
        c.cmd("DATA", "503")
        wait_for("RSET", lambda: b"RSET" in srv.log)
        c.quit()
        expect_equal(srv.messages, [], "messages")


def test_D3_extra_reply():
    """a server that replies twice is hung up on"""
    with Server(script={"NOOP": "250 ok\r\n250 again\r\n"}):
        before = stats()
        c = Client()
        c.hello()
        c.cmd("NOOP", "250 ok")
        c.expect("421 4.3.0")
        assert c.closed()
        expect_equal(delta(before, "protocol-error"), 1, "protocol-error")


def test_D3_second_banner():
    """a server that greets twice is hung up on"""
    with Server(script={"BANNER": "220 one\r\n220 two\r\n"}):
        c = Client()
        c.expect("220 one")
        c.expect("421 4.3.0")
        assert c.closed()


def test_D3_endless_reply():
    """a reply without end is cut off"""
    def noop(p):
        try:
            while True:
                p.send(b"250-more\r\n" * 100)
        except OSError:
            return False
    with Server(script={"NOOP": noop}):
        c = Client()
        c.hello()
        c.send(b"NOOP\r\n")
        for _ in range(2000):
            line = c.line()
            if line is None or line.startswith(b"421 4.3.0"):
                break
        expect_equal(line, b"421 4.3.0 Server broke the protocol", "last line")


def test_D3_long_reply_line():
    """a reply line of 64 KB is refused"""
    with Server(script={"NOOP": "250 " + "x" * octets(65536, 13000) + "\r\n"}):
        c = Client()
        c.hello()
        c.cmd("NOOP", "421 4.3.0")


def test_slow_client():
    """a client that does not read loses no reply of a server that has left"""
    lines, gone = octets(500, 5), threading.Event()

    def vrfy(p):
        p.send(b"".join(b"252-%-100d\r\n" % i for i in range(lines)) +
               b"252 the last\r\n")

    def noop(p):
        gone.set()
        return False

    with Server(script={"VRFY": vrfy, "NOOP": noop}):
        c = Client(prepare=small_window)
        c.hello()
        c.send(b"VRFY x\r\n" * 3 + b"NOOP\r\n")
        assert gone.wait(PATIENCE)
        for _ in range(3):
            reply = c.expect("252-0 ")
            assert reply.endswith("\n252 the last"), reply[-200:]
            expect_equal(reply.count("\n"), lines, "lines")
        c.expect("421 4.4.2")
        assert c.closed()


def test_backpressure():
    """a server that does not read closes the client's window in the end"""
    hold = threading.Event()

    def data(p):
        p.send(b"354 go\r\n")
        hold.wait(PATIENCE)
        body = Server.read_body(p)
        srv.messages.append(body)
        p.send(b"250 ok\r\n")
    with Server(script={"DATA": data}) as srv:
        body = (b"z" * 70 + b"\r\n") * octets(60000, 100)
        c = Client()
        c.hello()
        c.envelope()
        c.cmd("DATA", "354")
        c.send(body + b".\r\n")
        wait_for("release", lambda: [s for s in sessions()
                                     if s["state"] == octets("release", "reply")])
        hold.set()
        c.expect("250")
        c.quit()
        expect_equal(sha(srv.messages[0]), sha(body), "body")


if __name__ == "__main__":
    dialogues = tests_of(sys.modules[__name__])
    main(dialogues + [each_split(d) for d in dialogues])
