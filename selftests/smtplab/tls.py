# SPDX-License-Identifier: GPL-2.0
"""Clients and servers that do TLS, and what becomes of their sessions."""
import os
import ssl
import warnings
from contextlib import contextmanager

from smtplab.client import Client
from smtplab.expect import expect_equal, wait_for
from smtplab.gateway import av_log, delta, sessions, stats
from smtplab.net import RUN
from smtplab.server import Server

# of versions of TLS that some tests speak
warnings.filterwarnings("ignore", category=DeprecationWarning)

CA = os.path.join(RUN, "ca.pem")
CERT = os.path.join(RUN, "server.pem")
KEY = os.path.join(RUN, "server.key")
NAME = "gateway.internal.lab"
VERSIONS = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)


def server_context(version=None, cert=CERT, key=KEY):
    ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ctx.load_cert_chain(cert, key)
    if version:
        ctx.minimum_version = ctx.maximum_version = version
    return ctx


def client_context(version=None):
    ctx = ssl.create_default_context(cafile=CA)
    if version:
        ctx.minimum_version = ctx.maximum_version = version
    return ctx


class TlsServer(Server):
    """A Server with STARTTLS, or that begins with TLS where port is 465."""

    def __init__(self, ctx=None, port=25, script=None, **kw):
        self.ctx = ctx or server_context()
        script = {"STARTTLS": self._starttls, **(script or {})}
        if port == 465:
            script["BANNER"] = self._smtps
        super().__init__(port=port, script=script, **kw)

    def _wrap(self, p):
        try:
            p.sock = self.ctx.wrap_socket(p.sock, server_side=True)
        except (ssl.SSLError, OSError):
            return False
        return True

    def _starttls(self, p):
        p.send(b"220 2.0.0 Ready to start TLS\r\n")
        return self._wrap(p)

    def _smtps(self, p):
        return self._wrap(p) and p.send(b"220 server.lab ESMTP\r\n") is None


class TlsClient(Client):
    """A Client that does TLS with what it takes for the server."""

    def start_tls(self, ctx=None, name=NAME):
        self.sock = (ctx or client_context()).wrap_socket(
            self.sock, server_hostname=name)

    def starttls(self, ctx=None, name=NAME):
        self.cmd("STARTTLS", "220 2.0.0 Ready to start TLS$")
        self.start_tls(ctx, name)
        return self.cmd("EHLO client.lab", "250")

    def quit_tls(self):
        self.cmd("QUIT", "221")
        assert not self.sock.recv(100)
        self.sock.close()


def inspected(ctx=None, family=4, name=NAME):
    c = TlsClient(family=family)
    c.hello()
    r = c.starttls(ctx, name)
    assert "STARTTLS" not in r, r
    return c


def issuer(c):
    return dict(x[0] for x in c.sock.getpeercert()["issuer"])["commonName"]


def blocked():
    """What the log says of sessions that ended since their TLS failed."""
    return [r for r in av_log() if r["type"] == "ssl" and r["action"] == "blocked"]


@contextmanager
def failures(*causes):
    """Sessions end since TLS fails, and are counted and logged."""
    before, written = stats(), len(blocked())
    yield
    wait_for("the end", lambda: not sessions())
    expect_equal(delta(before, "handshake-failed"), len(causes), "failed")
    expect_equal(delta(before, "handshakes"), 0, "handshakes")
    wait_for("the log", lambda: len(blocked()) >= written + len(causes))
    new = blocked()[written:]
    expect_equal([r["reason"] for r in new], list(causes),
                 "log: " + "; ".join(r["msg"] for r in new))


def expect_refused(alert, ctx=None, name=NAME, port=25):
    """The client's handshake ends with this alert."""
    c = TlsClient(port=port)
    if port != 465:
        c.hello()
        c.cmd("STARTTLS", "220 2.0.0 Ready to start TLS$")
    try:
        c.start_tls(ctx, name)
    except ssl.SSLError as e:
        # not all of them have names in Python
        assert alert in str(e).upper().replace(" ", "_"), (alert, e)
    else:
        raise AssertionError("no alert %s, but %s" % (alert, c.sock.version()))
    finally:
        c.sock.close()
