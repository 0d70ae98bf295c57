# SPDX-License-Identifier: GPL-2.0
"""Mails from a client to a server."""
from smtplab.client import Client
from smtplab.expect import expect_equal, wait_for
from smtplab.gateway import delta, stats
from smtplab.mails import mail, sha, stuff
from smtplab.server import HIDDEN, Server, Watcher


def is_inspected(c):
    """Whether the gateway is between this new client and the server."""
    return HIDDEN not in c.hello()


def through(family, body=mail(), server="server", **client):
    """One mail passes and was inspected. Returns the server's peer."""
    before = stats()
    with Server(ns=server) as srv:
        c = Client(family=family, **client)
        assert is_inspected(c), "not inspected"
        c.message(body)
        c.quit()
        expect_equal([sha(m) for m in srv.messages], [sha(body)], "messages")
        expect_equal(delta(before, "accepted"), 1, "sessions")
        return srv.peers[0]


def ask(body, pattern):
    """A session with one message. Returns what the server has got."""
    with Watcher() as srv:
        c = Client()
        c.hello()
        c.message(body, pattern)
        c.quit()
        wait_for("the end", lambda: srv.ends)
        return srv.messages


def send_message(body):
    """A client that has sent a message and waits for the reply."""
    c = Client()
    c.hello()
    c.envelope()
    c.cmd("DATA", "354")
    c.send(stuff(body) + b".\r\n")
    return c
