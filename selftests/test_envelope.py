#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""What stands in MAIL and RCPT: parameters and addresses reach the server as they were
sent, and the log as UTF-8; on the ports of submission as well."""
import sys

from smtplab.client import Client
from smtplab.config import MODES, mode
from smtplab.expect import expect_equal
from smtplab.gateway import counted, logged
from smtplab.lab import main
from smtplab.mails import infected, mail, stuff
from smtplab.server import Server
from smtplab.tap import tests_of
from smtplab.tls import TlsClient, TlsServer

EHLO = Server.EHLO + ("DELIVERBY 240", "SMTPUTF8")


def envelope(mail_from, *rcpts):
    return ["MAIL FROM:" + mail_from, *("RCPT TO:" + r for r in rcpts)]


def deliver(commands, body, pattern="250 2.0.0 queued$", how="hold"):
    """One message with these commands in front. Returns the server."""
    with mode(how), Server(ehlo=EHLO) as srv:
        c = Client()
        c.hello()
        for line in commands:
            c.send(line.encode() + b"\r\n")
            c.expect("250")
        c.cmd("DATA", "354")
        c.send(stuff(body) + b".\r\n")
        c.expect(pattern)
        c.quit()
        return srv


def test_parameters():
    """parameters of DSN, DELIVERBY, SIZE and 8BITMIME, to the octet"""
    commands = envelope("<a@lab> SIZE=1000 BODY=8BITMIME RET=HDRS ENVID=QQ+3D314159 BY=120;R",
                        "<b@lab> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;b+2Bx@lab",
                        "<c@lab> NOTIFY=NEVER")
    for how in MODES:
        srv = deliver(commands, mail("x"), how=how)
        sent = [line for line in srv.log.split(b"\r\n") if line[:4] in (b"MAIL", b"RCPT")]
        expect_equal(sent, [c.encode() for c in commands], "commands")
        expect_equal(srv.messages, [mail("x")], "messages")


def test_keywords():
    """DELIVERBY, DSN and SMTPUTF8 are shown as the server says them"""
    with Server(ehlo=EHLO):
        c = Client()
        shown = c.hello().split("\n")
        for keyword in "DELIVERBY 240", "DSN", "SMTPUTF8", "8BITMIME", "SIZE 104857600":
            assert any(line[4:] == keyword for line in shown), (keyword, shown)
        c.quit()


def test_utf8():
    """SMTPUTF8: addresses beyond ASCII reach the server and the log"""
    sender, rcpt = "jürgen@例え.lab", "δοκιμή@παράδειγμα.lab"
    for how in MODES:
        with logged(sender=sender, recipient=rcpt, action="blocked"):
            srv = deliver(envelope("<%s> SMTPUTF8" % sender, "<%s>" % rcpt), infected(),
                          "554 5.7.1", how)
        assert ("MAIL FROM:<%s> SMTPUTF8\r\n" % sender).encode() in srv.log, srv.log
        assert ("RCPT TO:<%s>\r\n" % rcpt).encode() in srv.log, srv.log
        expect_equal(srv.messages, [], "messages")


def test_no_utf8():
    """octets that are no UTF-8 do not break the log, which has valid JSON"""
    with logged(action="blocked"), Server(ehlo=EHLO) as srv:
        c = Client()
        c.hello()
        c.send(b"MAIL FROM:<\xff\xfe@lab> SMTPUTF8\r\n")
        if c.reply().startswith("250"):
            c.cmd("RCPT TO:<to@lab>", "250")
            c.cmd("DATA", "354")
            c.send(stuff(infected()) + b".\r\n")
            c.expect("554 5.7.1")
        else:
            c.message(infected(), "554 5.7.1")
        c.quit()
        expect_equal(srv.messages, [], "messages")


def test_submission():
    """an infected mail on 587, plain and in TLS, and on 465"""
    for port, starttls in ((587, False), (587, True), (465, False)):
        with TlsServer(port=port) as srv, counted(infected=1), \
                logged(dstport=port, action="blocked", filename="eicar.com"):
            c = TlsClient(port=port)
            if port == 465:
                c.start_tls()
            c.hello()
            if starttls:
                c.starttls()
            c.message(infected(), "554 5.7.1 .*eicar.com")
            c.message(mail("clean"), "250 2.0.0 queued$")
            c.cmd("QUIT", "221")
            expect_equal(srv.messages, [mail("clean")], "messages on %d" % port)


if __name__ == "__main__":
    main(tests_of(sys.modules[__name__]))
