#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""AV profiles: what a verdict can mean, and what is done where there is none."""
import base64
import os
import signal
import sys
import tempfile
import threading
from contextlib import contextmanager

from smtplab.client import Client
from smtplab.config import MODES, av, setting
from smtplab.exchange import ask
from smtplab.expect import PATIENCE, expect_equal, wait_for
from smtplab.gateway import av_log, counted, logged, sessions, stats
from smtplab.helper import helpers, kill_helpers, start_helper, stopped_helper
from smtplab.lab import main
from smtplab.mails import (UNSCANNED, attached, chunks, eicar, encrypted_zip, infected, mail, sha,
                           stuff, zipped)
from smtplab.net import CLIENT4, SERVER4, sh
from smtplab.server import Server, Watcher
from smtplab.tap import tests_of

# as many as the lab's helper has, which is not told how many
WORKERS = max(2, len(os.sched_getaffinity(0)))


def executable():
    """A Windows program, as far as its headers go."""
    head = bytearray(b"MZ" + bytes(510))
    head[0x3c] = 0x80
    head[0x80:0x84] = b"PE\0\0"
    return bytes(head)


def test_monitor():
    """av-scan monitor: an infected mail passes, is logged and counted"""
    for how in MODES:
        with av("av-scan", "monitor", how=how), \
                counted(monitored=1, infected=0, delivered=1), \
                logged(action="monitored", logid="0211008193", filename="eicar.com"):
            expect_equal(ask(infected(), "250 2.0.0 queued$"), [infected()], "messages")


def test_disable():
    """av-scan disable: nothing is scanned, and each message counts as unscanned"""
    for how in MODES:
        with av("av-scan", "disable", how=how), stopped_helper(), \
                counted(unscanned_policy=2, clean=0):
            for body in mail("clean"), infected():
                expect_equal(ask(body, "250 2.0.0 queued$"), [body], "messages")


def test_discard():
    """infected discard: the client has a 250, the server nothing"""
    for how in MODES:
        with av("infected", "discard", how=how), counted(discarded=1, delivered=0), \
                logged(action="discarded", eventtype="infected"):
            expect_equal(ask(infected(), "250 2.0.0 Ok$"), [], "messages")


def test_replace():
    """infected replace: a text stands for the part, the rest is as it was"""
    with av("infected", "replace"), counted(replaced=1, delivered=1, infected=0), \
            logged(action="replaced", filename="eicar.com"):
        got, = ask(infected(), "250 2.0.0 queued$")
    head, _, rest = infected().partition(b"--XXX\r\nContent-Type: application")
    assert got.startswith(head), got
    assert b"eicar.com" in got and b"removed" in got, got
    assert got.endswith(b"\r\n--XXX--\r\n") and eicar() not in got
    assert rest.partition(b"\r\n\r\n")[2][:40] not in got


def test_replace_text():
    """the text is the profile's, with tags; lines that begin with a dot arrive"""
    with av("infected", "replace", "replacement",
            "%%FILE%% of %%EMAIL_FROM%%:\n.dot\n%%VIRUS%% %%SOURCE_IP%%"):
        got, = ask(infected(), "250")
    assert b"eicar.com of from@lab:\r\n.dot\r\n" in got, got
    assert CLIENT4.encode() in got, got


def test_replace_bdat():
    """the same by BDAT: the server is told the size of what it gets"""
    with av("infected", "replace"), Watcher() as srv:
        c = Client()
        c.hello()
        c.envelope()
        c.send(chunks(infected()))
        c.expect("250 2.0.0 queued$")
        c.quit()
        assert b"removed" in srv.messages[0]
        assert b"BDAT %d LAST\r\n" % len(srv.messages[0]) in srv.log


def test_replace_splice():
    """in splice mode there is nothing to replace any more: 554"""
    with av("infected", "replace", how="splice"), counted(replaced=0, infected=1):
        expect_equal(ask(infected(), "554 5.7.1"), [], "messages")


def test_executables():
    """executables virus: by content, whatever the name, in archives as well"""
    for name, data in (("a.txt", executable()),
                       ("a.zip", zipped(b_txt=executable()))):
        body = attached(name, data)
        expect_equal(ask(body, "250"), [body], "messages")
        with av("executables", "virus"), \
                logged(virus="Smtpsplice.Executable", action="blocked"):
            expect_equal(ask(body, "554 5.7.1"), [], "messages")
    with av("executables", "virus"):
        body = attached("a.exe", b"no program")
        expect_equal(ask(body, "250"), [body], "messages")


def test_file_names():
    """file-name: patterns, in archives as well; file-type: by content"""
    with av("file-name", "*.js,setup.???", "file-type", "pdf"):
        for name, data in (("A.JS", b"x"), ("setup.bin", b"x"),
                           ("a.zip", zipped(x_js=b"x")),
                           ("a.txt", b"%PDF-1.4\n1 0 obj\n<< >>\nendobj\n%%EOF\n")):
            with logged(action="blocked", eventtype="filename", logid="0212008448"):
                expect_equal(ask(attached(name, data), "554 5.7.1"), [], "messages")
        body = attached("a.jsx", b"x")
        expect_equal(ask(body, "250"), [body], "messages")


def test_hashes():
    """hash-block refuses a clean file, hash-allow lets an infected one pass"""
    with av("hash-block", sha(b"bad\n")), logged(virus="Smtpsplice.Hash"):
        expect_equal(ask(attached("a", b"bad\n"), "554"), [], "messages")
    with av("hash-allow", sha(eicar())):
        expect_equal(ask(infected(), "250"), [infected()], "messages")


def test_G5_archives():
    """an encrypted archive, with each setting"""
    body = attached("a.zip", encrypted_zip())
    with av("archive-block", "encrypted"), \
            logged(virus="Smtpsplice.Archive.encrypted", archive=["encrypted"]):
        expect_equal(ask(body, "554 5.7.1"), [], "messages")
    marked = [UNSCANNED % b"archive" + body]
    with av("archive-block", "nested,mailbomb"), counted(unscanned_archive=1, tagged=1), \
            logged(action="passthrough", unscanned="archive", archive=["encrypted"]):
        expect_equal(ask(body, "250"), marked, "messages")
    with av("archive-block", "none", "archive-log", "none"), counted(unscanned_archive=1), \
            logged(unscanned="archive", archive=None):
        expect_equal(ask(body, "250"), marked, "messages")
    with av("av-scan", "monitor", "archive-block", "encrypted"), \
            counted(unscanned_archive=1, monitored=1, tagged=1):
        expect_equal(ask(body, "250"), marked, "messages")


def test_G7_bomb():
    """a file that is much larger unpacked than the limit"""
    body = attached("a.zip", zipped(a=bytes(3 << 20)))
    with av("uncompressed-limit", "1M"), logged(virus="Smtpsplice.Archive.mailbomb"):
        expect_equal(ask(body, "554"), [], "messages")
    with av("uncompressed-limit", "10M"):
        expect_equal(ask(body, "250"), [body], "messages")


def test_oversize():
    """oversize-limit: block, tempfail, pass with a header field and a counter"""
    body = infected()
    with av("oversize-limit", "100"), \
            logged(eventtype="oversize", action="blocked", logid="0213008704"):
        expect_equal(ask(body, "552 5.3.4"), [], "messages")
    with av("oversize-limit", "100", "oversize", "tempfail"):
        expect_equal(ask(body, "452 4.3.4"), [], "messages")
    with av("oversize-limit", "100", "oversize", "pass"), \
            counted(unscanned_oversize=1, tagged=1), \
            logged(action="passthrough", unscanned="oversize"):
        expect_equal(ask(body, "250"), [UNSCANNED % b"oversize" + body], "messages")
    # there the server has its head already
    with av("oversize-limit", "100", "oversize", "pass", how="splice"), \
            counted(unscanned_oversize=1, tagged=0):
        expect_equal(ask(body, "250"), [body], "messages")


def test_tag_bdat():
    """a header field in front of a message by BDAT"""
    with av("oversize-limit", "100", "oversize", "pass"), Watcher() as srv:
        c = Client()
        c.hello()
        c.envelope()
        c.send(chunks(infected(), 10, 0))
        c.expect("250 2.0.0 Chunk")
        c.expect("250 2.0.0 Chunk")
        c.expect("250 2.0.0 queued$")
        c.quit()
        expect_equal(srv.messages, [UNSCANNED % b"oversize" + infected()], "messages")


def test_G4_fragmail():
    """message/partial: refused, or passed and counted"""
    body = (b"From: <a@lab>\r\nMIME-Version: 1.0\r\nContent-Type: message/partial; "
            b"id=\"x\"; number=1; total=2\r\n\r\nSubject: y\r\n\r\nz\r\n")
    with logged(virus="Smtpsplice.Partial"):
        expect_equal(ask(body, "554 5.7.1"), [], "messages")
    with av("fragmail", "pass"), counted(unscanned_partial=1, tagged=1):
        expect_equal(ask(body, "250"), [UNSCANNED % b"partial" + body], "messages")


AMBIGUOUS = (b"From: <a@lab>\r\nMIME-Version: 1.0\r\n"
             b"Content-Type: multipart/mixed; boundary=a\r\n"
             b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
             b"--a\r\nContent-Type: text/plain\r\n\r\nnothing\r\n--a--\r\n"
             b"--b\r\nContent-Type: application/octet-stream\r\n"
             b"Content-Transfer-Encoding: base64\r\n\r\n%s\r\n--b--\r\n")


def test_E1_ambiguity():
    """ambiguous MIME: refused, or each reading of it is scanned"""
    bad = AMBIGUOUS % base64.b64encode(eicar())
    good = AMBIGUOUS % base64.b64encode(b"no virus")
    with logged(action="blocked", virus="Smtpsplice.Mime.Ambiguous.Duplicate"):
        expect_equal(ask(good, "554 5.7.1"), [], "messages")
    expect_equal(ask(bad, "554 5.7.1"), [], "messages")
    with av("mime-ambiguity", "monitor"):
        expect_equal(ask(bad, "554 5.7.1"), [], "messages")
        with counted(unscanned_ambiguous=1, tagged=0):
            expect_equal(ask(good, "250"), [good], "messages")


def test_replies():
    """replies of the profile, with tags that are filled in once"""
    with av("reply-virus", "550 5.7.9 %%FILE%% %%EMAIL_FROM%% %%EMAIL_TO%% %%DEST_IP%%",
            "reply-oversize", "554 5.9.9 big", "oversize-limit", "5K"):
        ask(infected("%%VIRUS%%.com"),
            "550 5.7.9 %%VIRUS%%.com from@lab to@lab " + SERVER4.replace(".", r"\.") + "$")
        ask(mail("x" * 6000), r"554 5\.9\.9 big$")


def test_scan_timeout():
    """no verdict in time: tempfail, block, or pass with a header field"""
    for action, pattern, there in (("tempfail", "451 4.3.0", 0), ("block", "554 5.3.0", 0),
                                   ("pass", "250 2.0.0 queued$", 1)):
        with setting("scan-timeout", "500ms"), av("scan-timeout", action), \
                counted(unscanned_scan_timeout=there, tagged=there):
            with stopped_helper():
                got = ask(infected(), pattern)
            expect_equal(got, [UNSCANNED % b"scan-timeout" + infected()] * there, "messages")


def test_I4_helper_down():
    """the helper is gone: tempfail, block, or pass with a header field"""
    kill_helpers()
    try:
        for action, pattern, there in (("tempfail", "451 4.3.0", 0),
                                       ("block", "554 5.3.0", 0),
                                       ("pass", "250 2.0.0 queued$", 1)):
            with setting("scan-timeout", "500ms"), av("helper-down", action), \
                    counted(unscanned_helper_down=there, tagged=there):
                got = ask(infected(), pattern)
            expect_equal(got, [UNSCANNED % b"helper-down" + infected()] * there,
                         "messages")
        assert "a message passes unscanned: helper-down" in sh("dmesg").stdout
    finally:
        start_helper()


def test_I4_worker_dies():
    """a worker is killed amid the scan: scan-error says what that means"""
    wait_for("the workers", lambda: len(workers()) == WORKERS)
    for action, pattern, there in (("tempfail", "451 4.3.0", 0), ("block", "554 5.3.0", 0),
                                   ("pass", "250 2.0.0 queued$", 1)):
        with av("scan-error", action), counted(unscanned_scan_error=there), Watcher() as srv:
            old = workers()
            others = set(helpers()) - old
            with stopped_helper():
                c = Client()
                c.hello()
                c.envelope()
                c.cmd("DATA", "354")
                c.send(stuff(infected()) + b".\r\n")
                wait_for("the scan", lambda: stats()["scan-queued"] == 1)
                for pid in others:
                    os.kill(pid, signal.SIGCONT)
                # who takes it does not sleep before a worker has it
                wait_for("a job", lambda: stats()["scan-queued"] == 0 and
                         all(map(is_asleep, others)))
                for pid in old:
                    os.kill(pid, signal.SIGKILL)
            c.expect(pattern)
            c.quit()
            wait_for("the end", lambda: srv.ends)
            expect_equal(srv.messages, [UNSCANNED % b"scan-error" + infected()] * there,
                         "messages")
        wait_for("new workers", lambda: len(workers() - old) == WORKERS)


def is_worker(pid):
    try:
        with open("/proc/%d/comm" % pid) as f:
            return f.read().strip() == "ss-worker"
    except OSError:
        return False


def workers():
    return {p for p in helpers() if is_worker(p)}


def is_asleep(pid):
    with open("/proc/%d/stat" % pid) as f:
        return f.read().rpartition(")")[2].split()[0] == "S"


@contextmanager
def held(octets):
    """A message of that size stays in the hold."""
    c = Client()
    c.hello()
    c.envelope()
    c.cmd("DATA", "354")
    c.send((b"y" * 70 + b"\r\n") * (octets // 72))
    wait_for("it", lambda: stats()["held"] >= octets // 72 * 72)
    try:
        yield
    finally:
        c.sock.close()
        wait_for("its end", lambda: stats()["held"] == 0)


def answered(verdict, body=b""):
    """DATA, or the message where there is one, is answered so."""
    c = Client()
    c.hello()
    if body:
        c.message(body, verdict)
    else:
        c.envelope()
        c.cmd("DATA", verdict)
    c.quit()


def test_H2_conserve():
    """from the red watermark on over-budget decides, from the extreme one on 452"""
    with setting("max-held", "1M", "conserve-green", "40", "conserve-red", "50",
                 "conserve-extreme", "90", "max-client-held", "100"), Server() as srv:
        with held(600000):
            expect_equal(stats()["conserve"], 1, "conserve")
            answered("452 4.3.1")
            with av("over-budget", "block"):
                answered("554 5.3.1")
            with av("over-budget", "pass"), counted(unscanned_over_budget=1):
                answered("250", infected())
        expect_equal(stats()["conserve"], 0, "conserve")
        # who fills the budget may not be silent for long
        with av("over-budget", "pass"), held(980000):
            answered("452 4.3.1")
        answered("250", mail("again"))
        expect_equal(srv.messages, [UNSCANNED % b"over-budget" + infected(), mail("again")],
                     "messages")


def test_sender_ban():
    """sender-ban: who has sent an infected message is refused at MAIL for a time"""
    with av("sender-ban", "3s"), Server() as srv:
        c = Client()
        c.hello()
        with counted(banned=2):
            c.message(infected(), "554 5.7.1 Dangerous")
            c.cmd("MAIL FROM:<a@lab>", "554 5.7.1 An infected")
            d = Client()
            d.hello()
            d.cmd("MAIL FROM:<a@lab>", "554 5.7.1 An infected")
        wait_for("the end of it", lambda: d.cmd("MAIL FROM:<a@lab>").startswith("250"))
        d.cmd("RSET", "250")
        d.message(mail("later"))
        for x in c, d:
            x.quit()
        expect_equal(srv.messages, [mail("later")], "messages")


def deep():
    """Nested deeper than the scanner looks: a limit is exceeded, nothing is found."""
    return b"Content-Type: message/rfc822\r\n\r\n" * 150 + mail("deep")


def test_M7_limit():
    """a limit that is exceeded is no virus: in counter, log, reply and sender-ban"""
    limit = "Heuristics.Limits.Exceeded.MaxRecursion"
    for how in MODES:
        for action, pattern, moves in (
                ("block", "554 5.7.1 Message has been Blocked.*" + limit, {"unscannable": 1}),
                ("tempfail", "451 4.3.0", {"tempfail": 1}),
                ("pass", "250 2.0.0 queued$", {"unscanned_archive": 1})):
            wanted = dict(infected=0, banned=0, unscannable=0, tempfail=0, unscanned_archive=0)
            with av("undecodable", action, "sender-ban", "1h", "reply-virus", "554 5.7.1 virus",
                    how=how), counted(**dict(wanted, **moves)), \
                    logged(eventtype="unscanned" if action == "pass" else "undecodable",
                           virus=None, limit=limit):
                ask(deep(), pattern)
                with Server():
                    c = Client()
                    c.hello()
                    c.cmd("MAIL FROM:<a@lab>", "250")
                    c.quit()
    # what was found counts, as ever
    with counted(infected=1, unscannable=0):
        ask(infected("m7.com"), "554 5.7.1 Dangerous")


PLAIN = (b"From: <from@lab>\r\nTo: <to@lab>\r\nSubject: x\r\nMIME-Version: 1.0\r\n"
         b"Content-Type: text/plain\r\n\r\nnothing\r\n")


def smime(*how, data=None):
    """A mail as openssl cms makes it of another one."""
    import subprocess
    with tempfile.TemporaryDirectory() as d:
        key, cert = os.path.join(d, "key.pem"), os.path.join(d, "cert.pem")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=from@lab",
                        "-keyout", key, "-out", cert], check=True, stderr=subprocess.DEVNULL)
        who = [cert] if "-encrypt" in how else ["-signer", cert, "-inkey", key]
        out = subprocess.run(["openssl", "cms", *how, "-binary", "-from", "from@lab",
                              "-to", "to@lab", "-subject", "x", *who],
                             input=data, check=True, stdout=subprocess.PIPE).stdout
    return out.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def test_M2_signed():
    """opaque S/MIME is opened: what is in it is scanned, in DER and in BER"""
    for how in ("-sign", "-nodetach"), ("-sign", "-nodetach", "-stream"):
        good = smime(*how, data=PLAIN)
        with counted(clean=1, infected=0, unscanned_encrypted=0):
            expect_equal(ask(good, "250"), [good], "messages")
        with counted(infected=1, clean=0), logged(eventtype="infected", action="blocked"):
            expect_equal(ask(smime(*how, data=infected()), "554 5.7.1 Dangerous"), [],
                         "messages")


def test_M2_encrypted():
    """encrypted mail: passes with a header field, a counter and a record; or as it is told"""
    body = smime("-encrypt", "-aes256", data=infected())
    pgp = PLAIN + b"-----BEGIN PGP MESSAGE-----\r\n\r\nwcBM\r\n-----END PGP MESSAGE-----\r\n"
    der = base64.b64decode(body.partition(b"\r\n\r\n")[2])
    p7m = attached("smime.p7m", der)
    for mail_ in body, pgp, p7m:
        with counted(unscanned_encrypted=1, tagged=1, clean=0), \
                logged(action="passthrough", eventtype="unscanned", unscanned="encrypted"):
            expect_equal(ask(mail_, "250 2.0.0 queued$"), [UNSCANNED % b"encrypted" + mail_],
                         "messages")
        with av("encrypted-mail", "block", "sender-ban", "1h"), \
                counted(unscannable=1, infected=0, unscanned_encrypted=0), \
                logged(action="blocked", eventtype="encrypted"):
            expect_equal(ask(mail_, "554 5.7.1 Message has been Blocked.*encrypted"), [],
                         "messages")
        with av("encrypted-mail", "block", "reply-encrypted", "550 5.7.1 not here"):
            ask(mail_, "550 5.7.1 not here$")
        with av("encrypted-mail", "tempfail"), counted(tempfail=1):
            ask(mail_, "451 4.3.0")
    # in splice mode the server has the head already
    with av("encrypted-mail", "pass", how="splice"), counted(unscanned_encrypted=1, tagged=0):
        expect_equal(ask(body, "250"), [body], "messages")
    # what is beside it is scanned
    bad = b"--XXX\r\n" + infected().split(b"--XXX\r\n")[2].partition(b"\r\n--XXX--")[0]
    more = attached("smime.p7m", der, bad + b"\r\n")
    with counted(infected=1, unscanned_encrypted=0):
        ask(more, "554 5.7.1 Dangerous")


def in_data(port=25, body=mail("x")):
    """A client that has sent a whole message, and awaits the reply."""
    c = Client(port=port)
    c.hello()
    c.envelope()
    c.cmd("DATA", "354")
    c.send(stuff(body) + b".\r\n")
    return c


def test_H1_message_timeout():
    """from the end-of-data until the server has it there is one deadline"""
    with setting("message-timeout", "2s"), counted(message_timeout=1, delivered=0), \
            Server(script={"DATA": lambda p: p.line()}) as srv:
        c = in_data()
        c.expect("421 4.4.2")
        assert c.closed()
        assert b"Subject" not in srv.log


def test_K7_slow_reply():
    """message-timeout does not end the wait for the reply of a server that has it all"""
    go = threading.Event()

    def body(p):
        go.wait(PATIENCE)
        p.send(b"250 2.0.0 at last\r\n")
    with setting("message-timeout", "2s"), counted(message_timeout=1, delivered=1), \
            Server(script={"BODY": body}) as srv, \
            Server(port=587, script={"DATA": lambda p: p.line()}):
        c = in_data()
        srv.wait_messages(1)
        # the time of one that began later is up: so is that of the first
        in_data(port=587).expect("421 4.4.2")
        # what waits for a reply alone is in nobody's way
        wait_for("the other's end", lambda: len(sessions()) == 1)
        expect_equal(sessions()[0]["state"], "reply", "state")
        expect_equal(stats()["held"], 0, "held")
        go.set()
        c.expect("250 2.0.0 at last$")
        c.quit()


def test_K7_no_reply():
    """reply-timeout ends the wait for a reply, message-timeout has no part in that"""
    with setting("message-timeout", "60m", "reply-timeout", "1s"), \
            counted(message_timeout=0, timeout=1), \
            Server(script={"BODY": lambda p: p.line()}) as srv:
        c = in_data()
        srv.wait_messages(1)
        c.expect("421 4.4.2 The mail server did not answer in time$")
        assert c.closed()


def passes_logged():
    """How many messages pass unscanned, as the kernel's log has it."""
    return sh("dmesg").stdout.count("a message passes unscanned")


def test_K4_unscanned_refused():
    """what passes unscanned is counted and logged once it leaves for the server"""
    refuses, silent = "451 4.3.0 not now\r\n", lambda p: p.line()
    unseen = ("av-scan", "disable")
    large = ("oversize-limit", "100", "oversize", "pass")
    for words, name in (unseen, "unscanned_policy"), (large, "unscanned_oversize"):
        for data, reply in (refuses, "451 4.3.0 not now$"), (silent, "421 4.4.2"):
            before = passes_logged()
            with av(*words), setting("message-timeout", "2s"), \
                    counted(**{name: 0, "refused_by_server": 1}), \
                    Server(script={"DATA": data}):
                in_data(body=mail("x" * 200)).expect(reply)
            expect_equal(passes_logged(), before, "in the log")
        with av(*words), counted(**{name: 1, "delivered": 1}), Server():
            in_data(body=mail("x" * 200)).expect("250")
        expect_equal(passes_logged(), before + (words == unseen), "in the log")


def test_K4_client_dies():
    """a message whose client dies is not one that the server has refused"""
    for verb in "DATA", "BODY":
        asked, go = threading.Event(), threading.Event()

        def wait(_p, asked=asked, go=go):
            asked.set()
            go.wait(PATIENCE)
            return False
        with Server(script={verb: wait}), counted(aborted=1, refused_by_server=0):
            c = in_data()
            assert asked.wait(PATIENCE)
            c.reset()
            wait_for("its end", lambda: all(s["state"] == "close" for s in sessions()))
            go.set()


def test_cached():
    """a mail that is sent again is not scanned again"""
    body = infected("again.com")

    def records():
        return [r for r in av_log() if r.get("filename") == "again.com"]
    ask(body, "554")
    for _ in range(WORKERS):
        ask(body, "554 5.7.1 .*again.com")
    wait_for("the log", lambda: len(records()) > WORKERS)
    assert any(r.get("dtype") == "cached" for r in records())
    with av("cache", "disable"), logged(dtype="Virus"):
        ask(body, "554")


if __name__ == "__main__":
    main(tests_of(sys.modules[__name__]))
