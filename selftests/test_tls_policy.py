#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""What TLS profiles say besides the checks of certificates, and handshakes that
fail or lose their helper.
"""
import base64
import json
import os
import re
import signal
import socket
import ssl
import struct
import sys
import threading
from contextlib import contextmanager

from cryptography.hazmat.primitives import serialization

from smtplab.client import Client
from smtplab.config import own_profile
from smtplab.expect import PATIENCE, expect_equal, wait_for
from smtplab.gateway import delta, monitor, sessions, stats
from smtplab.helper import helpers, restarted_helper
from smtplab.lab import main
from smtplab.mails import infected, mail
from smtplab.net import CLIENT4, HAVE_IPV6, LISTEN, RUN, SERVER4, TIME_WAIT, netns, sh, tcp_sockets
from smtplab.pki import der
from smtplab.server import Server
from smtplab.tap import tests_of
from smtplab.tls import (CERT, NAME, VERSIONS, TlsClient, TlsServer, client_context,
                         expect_refused, failures, inspected, issuer, server_context)

GATEWAY_CA = "smtpsplice gateway CA"
# How many handshakes are under way when their helper dies
LOAD_HANDSHAKES = int(os.environ.get("LOAD_HANDSHAKES", "50"))
V12, V13 = VERSIONS
OLD = (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1)
HTTP = ("GET", "POST", "PUT", "HEAD", "DELETE", "OPTIONS", "CONNECT", "TRACE",
        "PATCH")
# OpenSSL has them, the kernel does not
CBC = "ECDHE-ECDSA-AES128-SHA:ECDHE-ECDSA-AES128-SHA256"


def lenient(*words):
    """A profile for servers whose certificate nobody has signed."""
    return own_profile("untrusted-server-cert", "ignore", *words)


def own_context():
    """For a client that knows the server's own certificate."""
    ctx = ssl.create_default_context(cafile=CERT)
    ctx.check_hostname = False
    return ctx


def limited(ctx, versions=None, ciphers=None):
    """Makes a context one of an old peer."""
    if versions:
        ctx.set_ciphers("DEFAULT:@SECLEVEL=0")
        ctx.minimum_version, ctx.maximum_version = versions
    if ciphers:
        ctx.maximum_version = V12
        ctx.set_ciphers(ciphers)
    return ctx


def is_inspected(c):
    return GATEWAY_CA in issuer(c)


def talk(c, srv, body=None):
    """Mail passes, in TLS."""
    n = len(srv.messages)
    c.message(body or mail("in TLS"))
    c.quit_tls()
    expect_equal(srv.messages[n:], [body or mail("in TLS")], "messages")


def starttls(ctx=None, name=NAME):
    c = TlsClient()
    c.hello()
    c.starttls(ctx, name)
    return c


def expect_bypassed(counter, name=NAME, port=25, family=4):
    """The client sees the server's own certificate, and that is counted."""
    off = counter == "bypass-off"
    wait_for("quiet", lambda: not sessions())
    with TlsServer(port=port) as srv:
        before = stats()
        c = TlsClient(port=port, family=family)
        if port == 465:
            c.start_tls(own_context(), name)
            c.hello()
        else:
            c.hello()
            c.starttls(own_context(), name)
        with open(CERT) as f:
            own = ssl.PEM_cert_to_DER_cert(f.read())
        expect_equal(c.sock.getpeercert(True), own, "certificate")
        expect_equal([s["state"] for s in sessions()],
                     [] if off else ["relay"], "state")
        talk(c, srv, infected())
        expect_equal(delta(before, counter), 1, counter)
        if off:
            expect_equal(delta(before, "accepted"), 0, "accepted")
        expect_equal(delta(before, "handshakes"), 0, "handshakes")
        wait_for("the end", lambda: not sessions())


@contextmanager
def kernel_says(what):
    """Something is new in the kernel's log."""
    before = sh("dmesg").stdout.count(what)
    yield
    assert sh("dmesg").stdout.count(what) > before, what


def expect_inspected(ctx=None, name=NAME):
    with TlsServer() as srv:
        c = inspected(ctx, name=name)
        assert is_inspected(c), issuer(c)
        talk(c, srv)


# --- STARTTLS and ports that begin with TLS -----------------------------------

def test_A3_require():
    """mail in clear is refused where there is STARTTLS, and only there"""
    with lenient("starttls", "require"):
        with TlsServer() as srv:
            c = TlsClient()
            assert "STARTTLS" in c.hello()
            for line in ("MAIL FROM:<from@lab>", "RCPT TO:<to@lab>", "DATA",
                         "AUTH PLAIN AGEAYg==", "RSET", "VRFY x"):
                c.cmd(line, "530 5.7.0 Must issue a STARTTLS command first$")
            c.cmd("NOOP", "250")
            c.starttls()
            assert is_inspected(c), issuer(c)
            talk(c, srv)
            assert b"VRFY" not in srv.log, srv.log
        with Server(ehlo=("PIPELINING",)) as srv:
            c = Client()
            c.hello()
            c.message(mail())
            c.quit()


def test_A3_strip():
    """STARTTLS is hidden, and is no command"""
    with lenient("starttls", "strip"), TlsServer() as srv:
        c = Client()
        assert "STARTTLS" not in c.hello()
        c.cmd("STARTTLS", "502 5.5.1 ")
        c.message(mail("in clear"))
        c.message(infected(), "554 5.7.1 ")
        c.quit()
        assert b"STARTTLS" not in srv.log, srv.log
        expect_equal(srv.messages, [mail("in clear")], "messages")


def test_bypass():
    """what follows STARTTLS passes unseen; what comes before does not"""
    with lenient("starttls", "bypass"), kernel_says("TLS passes unscanned: policy "):
        expect_bypassed("bypass-policy")
        with TlsServer():
            c = Client()
            c.hello()
            c.message(infected(), "554 5.7.1 ")
            c.quit()


def test_smtps_bypass():
    """a port that begins with TLS passes unseen"""
    with lenient("smtps", "bypass"), kernel_says("TLS passes unscanned: policy "):
        expect_bypassed("bypass-policy", port=465)
        expect_inspected()


def test_smtps_off():
    """a port that begins with TLS is not touched, other ports are"""
    with lenient("smtps", "off"):
        with kernel_says(", port 465 is off"):
            expect_bypassed("bypass-off", port=465)
        before = stats()
        expect_inspected()
        # the gateway's own port is nothing that passes
        with netns("client"), socket.socket() as s:
            assert s.connect_ex(("10.0.2.1", 465)), "connected to the gateway"
        expect_equal(delta(before, "bypass-off"), 0, "off")


# --- exemptions ---------------------------------------------------------------

def test_F_exempt_name():
    """names that the client asks for, one of them with a wildcard"""
    with lenient("exempt-name", "*.exempt.lab,mail.alone.lab",
                     "sni-server-cert-check", "disable"):
        for name in ("a.exempt.lab", "A.Exempt.LAB", "mail.alone.lab"):
            expect_bypassed("bypass-exempt", name)
        expect_bypassed("bypass-exempt", "a.exempt.lab", 465)
        ctx = client_context()
        ctx.check_hostname = False
        for name in ("exempt.lab", "a.b.exempt.lab", "aexempt.lab",
                     "alone.lab", None):
            expect_inspected(ctx, name)


def test_F_exempt_regex():
    """names that match one of two regular expressions"""
    with lenient("exempt-regex", r"^mx[0-9]+\.lab$",
                     "exempt-regex", r"\.bank\.", "sni-server-cert-check",
                     "disable"):
        for name in ("mx12.lab", "www.bank.example"):
            expect_bypassed("bypass-exempt", name)
        ctx = client_context()
        ctx.check_hostname = False
        for name in ("mx.lab", "xmx12.lab", "bank.example"):
            expect_inspected(ctx, name)


def test_F_exempt_address():
    """the server's address, of each family"""
    with lenient("exempt-address", "10.0.2.0/30"):
        expect_bypassed("bypass-exempt")
        expect_bypassed("bypass-exempt", port=465)
    with lenient("exempt-address", "10.0.2.3,10.0.2.128/25,fd00:2::/64"):
        expect_inspected()
        if HAVE_IPV6:
            expect_bypassed("bypass-exempt", family=6)


# --- certificates of clients --------------------------------------------------

EC = ("ec", "-pkeyopt", "ec_paramgen_curve:P-256")


def make_certificate(path, name, *key):
    """PATH.pem and PATH.key, for a server or client of this name."""
    sh("openssl", "req", "-x509", "-newkey", *(key or EC), "-nodes", "-days", "30",
       "-subj",
       "/CN=" + name, "-addext", "subjectAltName=DNS:" + NAME, "-keyout",
       path + ".key", "-out", path + ".pem")


def asking(version, mode, trust=CERT):
    """A server that asks for the client's certificate."""
    ctx = server_context(version)
    ctx.load_verify_locations(trust)
    ctx.verify_mode = mode
    return TlsServer(ctx)


def asking_modes():
    return [(v, m) for v in VERSIONS
            for m in (ssl.CERT_OPTIONAL, ssl.CERT_REQUIRED)]


def test_client_certificate_bypass():
    """the first session finds out that the server asks, the second is passed"""
    path = os.path.join(RUN, "client")
    make_certificate(path, "client.lab")
    ctx = own_context()
    ctx.load_cert_chain(path + ".pem", path + ".key")
    with restarted_helper(), lenient("client-certificate", "bypass"):
        for i, (version, mode) in enumerate(asking_modes()):
            name = "asks%d.lab" % i
            with asking(version, mode, path + ".pem") as srv:
                with failures("client-certificate"):
                    expect_refused("HANDSHAKE_FAILURE", name=name)
                assert not srv.messages
                before = stats()
                c = starttls(ctx, name)
                own = srv.conns[-1].sock.getpeercert()["subject"]
                expect_equal(own, ((("commonName", "client.lab"),),), "client")
                talk(c, srv, infected())
                expect_equal(delta(before, "bypass-client-certificate"), 1,
                             "bypassed")


def test_M5_client_certificate_inspect():
    """by default the server gets no certificate, and may do without"""
    with lenient():
        for version in VERSIONS:
            with asking(version, ssl.CERT_OPTIONAL) as srv:
                for _ in range(2):
                    c = inspected()
                    assert is_inspected(c), issuer(c)
                    talk(c, srv)
        # one that needs it says so in the handshake, or only behind it
        with asking(V12, ssl.CERT_REQUIRED) as srv:
            with failures("client-certificate"):
                expect_refused("HANDSHAKE_FAILURE")
            assert not srv.messages
        # by then it is known for one that does without, but for a new helper
        with asking(V13, ssl.CERT_REQUIRED) as srv, restarted_helper():
            for _ in range(2):
                with failures("client-certificate"):
                    c = TlsClient()
                    c.hello()
                    c.cmd("STARTTLS", "220")
                    # its own handshake is done by then
                    try:
                        c.start_tls()
                        assert c.closed()
                    except ssl.SSLError as e:
                        assert "alert handshake failure" in str(e), e
            assert not srv.messages


def test_client_certificate_block():
    """each session with such a server ends"""
    with lenient("client-certificate", "block"):
        for version, mode in asking_modes():
            with asking(version, mode) as srv:
                for _ in range(2):
                    with failures("client-certificate"):
                        expect_refused("HANDSHAKE_FAILURE")
                assert not srv.messages


# --- a certificate of the server's own ----------------------------------------

def test_F_replace():
    """the client is shown the certificate that the helper was given"""
    folder = os.path.join(RUN, "certs")
    os.makedirs(folder, exist_ok=True)
    make_certificate(os.path.join(folder, "mx"), "replaced")
    with restarted_helper("--cert-dir", folder):
        with lenient("server-cert-mode", "replace", "server-cert", "mx"):
            ctx = ssl.create_default_context(
                cafile=os.path.join(folder, "mx.pem"))
            for version in VERSIONS:
                with TlsServer(server_context(version)) as srv:
                    c = starttls(ctx)
                    expect_equal(issuer(c), "replaced", "issuer")
                    c.message(infected(), "554 5.7.1 ")
                    talk(c, srv)
        with lenient("server-cert-mode", "replace", "server-cert", "gone"), \
                TlsServer() as srv, failures("helper"):
            expect_refused("INTERNAL_ERROR", ctx)
            assert not srv.messages


# --- A, E: what a client or server may try ------------------------------------

def test_E1_alpn():
    """a client that does not name smtp among its protocols is refused"""
    for protocols in (["h2"], ["http/1.1"], ["h2", "http/1.1"]):
        ctx = client_context()
        ctx.set_alpn_protocols(protocols)
        with TlsServer() as srv, failures("negotiation"):
            expect_refused("NO_APPLICATION_PROTOCOL", ctx)
            assert not srv.messages
    for version in VERSIONS:
        for protocols in (["smtp"], ["h2", "smtp"]):
            ctx = client_context(version)
            ctx.set_alpn_protocols(protocols)
            with TlsServer() as srv:
                c = inspected(ctx)
                expect_equal(c.sock.selected_alpn_protocol(), "smtp", "chosen")
                talk(c, srv)


def test_E1_http():
    """an HTTP request inside TLS ends with 500, without an echo of it"""
    for port in (25, 465):
        with TlsServer(port=port) as srv:
            c = TlsClient(port=port)
            if port == 465:
                c.start_tls()
                c.hello()
            else:
                c.hello()
                c.starttls()
            c.send(b"POST / HTTP/1.1\r\nHost: x\r\n\r\n<script>evil</script>")
            c.expect("500 5.5.1 Bad command$")
            expect_equal(c.buf + rest_of(c.sock), b"", "what follows")
            wait_for("the end", lambda: not sessions())
            for word in (b"POST", b"Host", b"script"):
                assert word not in srv.log and word not in c.log, word


def test_E1_http_verbs():
    """the same with other requests; what else is no verb gets 500 or 502, no echo"""
    for line in ("GET / HTTP/1.1", "PUT /x HTTP/1.0", "HEAD /", "DELETE /",
                 "OPTIONS * HTTP/1.1", "CONNECT a:25 HTTP/1.1", "TRACE /",
                 "PATCH /", "get /", "PRI * HTTP/2.0", "<script>", "Host: x"):
        with TlsServer() as srv:
            c = inspected()
            seen = len(srv.log)
            c.send(line.encode() + b"\r\n")
            said = c.expect("50[02] 5.5.[12] ")
            if line.split()[0].upper() in HTTP:
                expect_equal(said, "500 5.5.1 Bad command", line)
                expect_equal(c.buf + rest_of(c.sock), b"", "what follows")
            for word in line.split():
                assert word not in said, said
            c.sock.close()
            wait_for("the end", lambda: not sessions())
            assert line.encode() not in srv.log[seen:], srv.log


def test_A3_refused():
    """a server refuses STARTTLS: the client is told and goes on in clear"""
    for reply in ("454 4.7.0 TLS not available", "502 5.5.1 not implemented",
                  "501 5.5.2 syntax", "500 what?", "530 5.7.0 no",
                  "554-5.7.0 not\r\n554 5.7.0 you", "451 4.3.0 later"):
        with TlsServer(script={"STARTTLS": reply + "\r\n"}) as srv:
            before = stats()
            c = Client()
            c.hello()
            expect_equal(c.cmd("STARTTLS"), reply.replace("\r", ""), "reply")
            c.message(mail("in clear"))
            c.message(infected(), "554 5.7.1 ")
            c.quit()
            expect_equal(srv.messages, [mail("in clear")], "messages")
            for key in ("handshakes", "handshake-failed"):
                expect_equal(delta(before, key), 0, key)


def test_A3_ends():
    """a server that ends the session instead, or answers what is no answer"""
    for reply, seen in (("421 4.3.2 bye\r\n", "421 4.3.2 bye$"),
                        ("250 2.0.0 ok\r\n", "421 4.3.0 "),
                        ("354 go on\r\n", "421 4.3.0 "),
                        ("221 2.0.0 bye\r\n", "421 4.3.0 "),
                        (lambda p: False, "421 4.4.2 ")):
        with TlsServer(script={"STARTTLS": reply}) as srv:
            c = Client()
            c.hello()
            c.cmd("STARTTLS", seen)
            assert c.closed()
            wait_for("the end", lambda: not sessions())
            assert not srv.messages


def test_A4_forgotten():
    """what was said before TLS is forgotten: DATA is out of order"""
    for rcpts in ((), ("to@lab",)):
        with TlsServer() as srv:
            c = TlsClient()
            c.hello()
            c.envelope(rcpts)
            c.cmd("STARTTLS", "220")
            c.start_tls()
            c.cmd("DATA", "503 5.5.1 ")
            c.cmd("EHLO client.lab", "250")
            c.cmd("DATA", "503 5.5.1 ")
            talk(c, srv)


# --- handshakes that fail -----------------------------------------------------

def after_220():
    c = TlsClient()
    c.hello()
    c.cmd("STARTTLS", "220 2.0.0 Ready to start TLS$")
    return c


def client_hello(ctx=None):
    """The first octets of a client of TLS."""
    out = ssl.MemoryBIO()
    try:
        (ctx or client_context()).wrap_bio(
            ssl.MemoryBIO(), out, server_hostname=NAME).do_handshake()
    except ssl.SSLWantReadError:
        pass
    return out.read()


def rest_of(sock):
    """All that still comes, up to the end of the stream."""
    data = b""
    try:
        while True:
            more = sock.recv(65536)
            if not more:
                return data
            data += more
    except ConnectionResetError:
        return data


def leave(c, how):
    """how: "reset", or with a FIN"""
    if how == "reset":
        c.reset()
    else:
        c.sock.close()


def test_client_leaves():
    """a client that goes away before its handshake, or amid it"""
    hello = client_hello()
    for said in (b"", hello[:1], hello[:-1]):
        for how in ("FIN", "reset"):
            with TlsServer() as srv:
                before = stats()
                c = after_220()
                c.send(said)
                leave(c, how)
                wait_for("the end", lambda: not sessions())
                expect_equal(delta(before, "handshakes"), 0, "handshakes")
            assert not srv.messages
    # behind this one the helper has logged all of those
    expect_inspected()
    for how in ("FIN", "reset"):
        reached = threading.Event()

        def silent(p, reached=reached):
            p.send(b"220 2.0.0 Ready to start TLS\r\n")
            p.fill()
            reached.set()
            rest_of(p.sock)
            return False

        with Server(script={"STARTTLS": silent}) as srv, failures("client"):
            c = after_220()
            c.send(hello)
            assert reached.wait(PATIENCE)
            leave(c, how)


def test_A1_client_garbage():
    """a client that speaks something else than TLS, or broken TLS"""
    for said, told in (
            (b"EHLO client.lab\r\n", b""), (b"\0" * 64, b""),
            # what somebody else has put before it
            (b"NOOP\r\n" + client_hello(), b""),
            # records of a ClientHello: none inside, one too long, another one
            (b"\x16\3\1\0\4\1\0\0\0", b"\x15\3\3\0\2\2\x32"),
            (b"\x16\3\1\x7f\xff" + bytes(64), b"\x15\3\3\0\2\2\x32"),
            (b"\x16\3\1\0\4\2\0\0\0", b"\x15\3\3\0\2\2\x32"),
            (b"\x17\3\3\0\4" + bytes(4), b"")):
        with TlsServer() as srv, failures("negotiation"):
            c = after_220()
            c.send(said)
            expect_equal(rest_of(c.sock), told, said)
            assert not c.buf, c.buf
            c.sock.close()
        assert not srv.messages
        assert b"NOOP" not in srv.log, srv.log


def test_F_client_distrusts():
    """a client that does not know the gateway's CA, as all did without it"""
    for version in VERSIONS:
        ctx = ssl.create_default_context(cafile=CERT)
        ctx.minimum_version = ctx.maximum_version = version
        with TlsServer() as srv, failures("client"):
            try:
                after_220().start_tls(ctx)
            except ssl.SSLCertVerificationError:
                pass
            else:
                raise AssertionError("somebody else's certificate is trusted")
        assert not srv.messages


def test_F_client_old():
    """a client that has only TLS 1.0 and 1.1, or only CBC"""
    for cause, alert, how in (
            ("version", "PROTOCOL_VERSION", {"versions": OLD}),
            ("cipher", "HANDSHAKE_FAILURE", {"ciphers": CBC})):
        with TlsServer() as srv, failures(cause):
            expect_refused(alert, limited(client_context(), **how))
        assert not srv.messages
        # passed on where the profile says so, to a server that has it too
        with lenient("unsupported-ssl-version", "allow",
                         "unsupported-ssl-cipher", "allow"):
            with TlsServer(limited(server_context(), **how)) as srv:
                before = stats()
                c = starttls(limited(own_context(), **how))
                talk(c, srv, infected())
                expect_equal(delta(before, "bypass-unsupported"), 1, cause)


def test_A2_smtps_plain():
    """a server on a port of TLS that speaks first, as it must not"""
    with Server(port=465):
        with failures("negotiation"):
            # it may come before the client has begun with TLS
            c = TlsClient(port=465)
            try:
                c.start_tls()
            except (ssl.SSLError, ConnectionResetError):
                pass
            else:
                raise AssertionError("a handshake")
        with lenient("unsupported-ssl-negotiation", "allow"):
            before = stats()
            c = Client(port=465)
            c.hello()
            c.message(mail("in clear"))
            c.quit()
            expect_equal(delta(before, "bypass-unsupported"), 1, "bypassed")


def closing(p):
    """The server ends the connection where its handshake would begin."""
    p.send(b"220 2.0.0 Ready to start TLS\r\n")
    p.fill()
    return False


def babbling(p):
    p.send(b"220 2.0.0 Ready to start TLS\r\n")
    p.fill()
    p.send(b"500 what?\r\n")
    rest_of(p.sock)
    return False


def test_server_fails():
    """a server that leaves in its handshake, or speaks something else"""
    for starttls_reply, cause, alert in (
            (closing, "server", "HANDSHAKE_FAILURE"),
            (babbling, "negotiation", "HANDSHAKE_FAILURE")):
        with TlsServer(script={"STARTTLS": starttls_reply}) as srv, \
                failures(cause):
            expect_refused(alert)
        assert not srv.messages


def test_F_server_old():
    """a server that has only TLS 1.0 and 1.1, or only CBC"""
    for cause, alert, how in (
            ("version", "PROTOCOL_VERSION", {"versions": OLD}),
            ("cipher", "HANDSHAKE_FAILURE", {"ciphers": CBC})):
        with TlsServer(limited(server_context(), **how)) as srv, \
                failures(cause):
            expect_refused(alert)
        assert not srv.messages


def rsa_context(ciphers):
    """For a server of TLS 1.2 with a certificate of RSA."""
    path = os.path.join(RUN, "rsa")
    if not os.path.exists(path + ".pem"):
        make_certificate(path, "rsa.lab", "rsa:2048")
    ctx = server_context(V12, path + ".pem", path + ".key")
    ctx.set_ciphers(ciphers + ":@SECLEVEL=0")
    return ctx


def test_F_server_ciphers():
    """a server without forward secrecy, or without encryption"""
    for ciphers in ("AES128-GCM-SHA256", "NULL-SHA256", "AES128-SHA",
                    "ECDHE-RSA-AES128-SHA"):
        with TlsServer(rsa_context(ciphers)) as srv, failures("cipher"):
            expect_refused("HANDSHAKE_FAILURE")
        assert not srv.messages


def choosing(version, suite):
    """A server that answers each ClientHello with this."""
    body = struct.pack("!H32sBHB", version, os.urandom(32), 0, suite, 0)
    message = b"\2" + struct.pack("!I", len(body))[1:] + body

    def answer(p):
        p.send(b"220 2.0.0 Ready to start TLS\r\n")
        p.fill()
        p.send(struct.pack("!BHH", 22, version, len(message)) + message)
        rest_of(p.sock)
        return False

    return TlsServer(script={"STARTTLS": answer})


def test_F_server_chooses():
    """a server that takes what was not offered to it"""
    for suite in (0,		# NULL
                  3,		# RSA_EXPORT, RC4_40
                  5,		# RSA, RC4_128
                  0x0a,		# RSA, 3DES
                  0x18,		# DH_anon, RC4_128
                  0xa6,		# DH_anon, AES_128_GCM
                  0xc011,	# ECDHE_RSA, RC4_128
                  0x9c,		# RSA, AES_128_GCM
                  0xc013):	# ECDHE_RSA, AES_128_CBC
        with choosing(0x0303, suite) as srv, failures("cipher"):
            expect_refused("HANDSHAKE_FAILURE")
        assert not srv.messages
    for version in (2, 0x0300, 0x0301, 0x0302):
        with choosing(version, 0xc02f) as srv, failures("version"):
            expect_refused("PROTOCOL_VERSION")
        assert not srv.messages


def test_F_server_dh():
    """a server with a group of Diffie-Hellman that is too small, or not of a prime"""
    path = os.path.join(RUN, "dh.pem")
    ctx = rsa_context("DHE-RSA-AES128-GCM-SHA256")
    sh("openssl", "genpkey", "-genparam", "-algorithm", "DH", "-pkeyopt",
       "group:modp_2048", "-out", path)
    ctx.load_dh_params(path)
    with lenient(), TlsServer(ctx) as srv:
        talk(inspected(), srv)
    # openssl(1) has none that is as small, or long enough and not prime
    for modulus in (1 << 1024) - (1 << 1000) + 1, (1 << 2048) - (1 << 2000) + 1:
        octets = modulus.to_bytes(modulus.bit_length() // 8 + 1, "big")
        with open(path, "w") as f:
            f.write("-----BEGIN DH PARAMETERS-----\n" + base64.encodebytes(
                der(0x30, der(2, octets), der(2, b"\2"))
            ).decode() + "-----END DH PARAMETERS-----\n")
        ctx = rsa_context("DHE-RSA-AES128-GCM-SHA256")
        ctx.load_dh_params(path)
        with lenient(), TlsServer(ctx) as srv, failures("cipher"):
            expect_refused("HANDSHAKE_FAILURE")
        assert not srv.messages


def with_extension(hello, number, data):
    """A ClientHello in one record, with an extension more."""
    at = 5 + 4 + 2 + 32
    at += 1 + hello[at]
    at += 2 + int.from_bytes(hello[at:at + 2], "big")
    at += 1 + hello[at]
    more = hello[at + 2:] + struct.pack("!HH", number, len(data)) + data
    body = hello[9:at] + struct.pack("!H", len(more)) + more
    return hello[:3] + struct.pack("!HBBH", len(body) + 4, 1, 0, len(body)) + body


def test_F_extensions():
    """what the gateway does not know of a ClientHello goes no further"""
    got = []

    def keep(p):
        p.send(b"220 2.0.0 Ready to start TLS\r\n")
        while len(p.buf) < 5 or len(p.buf) < 5 + int.from_bytes(
                p.buf[3:5], "big"):
            p.fill()
        got.append(p.buf)
        return False

    ctx = client_context()
    ctx.set_alpn_protocols(["smtp", "marker-one"])
    hello = with_extension(client_hello(ctx), 0xfafa, b"marker-two")
    with Server(script={"STARTTLS": keep}), failures("server"):
        c = after_220()
        c.send(hello)
        expect_equal(rest_of(c.sock), b"\x15\3\3\0\2\2\x28", "alert")
        c.sock.close()
    assert b"\4smtp" in got[0] and NAME.encode() in got[0], got
    assert b"marker" in hello and b"marker" not in got[0], got
    # nor what would link the two
    assert hello[11:43] not in got[0], got


def test_F_version():
    """the client's version is never above the server's"""
    for version, server in ((None, V12), (V12, None), (V12, V12), (None, V13),
                            (None, None)):
        with TlsServer(server_context(server)) as srv:
            c = inspected(client_context(version))
            expect_equal(c.sock.version(), "TLSv1.2" if V12 in (version, server)
                         else "TLSv1.3", "version")
            talk(c, srv)
    # one that cannot go down to the server's
    with TlsServer(server_context(V12)) as srv, failures("version"):
        expect_refused("PROTOCOL_VERSION", client_context(V13))


def test_tickets():
    """tickets of the server for later sessions; the client gets none"""
    for version in VERSIONS:
        ctx = server_context(version)
        ctx.num_tickets = 5
        with TlsServer(ctx) as srv:
            mine = client_context()
            for _ in range(2):
                c = inspected(mine)
                c.message(mail("behind tickets"))
                assert not c.sock.session.has_ticket
                talk(c, srv)


# --- I4: the helper dies ------------------------------------------------------

def tls_process():
    """Process id of the one that shakes hands."""
    found = []
    for pid in helpers():
        try:
            with open("/proc/%d/comm" % pid) as f:
                if f.read() == "ss-tls\n":
                    found.append(pid)
        except OSError:
            pass
    return found


class Visitor(threading.Thread):
    """A client that may not get far. how: how its session ended, "" as yet."""

    def __init__(self, ready):
        super().__init__(daemon=True)
        self.ready, self.how = ready, ""
        self.start()

    def run(self):
        try:
            self.how = self.visit()
        except ssl.SSLError as e:
            self.how = "TLS " + str(e.reason)
        except (ConnectionResetError, BrokenPipeError):
            self.how = "closed"
        except AssertionError as e:
            self.how = "closed" if "connection closed" in str(e) else str(e)
        except Exception as e:  # pylint: disable=broad-except
            self.how = "wrong: %r" % e

    def visit(self):
        c = TlsClient()
        for line, good in ((None, "220 "), ("EHLO client.lab", "250"),
                           ("STARTTLS", "220 ")):
            if line:
                c.send(line.encode() + b"\r\n")
            reply = c.reply()
            if reply[0] == "4":
                return "told " + reply
            assert reply.startswith(good), reply
        c.start_tls()
        self.ready.wait(PATIENCE)
        c.cmd("EHLO client.lab", "250")
        c.message(mail("survived"))
        c.quit_tls()
        return "good"


def handshaking():
    return sum(s["state"] == "handshake" for s in sessions())


def test_I4_killed():
    """the process that shakes hands dies amid many handshakes"""
    gate, ready, count = threading.Event(), threading.Event(), [0]

    class Slow(TlsServer):
        """Every other handshake waits for the gate."""
        def _wrap(self, p):
            with self.lock:
                count[0] += 1
                slow = count[0] % 2
            if slow:
                gate.wait(PATIENCE)
            return super()._wrap(p)

    waiting = (LOAD_HANDSHAKES + 1) // 2
    with Slow() as srv:
        before = stats()
        first = [Visitor(ready) for _ in range(LOAD_HANDSHAKES)]
        wait_for("the handshakes", lambda: handshaking() == waiting and
                 delta(before, "handshakes") == LOAD_HANDSHAKES - waiting)
        old, = tls_process()
        os.kill(old, signal.SIGKILL)
        # some come when there is none, or another one
        late = [Visitor(ready) for _ in range(LOAD_HANDSHAKES // 5)]
        gate.set()
        wait_for("another process",
                 lambda: tls_process() not in ([], [old]))
        ready.set()
        for v in first + late:
            v.join(PATIENCE)
        ends = [v.how for v in first + late]
        wrong = [e for e in ends if not re.match(
            "good$|closed$|told 4|TLS [A-Z]", e)]
        assert not wrong, wrong
        good = ends.count("good")
        print("# %d of %d were served: %r" % (good, len(ends), set(ends)))
        assert good >= LOAD_HANDSHAKES - waiting, ends
        expect_equal(srv.messages, [mail("survived")] * good, "messages")
        assert delta(before, "handshake-failed") >= waiting
        wait_for("the end", lambda: not sessions())
        wait_for("no socket", lambda: {s[2] for s in tcp_sockets("gw")} <=
                 {LISTEN, TIME_WAIT})
        wait_for("none to be counted", lambda: not stats()["sessions"])
        for key in ("handshake-queued", "held"):
            expect_equal(stats()[key], 0, key)
    expect_inspected()


# --- the keys of the CAs --------------------------------------------------------

def memory(pid):
    """What a process has mapped to be written to, piece by piece."""
    with open("/proc/%d/maps" % pid) as f:
        maps = [line.split() for line in f]
    with open("/proc/%d/mem" % pid, "rb") as f:
        for area, mode, *_ in maps:
            if not mode.startswith("rw"):
                continue
            start, end = (int(x, 16) for x in area.split("-"))
            f.seek(start)
            try:
                yield f.read(end - start)
            except OSError:
                pass


def secret_of(path):
    """The number that an EC key is."""
    with open(path, "rb") as f:
        key = serialization.load_pem_private_key(f.read(), None)
    return key.private_numbers().private_value.to_bytes(32, "big")


def test_F_key_store():
    """the keys of the CAs are root's alone, in one process that leaves no core"""
    folder = os.path.join(RUN, "ca")
    keys = [os.path.join(folder, n) for n in os.listdir(folder)
            if n.endswith(".key")]
    expect_equal(len(keys), 2, "keys")
    for path in keys:
        st = os.stat(path)
        expect_equal((st.st_mode & 0o7777, st.st_uid), (0o600, 0), path)
    expect_inspected()
    mine, = tls_process()
    with open("/proc/%d/limits" % mine) as f:
        assert re.search(r"^Max core file size +0 +0 ", f.read(), re.M)
    # as it is in the file, or as GMP has it
    secrets = [s[::step] for s in map(secret_of, keys) for step in (1, -1)]
    having = [pid for pid in helpers() if any(
        s in data for data in memory(pid) for s in secrets)]
    expect_equal(having, [mine], "who has a key")


# --- what is told of it -------------------------------------------------------

def test_events():
    """events and counters of handshakes that are done, bypassed or failed"""
    with lenient("exempt-name", "exempt.lab", "sni-server-cert-check",
                     "disable"), monitor("-j") as lines:
        before = stats()
        with TlsServer(server_context(V12)) as srv:
            talk(starttls(), srv)
            talk(starttls(own_context(), "exempt.lab"), srv)
            old = limited(client_context(), versions=OLD)
            expect_refused("PROTOCOL_VERSION", old)
        wait_for("the end", lambda: not sessions())
        for key, n in (("handshakes", 1), ("handshake-failed", 1),
                       ("bypass-exempt", 1), ("handshake-queued", 0)):
            expect_equal(delta(before, key), n, key)
        wait_for("three events", lambda: sum(
            '"handshake"' in line for line in lines) >= 3)
    events = [json.loads(line) for line in lines]
    done, passed, failed = [e for e in events if e["kind"] == "handshake"]
    for e in (done, passed, failed):
        for key, value in {"policy": "own", "iif": "lan", "client": CLIENT4,
                           "server": SERVER4, "server-port": 25}.items():
            expect_equal(e.get(key), value, key)
    for event, wanted in (
            (done, {"result": "inspected", "cause": "none",
                    "server-name": NAME, "version": "TLSv1.2"}),
            (passed, {"result": "bypassed", "cause": "exempt",
                      "server-name": "exempt.lab"}),
            (failed, {"result": "failed", "cause": "version",
                      "server-name": NAME})):
        for key, value in wanted.items():
            expect_equal(event.get(key), value, key)
    assert "GCM" in done["cipher"] or "CHACHA20" in done["cipher"], done
    assert failed["text"], failed


if __name__ == "__main__":
    main(tests_of(sys.modules[__name__]))
