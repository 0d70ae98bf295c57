#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""A helper that says of a message what it should not (THREATS I2, I5)."""
import errno
import fcntl
import os
import struct
import sys
from contextlib import contextmanager

from smtplab.client import Client
from smtplab.config import MODES, av, mode, setting
from smtplab.expect import expect_equal, wait_for
from smtplab.gateway import counted, stats
from smtplab.genl import UAPI
from smtplab.helper import in_place_of_the_helper
from smtplab.lab import main
from smtplab.mails import chunks, mail
from smtplab.net import RUN
from smtplab.server import Server
from smtplab.tap import tests_of

F_ADD_SEALS = 1033


@contextmanager
def sealed(data, seals=0xf, size=None):
    """A memory file as the helper gives one: F_SEAL_SEAL, SHRINK, GROW and WRITE."""
    fd = os.memfd_create("replacement", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        os.write(fd, data)
        if size:
            os.ftruncate(fd, size)
        fcntl.fcntl(fd, F_ADD_SEALS, seals)
        yield fd
    finally:
        os.close(fd)


def say(g, cookie, verdict, fd=None, tag=None):
    """What a helper says of a message; returns the errno, or b""."""
    attrs = {"SCAN_COOKIE": cookie,
             "SCAN_VERDICT": struct.pack("I", UAPI["VERDICT_" + verdict])}
    if fd is not None:
        attrs["SCAN_REPLACEMENT"] = struct.pack("i", fd)
    if tag is not None:
        attrs["SCAN_TAG"] = tag + b"\0"
    return g.ask("SCAN_VERDICT", **attrs)


def taken(g):
    cookie, f = g.take()
    f.close()
    return cookie


def test_I5_unwanted_verdicts():
    """discard or a replacement that the profile does not want: 451, nothing arrives"""
    for how in MODES:
        with mode(how), in_place_of_the_helper(mail("x")) as (g, c, srv):
            expect_equal(say(g, taken(g), "DISCARD"), b"", "discard")
            c.expect("451 4.3.0")
            c.quit()
            expect_equal(srv.messages, [], "messages")
        with mode(how), in_place_of_the_helper(mail("x")) as (g, c, srv), \
                sealed(mail("y")) as fd:
            expect_equal(say(g, taken(g), "ACCEPT", fd), b"", "replacement")
            c.expect("451 4.3.0")
            c.quit()
            expect_equal(srv.messages, [], "messages")


def test_I5_bad_replacements():
    """a replacement that is no sealed memory file is refused, the request stays"""
    with av("infected", "replace"), in_place_of_the_helper(mail("x")) as (g, c, srv):
        cookie = taken(g)
        with open("/dev/null", "rb") as null, open(os.path.join(RUN, "av.log"), "rb") as log, \
                sealed(b"a\r\n", 0) as open_to_all, sealed(b"a\r\n", 0x7) as writable:
            folder = os.open("/", os.O_RDONLY)
            for fd in null.fileno(), log.fileno(), open_to_all, writable, folder, 9999, -1:
                expect_equal(say(g, cookie, "ACCEPT", fd), errno.EINVAL, "descriptor %d" % fd)
            os.close(folder)
        with sealed(mail("y")) as fd:
            expect_equal(say(g, cookie, "REJECT", fd), errno.EINVAL, "with a reject")
            expect_equal(say(g, cookie, "ACCEPT", fd), b"", "a good one")
        c.expect("250 2.0.0 queued$")
        c.quit()
        expect_equal(srv.messages, [mail("y")], "messages")


def test_I5_replacement_octets():
    """what a replacement holds must be one message that fits: else 451"""
    good = mail("y")
    for data, size in ((b"a\r\n.\r\nMAIL FROM:<b@lab>\r\n", None), (b"no line end", None),
                       (b"a\nb\r\n", None), (b"a\r\n.\rb\r\n", None),
                       (b"x", 200 << 20)):
        with av("infected", "replace"), in_place_of_the_helper(mail("x")) as (g, c, srv):
            with sealed(data, size=size) as fd:
                expect_equal(say(g, taken(g), "ACCEPT", fd), b"", "verdict")
            c.expect("451 4.3.0")
            c.cmd("NOOP", "250")
            c.quit()
            expect_equal(srv.messages, [], "messages")
            assert good not in srv.log
    wait_for("an empty hold", lambda: stats()["held"] == 0)


def test_I5_replacement_dies():
    """a helper that is killed behind its verdict: the replacement goes on"""
    with av("infected", "replace"), in_place_of_the_helper(mail("x")) as (g, c, srv):
        with sealed(mail("y")) as fd:
            expect_equal(say(g, taken(g), "ACCEPT", fd), b"", "verdict")
        g.sock.close()
        c.expect("250 2.0.0 queued$")
        c.quit()
        expect_equal(srv.messages, [mail("y")], "messages")


def test_C4_empty_replacement():
    """BDAT 0 LAST, and a server that answers it at once"""
    with av("infected", "replace"), in_place_of_the_helper(None) as (g, c, srv):
        c.hello()
        c.envelope()
        c.send(chunks(mail("x")))
        wait_for("a request", lambda: stats()["scan-queued"] == 1)
        with sealed(b"") as fd:
            expect_equal(say(g, taken(g), "ACCEPT", fd), b"", "verdict")
        c.expect("250 2.0.0 queued$")
        c.quit()
        expect_equal(srv.messages, [b""], "messages")
        assert b"BDAT 0 LAST\r\n" in srv.log


def test_I5_tags():
    """a tag is one header field, and goes with accept alone"""
    with in_place_of_the_helper(mail("x")) as (g, c, srv):
        cookie = taken(g)
        for tag in (b"X", b": y", b"a b: y", b"X: y\r\nTo: z", b".X: y", b"X: \xff",
                    b"X: " + b"y" * 600):
            assert say(g, cookie, "ACCEPT", tag=tag) in (errno.EINVAL, errno.ERANGE), tag
        expect_equal(say(g, cookie, "TEMPFAIL", tag=b"X: y"), errno.EINVAL, "with a tempfail")
        expect_equal(say(g, cookie, "ACCEPT", tag=b"X-Y: z"), b"", "a good one")
        c.expect("250 2.0.0 queued$")
        c.quit()
        expect_equal(srv.messages, [b"X-Y: z\r\n" + mail("x")], "messages")


def test_late_server():
    """a server that does not answer a NOOP: a clean message is not blocked for it"""
    for words in ("scan-timeout", "block"), ("av-scan", "disable"):
        with setting("scan-timeout", "2s", "keepalive", "300ms"), av(*words), \
                counted(message_timeout=1, unscanned_scan_timeout=0), \
                Server(script={"NOOP": lambda p: True}) as srv:
            c = Client()
            c.hello()
            c.envelope()
            c.cmd("DATA", "354")
            c.send(b"Subject: x\r\n")
            wait_for("the NOOP", lambda: b"NOOP" in srv.log)
            c.send(b"\r\n.\r\n")
            c.expect("451 4.4.2")
            c.reset()


if __name__ == "__main__":
    main(tests_of(sys.modules[__name__]))
