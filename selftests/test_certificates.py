#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Servers' certificates, good and bad (THREATS 1F): what becomes of the session
and what the client is shown. One test for each kind of certificate, with each
action that the TLS profile has for it.

The certificates are made when this starts. What the helper trusts is
PKI/trust.pem, what was revoked is in PKI/crl.pem.
"""
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
from contextlib import contextmanager
from typing import Callable, NamedTuple

from cryptography import x509

from smtplab.config import own_profile
from smtplab.expect import PATIENCE, expect_equal, wait_for
from smtplab.gateway import cli
from smtplab.helper import PIDFILE, helpers, restarted_helper
from smtplab.lab import main
from smtplab.mails import infected, mail
from smtplab.net import RUN, netns, sh
from smtplab.peer import Peer
from smtplab.pki import (FUTURE, GATEWAY, GATEWAY_UNTRUSTED, KNOWN_BAD, OTHER, PAST, PKI, ROOT,
                         ROOT_OLD, STALE, SUB, SUB_BELOW, SUB_ELSEWHERE, SUB_LAST, SUB_NONE,
                         SUB_NOT_HERE, SUB_OLD, SUB_REVOKED, SUB_RSA, SUB_SHA1, SUB_V1, SUB_WEAK,
                         UNTRUSTED_CA, Staple, cut_by_nul, flip, make_authorities, read, read_der,
                         revocations, revoke, sign, sign_changed, write, write_staple)
from smtplab.server import Server
from smtplab.tap import tests_of
from smtplab.tls import CA, TlsClient, TlsServer, expect_refused, failures, issuer

NAME = "mail.example.lab"
ISSUERS = {"ignore": "smtpsplice gateway CA",
           "allow": "smtpsplice untrusted CA"}
OPTIONS = ("expired-server-cert", "revoked-server-cert",
           "untrusted-server-cert", "cert-validation-timeout",
           "cert-validation-failure")
# X509_V_FLAG_NO_CHECK_TIME of openssl/x509_vfy.h
NO_CHECK_TIME = 0x200000


class Row(NamedTuple):
    """A kind of certificate.

    option: of the TLS profile, None where nothing is wrong, "" where nothing
    helps, or more of them that all have to be set; cause and alert: of a
    session that is blocked; how: arguments for sign(); sent: certificates that
    the server sends behind its own; change: of what was signed; staple: what
    is sent along.
    """
    name: str
    doc: str
    option: str = None
    cause: str = None
    alert: str = None
    how: dict = {}
    sent: tuple = (SUB,)
    change: Callable = None
    staple: Staple = None

    @property
    def key(self):
        return self.how.get("key", "leaf")

    @property
    def port(self):
        """Where serving() can serve it."""
        return 465 if self.staple else 25


def broken(name, doc, sent=(SUB,), change=None, staple=None, **how):
    """A row of the option that most have."""
    return Row(name, doc, "cert-validation-failure", "validation-failure",
               "BAD_CERTIFICATE", how, sent, change, staple)


def below(ca, *more):
    """For broken(): a certificate of that CA, which is sent along."""
    return {"by": ca, "sent": (ca, *more)}


ROWS = (
    Row("good", "nothing is wrong"),
    Row("no_subject", "it has no subject, but names", how={"subject": "/"}),
    Row("no_common_name", "its subject has no common name",
        how={"subject": "/C=CZ/O=Lab"}),
    Row("wildcard", "its name has a wildcard", how={"kind": "wildcard"}),
    Row("any_purpose", "it is for any purpose", how={"kind": "any_purpose"}),
    Row("no_extensions", "it says nothing but a name", how={"kind": "nothing"}),
    Row("many_names", "it is for 1000 names", how={"kind": "names_1000"}),
    Row("10000_names", "it is for 10000 names", how={"kind": "names_10000"}),
    Row("rsa_8192", "its key is of RSA with 8192 bits", how={"key": "strong"}),
    Row("expired", "it has expired", "expired-server-cert", "expired",
        "CERTIFICATE_EXPIRED", {"dates": PAST}),
    Row("not_yet_valid", "it will be valid", "expired-server-cert", "expired",
        "CERTIFICATE_EXPIRED", {"dates": FUTURE}),
    Row("expired_intermediate", "its CA has expired", "expired-server-cert",
        "expired", "CERTIFICATE_EXPIRED", {"by": SUB_OLD}, (SUB_OLD,)),
    Row("expired_root", "its trusted root has expired", "expired-server-cert",
        "expired", "CERTIFICATE_EXPIRED", {"by": ROOT_OLD}, ()),
    Row("self_signed", "it has signed itself", "untrusted-server-cert",
        "untrusted", "UNKNOWN_CA", {"by": None}, ()),
    Row("untrusted_root", "its root is not trusted", "untrusted-server-cert",
        "untrusted", "UNKNOWN_CA", {"by": OTHER}, (OTHER,)),
    Row("known_bad", "its root is one whose key everybody has",
        "untrusted-server-cert", "untrusted", "UNKNOWN_CA", {"by": KNOWN_BAD},
        (KNOWN_BAD,)),
    Row("incomplete_chain", "its intermediate CA is not sent",
        "untrusted-server-cert", "untrusted", "UNKNOWN_CA", sent=()),
    Row("revoked", "it was revoked", "revoked-server-cert", "revoked",
        "CERTIFICATE_REVOKED", {"by": ROOT}, ()),
    Row("revoked_intermediate", "its CA was revoked", "revoked-server-cert",
        "revoked", "CERTIFICATE_REVOKED", {"by": SUB_REVOKED}, (SUB_REVOKED,)),
    Row("old_crl", "its CA's list of revoked ones is old",
        "cert-validation-timeout", "validation-timeout", "CERTIFICATE_UNKNOWN",
        {"by": STALE}, ()),
    Row("wrong_host", "it is for another name", how={"kind": "elsewhere"}),
    Row("N4_long_chain", "it comes with 20 more", "", "validation-failure",
        "BAD_CERTIFICATE", sent=(SUB,) * 20),
    Row("wrong_signature", "its signature is wrong",
        "cert-validation-failure untrusted-server-cert", "validation-failure",
        "BAD_CERTIFICATE", change=flip),
    broken("md5", "it is signed with MD5", md="md5", **below(SUB_RSA)),
    broken("sha1", "it is signed with SHA-1", md="sha1"),
    broken("sha1_intermediate", "its CA's is signed with SHA-1",
           **below(SUB_SHA1)),
    broken("rsa_512", "its key is of RSA with 512 bits", key="tiny"),
    broken("rsa_1024", "its key is of RSA with 1024 bits", key="weak"),
    broken("rsa_1024_intermediate", "its CA's key is of RSA with 1024 bits",
           **below(SUB_WEAK)),
    broken("client_only", "it is for clients only", kind="client"),
    broken("unknown_extension", "it has a critical extension that nobody knows",
           kind="unknown"),
    broken("non_ca", "what has signed it is no CA", **below(SUB_NONE)),
    broken("v1_intermediate", "its CA's is of version 1", **below(SUB_V1)),
    broken("path_length", "its CA may not be below another one",
           **below(SUB_BELOW, SUB_LAST)),
    broken("name_not_permitted", "its CA is for other names",
           **below(SUB_ELSEWHERE)),
    broken("name_excluded", "its CA is for all but such names",
           **below(SUB_NOT_HERE)),
    broken("nul_in_subject", "its common name has a NUL", change=cut_by_nul,
           subject="/C=CZ/O=Lab/CN=mail.example.lab.evil"),
    broken("nul_in_name", "its name has a NUL", change=cut_by_nul,
           kind="longer"),
    Row("staple_good", "its CA says that it is good", staple=Staple()),
    Row("staple_revoked", "its CA says that it was revoked",
        "revoked-server-cert", "revoked", "CERTIFICATE_REVOKED",
        staple=Staple(revoked=True)),
    Row("staple_old", "what its CA says about it is old",
        "cert-validation-timeout", "validation-timeout", "CERTIFICATE_UNKNOWN",
        staple=Staple(ends=-1)),
    Row("staple_future", "what its CA says about it is of tomorrow",
        "cert-validation-timeout", "validation-timeout", "CERTIFICATE_UNKNOWN",
        staple=Staple(begins=1, ends=2)),
    broken("staple_of_stranger", "somebody else says that it is good",
           staple=Staple(by=OTHER)),
    broken("staple_of_another", "its CA says that another one is good",
           staple=Staple(about="good")),
    Row("must_staple", "its CA says that it is good, as has to be said",
        how={"kind": "stapled"}, staple=Staple()),
    broken("must_staple_missing", "nobody says that it is good, as has to be",
           kind="stapled"),
    broken("must_staple_old", "what has to be said about it is old",
           kind="stapled", staple=Staple(ends=-1)),
    Row("own_ca", "it is of the gateway's own CA", "", "own-ca",
        "BAD_CERTIFICATE", {"by": GATEWAY}, (GATEWAY,)),
    Row("own_untrusted_ca", "it is of the gateway's CA for untrusted ones", "",
        "own-ca", "BAD_CERTIFICATE", {"by": GATEWAY_UNTRUSTED}, ()),
)


def make_row(row):
    how = {"by": SUB, **row.how}
    sign(row.name, **how)
    if row.change is flip:
        flip(row.name)
    elif row.change:
        sign_changed(row.name, how["by"], row.change)
    if row.staple:
        write_staple(row.name, row.staple)
    sent = (row.name + ".pem", *(s.cert for s in row.sent))
    write(row.name + ".chain", "".join(map(read, sent)))


def make_certificates():
    make_authorities()
    for row in ROWS:
        make_row(row)
    revoke("revoked")
    revoke("sub-revoked")
    write("trust.pem", read("root.pem") + read("stale.pem") +
          read("root-old.pem"))
    write("crl.pem", revocations(ROOT) + revocations(
        STALE, "-crl_lastupdate", PAST[0], "-crl_nextupdate", PAST[1]))


@contextmanager
def certificates():
    """All of them, and a helper that knows whom to trust."""
    make_certificates()
    with restarted_helper("--trust", PKI + "/trust.pem", "--crl",
                          PKI + "/crl.pem"):
        yield


class Piped(Peer):
    """What somebody else does TLS for."""

    def __init__(self, sock):  # pylint: disable=super-init-not-called
        sock.settimeout(PATIENCE)
        self.sock, self.buf, self.log = sock, b"", b""


class OpensslServer(Server):
    """openssl s_server, for what Python does not offer: one connection to port
    465. What it says is the dialogue of Server, by way of its stdin."""

    def __init__(self, *options):  # pylint: disable=super-init-not-called
        self.script, self.ehlo = {}, Server.EHLO
        self.messages, self.peers, self.listeners = [], [], []
        self.lock = threading.Lock()
        mine, its = socket.socketpair()
        with netns("server"), its:
            self.process = subprocess.Popen(
                ["openssl", "s_server", "-accept", "465", "-naccept", "1",
                 "-quiet", *options], cwd=PKI, stdin=its, stdout=its,
                stderr=subprocess.DEVNULL)
        wait_for("s_server", lambda: sh(
            "ss", "-Hltn", "sport = :465", ns="server").stdout)
        self.conns = [Piped(mine)]
        threading.Thread(target=self._serve, args=self.conns,
                         daemon=True).start()

    def _dialogue(self, p):
        super()._dialogue(p)
        # it has not said all before the other end knows it
        self.process.wait(PATIENCE)

    def close(self):
        self.process.kill()
        self.process.wait()
        super().close()


def serving(row, port):
    """A server with the certificate of a row."""
    if row.staple:
        assert port == 465
        return OpensslServer(
            "-cert", row.name + ".pem", "-key", row.key + ".key",
            "-cert_chain", SUB.cert, "-status_file", row.name + ".staple")
    ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    # OpenSSL would not serve the weak ones
    ctx.set_ciphers("DEFAULT:@SECLEVEL=0")
    if row.key == "tiny":	# too short to sign what TLS 1.3 has signed
        ctx.maximum_version = ssl.TLSVersion.TLSv1_2
    ctx.load_cert_chain(os.path.join(PKI, row.name + ".chain"),
                        os.path.join(PKI, row.key + ".key"))
    return TlsServer(ctx, port)


def any_issuer():
    """For a client that takes certificates of both CAs of the gateway, of any
    name and time."""
    ctx = ssl.create_default_context(cafile=CA)
    ctx.load_verify_locations(UNTRUSTED_CA)
    ctx.check_hostname = False
    # what is strange in a server's certificate is so in its copy
    ctx.verify_flags &= ~ssl.VERIFY_X509_STRICT
    # Python does not know this one, and "&=" would lose it
    ctx.verify_flags |= NO_CHECK_TIME
    return ctx


def contents(*where, **kw):
    """Of a certificate, what the client's copy must have as well."""
    return sh("openssl", "x509", "-noout", "-subject", "-dates", "-nameopt",
              "RFC2253", "-ext", "subjectAltName", *where, **kw).stdout


def expect_shown(row, action, name=NAME, port=None):
    """The session is inspected; the client's certificate is a copy that the
    action's CA has signed."""
    port = port or row.port
    with serving(row, port) as srv:
        c = TlsClient(port=port)
        if port == 465:
            c.start_tls(any_issuer(), name)
            c.hello()
        else:
            c.hello()
            c.starttls(any_issuer(), name)
        assert ISSUERS[action] in issuer(c), (action, issuer(c))
        shown = ssl.DER_cert_to_PEM_cert(c.sock.getpeercert(True))
        expect_equal(contents(input=shown),
                     contents("-in", os.path.join(PKI, row.name + ".pem")),
                     "contents")
        c.message(mail(row.name))
        c.message(infected(), "554 5.7.1 ")
        c.quit_tls()
        expect_equal(srv.messages, [mail(row.name)], "messages")


def expect_blocked(row, name=NAME, alert=None, cause=None, port=None):
    """The client is told by a TLS alert, and the session ends."""
    port = port or row.port
    with serving(row, port) as srv, failures(cause or row.cause):
        expect_refused(alert or row.alert, any_issuer(), name, port)
        assert not srv.messages


def check_actions(row):
    with own_profile():
        for action in ("block", "allow", "ignore"):
            cli("tls", "set", "own", *(
                w for option in row.option.split() for w in (option, action)))
            if action == "block":
                expect_blocked(row)
            else:
                expect_shown(row, action)


def check_always_blocked(row):
    for action in ("allow", "ignore"):
        words = [w for option in OPTIONS for w in (option, action)]
        with own_profile(*words):
            expect_blocked(row)


def check_good(row):
    with own_profile():
        expect_shown(row, "ignore")


def row_test(row):
    def test():
        if row.option is None:
            check_good(row)
        elif row.option:
            check_actions(row)
        else:
            check_always_blocked(row)
    test.__name__ = "test_F_" + row.name
    test.__doc__ = "a server's certificate: " + row.doc
    return test


for _row in ROWS:
    globals()["test_F_" + _row.name] = row_test(_row)


def find_row(name):
    row, = (r for r in ROWS if r.name == name)
    return row


def test_F_defaults():
    """what the options are where a profile does not name them"""
    with own_profile():
        for name in ("untrusted_root", "old_crl"):
            expect_shown(find_row(name), "allow")
        for name in ("expired", "revoked", "sha1"):
            expect_blocked(find_row(name))
        expect_shown(find_row("wrong_host"), "ignore")


def test_F_strictest():
    """of two things that are wrong the stricter action counts"""
    expired = find_row("expired")
    with own_profile("sni-server-cert-check", "strict"):
        expect_blocked(expired, "no.such.name")
        cli("tls", "set", "own", "expired-server-cert", "allow")
        expect_blocked(expired, "no.such.name", "BAD_CERTIFICATE",
                       "server-name")
        cli("tls", "set", "own", "sni-server-cert-check", "enable")
        expect_shown(expired, "allow", "no.such.name")


def test_F_smtps():
    """the same on a port that begins with TLS"""
    with own_profile():
        expect_shown(find_row("good"), "ignore", port=465)
        expect_shown(find_row("untrusted_root"), "allow", port=465)
        for name in ("expired", "own_ca"):
            expect_blocked(find_row(name), port=465)


def test_F_sni_disable():
    """the name is not compared"""
    with own_profile("sni-server-cert-check", "disable"):
        expect_shown(find_row("wrong_host"), "ignore")
        expect_shown(find_row("good"), "ignore", None)


def test_F_sni_strict():
    """the name is compared, and a client has to ask for one"""
    good, other = find_row("good"), find_row("wrong_host")
    with own_profile("sni-server-cert-check", "strict"):
        expect_shown(good, "ignore")
        expect_blocked(other, NAME, "BAD_CERTIFICATE", "server-name")
        expect_blocked(good, None, "UNRECOGNIZED_NAME", "server-name")
        # whatever is said of certificates that are broken
        cli("tls", "set", "own", "cert-validation-failure", "ignore")
        expect_blocked(other, NAME, "BAD_CERTIFICATE", "server-name")
    with own_profile("sni-server-cert-check", "enable"):
        expect_shown(other, "ignore")
        expect_shown(good, "ignore", None)
        expect_shown(good, "ignore", "MAIL.example.lab")


def test_F_names_too_long():
    """a certificate that is too long to be read is refused"""
    row = Row("names_too_long", "", how={"kind": "names_too_long"})
    make_row(row)
    with own_profile():
        expect_blocked(row, alert="HANDSHAKE_FAILURE", cause="negotiation")


def hang_up(said):
    """SIGHUP, until the helper has said that once more."""
    before = helper_said().count(said)
    with open(PIDFILE) as f:
        os.kill(int(f.read()), signal.SIGHUP)
    wait_for(said, lambda: helper_said().count(said) > before)


def helper_said():
    with open(os.path.join(RUN, "smtpspliced.log")) as f:
        return f.read()


def test_N6_lists_anew():
    """a list that was out of date is read anew at SIGHUP, one that is none is not"""
    row, lists, helper = find_row("old_crl"), read("crl.pem"), set(helpers())
    with own_profile("cert-validation-timeout", "block"):
        expect_blocked(row)
        write("crl.pem", lists + revocations(STALE))
        hang_up("reloaded: CAs and revocation lists")
        expect_shown(row, "ignore")
        # a session that is open then goes on
        with serving(row, 25):
            c = TlsClient()
            c.hello()
            c.starttls(any_issuer(), NAME)
            write("crl.pem", lists[:-100])
            hang_up("reload failed, CAs and revocation lists stay as they were: "
                    "CRL file " + os.path.join(PKI, "crl.pem"))
            c.message(infected(), "554 5.7.1 ")
            c.quit_tls()
        expect_shown(row, "ignore")
        write("crl.pem", lists)
        hang_up("reloaded: CAs and revocation lists")
        expect_blocked(row)
    # none of its processes was started anew, and no engine was loaded
    expect_equal(set(helpers()), helper, "processes")


def test_F_minted():
    """the client's certificate has a key and a number of its own"""
    row = find_row("must_staple")
    original = x509.load_der_x509_certificate(read_der(row.name))
    numbers = {original.serial_number}
    with own_profile():
        # another name is another certificate
        for name in (NAME, NAME.upper()):
            with serving(row, row.port):
                c = TlsClient(port=row.port)
                c.start_tls(any_issuer(), name)
                c.hello()
                made = x509.load_der_x509_certificate(c.sock.getpeercert(True))
                c.quit_tls()
            assert made.public_key().public_numbers() != \
                original.public_key().public_numbers()
            numbers.add(made.serial_number)
            # nothing that has the client ask the server's CA, or want a staple
            expect_equal({e.oid.dotted_string for e in made.extensions},
                         {"2.5.29.14", "2.5.29.15", "2.5.29.17", "2.5.29.19",
                          "2.5.29.35", "2.5.29.37"}, "extensions")
            expect_equal(made.extensions.get_extension_for_class(x509.KeyUsage),
                         original.extensions.get_extension_for_class(x509.KeyUsage),
                         "key usage")
            basic = made.extensions.get_extension_for_class(
                x509.BasicConstraints)
            assert basic.critical and not basic.value.ca, basic
    expect_equal(len(numbers), 3, "serial numbers")


if __name__ == "__main__":
    main(tests_of(sys.modules[__name__]), certificates)
