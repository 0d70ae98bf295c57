#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""A host antivirus behind the gateway: what does it get to see of infected mail?

LOAD_MAILS is the number of mails in each test.
"""
import base64
import os
import random
import sys
from contextlib import nullcontext

from smtplab.client import Client
from smtplab.config import splice
from smtplab.expect import expect_equal, wait_for
from smtplab.gateway import delta, sessions, stats
from smtplab.lab import main
from smtplab.mails import chunks, eicar, stuff
from smtplab.server import Server
from smtplab.tap import tests_of

LOAD_MAILS = int(os.environ.get("LOAD_MAILS", "30"))
LEAST, MOST = 1000, 5000000
PLACES = ("start", "middle", "last line")
VIRUS = base64.b64encode(eicar())
LINE = b"x" * 76 + b"\r\n"


def part(size):
    return b"--b\r\nContent-Type: text/plain\r\n\r\n" + LINE * (size // len(LINE))


def infected_mail(size, place):
    head = (b"From: <from@lab>\r\nTo: <to@lab>\r\nSubject: infected\r\n"
            b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n")
    virus = (b"--b\r\nContent-Type: application/octet-stream\r\n"
             b"Content-Transfer-Encoding: base64\r\n\r\n" + VIRUS + b"\r\n")
    if place == "start":
        return head + virus + part(size) + b"--b--\r\n"
    if place == "middle":
        return head + part(size // 2) + virus + part(size // 2) + b"--b--\r\n"
    return head + part(size) + virus


def mails():
    """Sizes from 1 KB to 5 MB, as many of each order of magnitude."""
    seed = int(os.environ.get("LOAD_SEED", random.randrange(1 << 32)))
    print("# LOAD_SEED=%d" % seed, flush=True)
    chance = random.Random(seed)
    for i in range(LOAD_MAILS):
        size = LEAST * (MOST / LEAST) ** chance.random()
        yield infected_mail((LEAST, MOST)[i] if i < 2 else int(size),
                            PLACES[i % len(PLACES)])


def send(body, way):
    c = Client()
    c.hello()
    c.envelope()
    if way == "bdat":
        c.send(chunks(body, len(body) // 2))
        c.expect("250 2.0.0 Chunk received$")
    else:
        c.cmd("DATA", "354")
        c.send(stuff(body) + b".\r\n")
    c.expect("554 5.7.1 ")
    c.quit()


def refused(how, way, check):
    with how, Server() as srv:
        before = stats()
        for body in mails():
            send(body, way)
            wait_for("the end", lambda: not sessions())
            check(srv)
            srv.conns.clear()
        expect_equal(srv.messages, [], "messages")
        expect_equal(delta(before, "infected"), LOAD_MAILS, "infected")


def sees_nothing(srv):
    for word in (b"DATA", b"BDAT", b"Subject", VIRUS[:16]):
        assert word not in srv.log, word


def sees_no_end(srv):
    for word in (b"\r\n.\r\n", b" LAST\r\n"):
        assert word not in srv.log, word


def test_hold_data():
    """hold, DATA: it sees no octet of a message"""
    refused(nullcontext(), "data", sees_nothing)


def test_hold_bdat():
    """hold, BDAT: it sees no octet of a message"""
    refused(nullcontext(), "bdat", sees_nothing)


def test_splice_data():
    """splice, DATA: it sees no end of a message, and gets none"""
    refused(splice(), "data", sees_no_end)


def test_splice_bdat():
    """splice, BDAT: it sees no last chunk, and gets no message"""
    refused(splice(), "bdat", sees_no_end)


if __name__ == "__main__":
    main(tests_of(sys.modules[__name__]))
