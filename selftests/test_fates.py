#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""What becomes of a message, in every mode and with every kind of TLS.

In each of the tests: what the server has for delivered is what was sent, whole,
and the client has its 250 for that and for nothing else (promises 1 and 3).
"""
import os
import signal
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from smtplab import *  # noqa: E402,F403
from test_splice import Watcher, mode, stopped_helper  # noqa: E402
from test_tls import TlsClient, TlsServer, inspected  # noqa: E402

MODES = ("hold", "splice")
LAYERS = ("plain", "starttls", "smtps")
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


def send(c, body):
    """A whole message; the reply is not awaited."""
    c.envelope()
    c.cmd("DATA", "354")
    c.send(stuff(body) + b".\r\n")


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
    expect_equal(srv.messages, [], "messages")


def accept(how, layer):
    """a clean one is delivered, and the next one too"""
    with mode(how), serve(layer) as srv:
        c = connect(layer)
        for _ in range(2):
            send(c, BODY)
            c.expect("250 2.0.0 queued$")
        leave(c, layer)
        expect_equal([sha(m) for m in srv.messages], [sha(BODY)] * 2, "messages")


def reject(how, layer):
    """an infected one gets the 554; the legs live on where that can be"""
    with mode(how), serve(layer) as srv:
        c = connect(layer)
        send(c, infected())
        c.expect("554 5.7.1 ")
        if how == "hold":
            expect_equal(srv.messages, [], "messages")
            send(c, BODY)
            c.expect("250 2.0.0 queued$")
        leave(c, layer)
        wait_for("the end", lambda: srv.ends)
        expect_equal([sha(m) for m in srv.messages],
                     [sha(BODY)] * (how == "hold"), "messages")


def tempfail(how, layer):
    """without a verdict in time: 451"""
    with mode(how), setting("scan-timeout", "500ms"), serve(layer) as srv:
        c = connect(layer)
        with stopped_helper():
            send(c, BODY)
            c.expect("451 4.3.0 ")
        leave(c, layer)
        wait_for("the end", lambda: srv.ends)
        is_cut(srv)


def helper_killed(how, layer):
    """the helper is killed amid the scan, the next one answers"""
    with mode(how), setting("scan-timeout", "600s"), serve(layer) as srv:
        c = connect(layer)
        signal_helpers(signal.SIGSTOP)
        send(c, BODY)
        scanning()
        kill_helpers()
        is_cut(srv)
        start_helper()
        c.expect("250 2.0.0 queued$")
        leave(c, layer)
        expect_equal([sha(m) for m in srv.messages], [sha(BODY)], "messages")


def server_gone(how, layer):
    """the server leaves once it has a part of the message"""
    def data(p):
        p.send(b"354 go ahead\r\n")
        while b"some lines" not in p.log:
            if not p.fill():
                return False
        return False
    with mode(how), serve(layer, script={"DATA": data}) as srv:
        c = connect(layer)
        send(c, BODY)
        c.expect("4[25]1 4.4.2 ")
        wait_for("the end", lambda: srv.ends)
        c.sock.close()
        expect_equal(srv.messages, [], "messages")


def client_gone(how, layer):
    """the client is gone amid the scan"""
    with mode(how), serve(layer) as srv:
        c = connect(layer)
        with stopped_helper():
            send(c, BODY)
            scanning()
            c.reset()
            wait_for("the end", lambda: srv.ends)
        wait_for("the end", lambda: not sessions())
        is_cut(srv)


def table():
    for how in MODES:
        for layer in LAYERS:
            for fate in (accept, reject, tempfail, helper_killed, server_gone,
                         client_gone):
                def test(fate=fate, how=how, layer=layer):
                    fate(how, layer)
                test.__name__ = "test_%s_%s_%s" % (how, layer, fate.__name__)
                test.__doc__ = fate.__doc__
                yield test


if __name__ == "__main__":
    main(list(table()))
