#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""What becomes of a message, in every mode, by DATA and BDAT, with every kind of TLS.

In each of the tests: what the server has for delivered is what was sent, whole,
and the client has its 250 for that and for nothing else (promises 1 and 3), but
where it is said.
"""
import itertools
import signal

from smtplab.client import Client
from smtplab.config import MODES, av, mode, setting
from smtplab.expect import expect_equal, wait_for
from smtplab.gateway import delta, sessions, stats
from smtplab.helper import kill_helpers, signal_helpers, start_helper, stopped_helper
from smtplab.lab import main
from smtplab.mails import UNSCANNED, chunks, eicar, infected, mail, sha, stuff
from smtplab.server import Watcher
from smtplab.tls import TlsClient, TlsServer, inspected

LAYERS = ("plain", "starttls", "smtps")
# how it is sent: by DATA, by one BDAT, by many
WAYS = ("data", "bdat", "chunks")
SIZES = (1, 0, 100, 3000, 5)
BODY = mail("some lines\r\n.with a dot\r\n" + "x" * 20000)


class TlsWatcher(Watcher, TlsServer):
    """A Watcher that does TLS."""


def serve(layer, **kw):
    if layer == "plain":
        return Watcher(**kw)
    return TlsWatcher(port=465 if layer == "smtps" else 25, **kw)


def connect(layer):
    if layer == "starttls":
        return inspected()
    if layer == "plain":
        c = Client()
    else:
        c = TlsClient(port=465)
        c.start_tls()
    c.hello()
    return c


def send(c, body, way):
    """A whole message; the reply is not awaited."""
    c.envelope()
    if way == "data":
        c.cmd("DATA", "354")
        c.send(stuff(body) + b".\r\n")
        return
    sizes = [n for n in SIZES if way == "chunks" and n < len(body) // 4]
    c.send(chunks(body, *sizes))
    for n in sizes:
        c.expect("250 2.0.0 Chunk received$")


def leave(c, layer):
    if layer == "plain":
        c.quit()
    else:
        c.quit_tls()


def scanning():
    wait_for("the scan", lambda: any(s["state"] == "scan" for s in sessions()))


def is_cut(srv):
    """The server has no end of a message."""
    assert b"\r\n.\r\n" not in srv.log
    assert b" LAST\r\n" not in srv.log
    expect_equal(srv.messages, [], "messages")


def accept(how, layer, way):
    """a clean one is delivered, and the next one too"""
    with mode(how), serve(layer) as srv:
        c = connect(layer)
        for _ in range(2):
            send(c, BODY, way)
            c.expect("250 2.0.0 queued$")
        leave(c, layer)
        expect_equal([sha(m) for m in srv.messages], [sha(BODY)] * 2, "messages")


def reject(how, layer, way):
    """an infected one gets the 554; the legs live on where that can be"""
    lives = how == "hold" or way != "data"
    with mode(how), serve(layer) as srv:
        c = connect(layer)
        send(c, infected(), way)
        c.expect("554 5.7.1 ")
        if lives:
            expect_equal(srv.messages, [], "messages")
            send(c, BODY, way)
            c.expect("250 2.0.0 queued$")
        leave(c, layer)
        wait_for("the end", lambda: srv.ends)
        expect_equal([sha(m) for m in srv.messages],
                     [sha(BODY)] * lives, "messages")


def replace(how, layer, way):
    """the infected part is replaced by a text, the next message goes as it is"""
    with av("infected", "replace", how=how), serve(layer) as srv:
        c = connect(layer)
        for body in infected(), BODY:
            send(c, body, way)
            c.expect("250 2.0.0 queued$")
        leave(c, layer)
        first, second = srv.messages
        expect_equal(sha(second), sha(BODY), "the second")
        assert b"removed" in first and eicar() not in first, first
        assert first.startswith(infected().partition(b"--XXX\r\nContent-Type: app")[0])


def discard(how, layer, way):
    """the client has a 250 of the gateway's own (the one case), the server nothing"""
    with av("infected", "discard", how=how), serve(layer) as srv:
        c = connect(layer)
        send(c, infected(), way)
        c.expect("250 2.0.0 Ok$")
        leave(c, layer)
        wait_for("the end", lambda: srv.ends)
        is_cut(srv)


def unscanned(how, layer, way):
    """what passes unscanned has a header field in hold mode"""
    with av("oversize-limit", "10", "oversize", "pass", how=how), serve(layer) as srv:
        c = connect(layer)
        send(c, BODY, way)
        c.expect("250 2.0.0 queued$")
        leave(c, layer)
        tag = UNSCANNED % b"oversize" if how == "hold" else b""
        expect_equal([sha(m) for m in srv.messages], [sha(tag + BODY)], "messages")


def tempfail(how, layer, way):
    """without a verdict in time: 451"""
    with mode(how), setting("scan-timeout", "500ms"), serve(layer) as srv:
        c = connect(layer)
        with stopped_helper():
            send(c, BODY, way)
            c.expect("451 4.3.0 ")
        leave(c, layer)
        wait_for("the end", lambda: srv.ends)
        is_cut(srv)


def helper_killed(how, layer, way):
    """the helper is killed amid the scan, the next one answers"""
    with mode(how), setting("scan-timeout", "600s"), serve(layer) as srv:
        c = connect(layer)
        signal_helpers(signal.SIGSTOP)
        send(c, BODY, way)
        scanning()
        kill_helpers()
        is_cut(srv)
        start_helper()
        c.expect("250 2.0.0 queued$")
        leave(c, layer)
        expect_equal([sha(m) for m in srv.messages], [sha(BODY)], "messages")


def server_gone(how, layer, way):
    """the server leaves once it has a part of the message"""
    def begun(p):
        if way == "data":
            p.send(b"354 go ahead\r\n")
        while b"some lines" not in p.log:
            if not p.fill():
                return False
        return False
    with mode(how), serve(layer, script={"DATA": begun, "BDAT": begun}) as srv:
        c = connect(layer)
        send(c, BODY, way)
        c.expect("4[25]1 4.4.2 ")
        wait_for("the end", lambda: srv.ends)
        c.sock.close()
        expect_equal(srv.messages, [], "messages")


def client_gone(how, layer, way):
    """the client is gone amid the scan"""
    with mode(how), serve(layer) as srv:
        c = connect(layer)
        with stopped_helper():
            send(c, BODY, way)
            scanning()
            c.reset()
            wait_for("the end", lambda: srv.ends)
        wait_for("the end", lambda: not sessions())
        is_cut(srv)


def server_refuses(how, layer, way):
    """the server refuses two by DATA or at their ends: nothing stays, the third goes"""
    refusals = [b"451 4.3.0 not now\r\n"] * 2

    def data(p):
        if refusals:
            p.send(refusals.pop())
            return
        p.send(b"354 go ahead\r\n")
        srv.messages.append(srv.read_body(p))
        p.send(b"250 2.0.0 queued\r\n")

    def end(p):
        p.send(refusals.pop() if refusals else b"250 2.0.0 queued\r\n")

    script = {"DATA": data} if way == "data" else {"BODY": end}
    with mode(how), serve(layer, script=script) as srv:
        before = stats()
        c = connect(layer)
        for _ in range(2):
            if (how, way) == ("splice", "data"):
                c.envelope()
                c.cmd("DATA", "451 4.3.0 not now$")
            else:
                send(c, BODY, way)
                c.expect("451 4.3.0 not now$")
            expect_equal(stats()["held"], 0, "held")
        send(c, BODY, way)
        c.expect("250 2.0.0 queued$")
        leave(c, layer)
        expect_equal(sha(srv.messages[-1]), sha(BODY), "the third")
        expect_equal(delta(before, "refused-by-server"), 2, "refused by the server")


FATES = (accept, reject, replace, discard, unscanned, tempfail, helper_killed, server_gone,
         server_refuses, client_gone)


def table():
    for fate, way, how, layer in itertools.product(FATES, WAYS, MODES, LAYERS):
        # the server has it already
        if fate is replace and how == "splice":
            continue
        def test(fate=fate, args=(how, layer, way)):
            fate(*args)
        test.__name__ = "test_%s" % "_".join((way, how, layer, fate.__name__))
        test.__doc__ = fate.__doc__
        yield test


if __name__ == "__main__":
    main(list(table()))
