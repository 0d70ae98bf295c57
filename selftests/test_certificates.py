#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Servers' certificates, good and bad (THREATS 1F): what becomes of the session
and what the client is shown. One test for each kind of certificate, with each
action that the TLS profile has for it.

The certificates are made when this starts, by openssl(1). What the helper
trusts is PKI/trust.pem, what was revoked is in PKI/crl.pem.
"""
import os
import ssl
import sys
import time
from typing import NamedTuple

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from smtplab import *  # noqa: E402,F403
from test_tls import (CA, TlsServer, TlsClient, expect_refused,  # noqa: E402
                      failures, issuer, own_profile)

PKI = os.path.join(RUN, "pki")
UNTRUSTED_CA = os.path.join(RUN, "ca/untrusted-ca.pem")
NAME = "mail.example.lab"
ISSUERS = {"ignore": "smtpsplice gateway CA",
           "allow": "smtpsplice untrusted CA"}
OPTIONS = ("expired-server-cert", "revoked-server-cert",
           "untrusted-server-cert", "cert-validation-timeout",
           "cert-validation-failure")
# X509_V_FLAG_NO_CHECK_TIME of openssl/x509_vfy.h
NO_CHECK_TIME = 0x200000



def days(*ahead):
    """Times as openssl(1) takes them, in days from now."""
    return [time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() + n * 86400))
            for n in ahead]


# The gateway's CA lives longer than that: none of its copies does
PAST, FUTURE = days(-60, -30), days(30, 60)
CONFIG = """
[ca]
default_ca = lab
[lab]
database = index
new_certs_dir = .
rand_serial = yes
crlnumber = crlnumber
unique_subject = no
policy = any
default_md = sha256
default_days = 30
default_crl_days = 30
[any]
commonName = optional
[req]
distinguished_name = none
[none]
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[server]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = DNS:mail.example.lab, DNS:mail
[client]
extendedKeyUsage = clientAuth
subjectAltName = DNS:mail.example.lab
[elsewhere]
extendedKeyUsage = serverAuth
subjectAltName = DNS:www.example.lab
[many]
extendedKeyUsage = serverAuth
subjectAltName = @names
[names]
DNS.0 = mail.example.lab
""" + "".join("DNS.%d = n%d.example.lab\n" % (i, i) for i in range(1, 1000))


def openssl(*argv):
    return sh("openssl", *argv, cwd=PKI).stdout


def make_key(name, *how):
    openssl("genpkey", "-out", name + ".key", "-algorithm",
            *(how or ("EC", "-pkeyopt", "ec_paramgen_curve:P-256")))


class Signer(NamedTuple):
    """A certificate and key that sign others, below PKI or elsewhere."""
    cert: str
    key: str


def signer(name):
    return Signer(name + ".pem", name + ".key")


ROOT, OTHER, STALE = signer("root"), signer("other"), signer("stale")
SUB, SUB_OLD, SUB_NONE, SUB_REVOKED = (
    Signer(name + ".pem", "sub.key")
    for name in ("sub", "sub-old", "sub-none", "sub-revoked"))
GATEWAY = Signer(CA, os.path.join(RUN, "ca/ca.key"))
GATEWAY_UNTRUSTED = Signer(UNTRUSTED_CA, UNTRUSTED_CA[:-3] + "key")


def sign(name, by=None, kind="server", key="leaf", subject=None, dates=None,
         md="sha256"):
    """NAME.pem of a key, signed by another, or by itself."""
    if subject is None:
        subject = "/C=CZ/O=Lab/CN=%s/emailAddress=ca@internal.lab" % name
    openssl("req", "-new", "-config", "config", "-key", key + ".key", "-subj",
            subject, "-out", "request")
    how = ["-cert", by.cert, "-keyfile", by.key] if by else \
        ["-selfsign", "-keyfile", key + ".key"]
    if dates:
        how += ["-startdate", dates[0], "-enddate", dates[1]]
    openssl("ca", "-batch", "-notext", "-config", "config", "-preserveDN",
            "-in", "request", "-extensions", kind, "-md", md,
            "-out", name + ".pem", *how)


def revoke(name):
    openssl("ca", "-config", "config", "-revoke", name + ".pem", "-cert",
            ROOT.cert, "-keyfile", ROOT.key)


def revocations(by, *dates):
    return openssl("ca", "-config", "config", "-gencrl", "-cert", by.cert,
                   "-keyfile", by.key, *dates)


def read(name):
    with open(os.path.join(PKI, name)) as f:
        return f.read()


def write(name, text):
    with open(os.path.join(PKI, name), "w") as f:
        f.write(text)


class Row(NamedTuple):
    """A kind of certificate.

    option: of the TLS profile, None where nothing is wrong, "" where nothing
    helps; cause and alert: of a session that is blocked; how: arguments for
    sign(); sent: certificates that the server sends behind its own.
    """
    name: str
    doc: str
    option: str = None
    cause: str = None
    alert: str = None
    how: dict = {}
    sent: tuple = (SUB,)


def broken(name, doc, **how):
    """A row of the option that most have."""
    return Row(name, doc, "cert-validation-failure", "validation-failure",
               "BAD_CERTIFICATE", how)


ROWS = (
    Row("good", "nothing is wrong"),
    Row("no_subject", "it has no subject, but names", how={"subject": "/"}),
    Row("many_names", "it is for 1000 names", how={"kind": "many"}),
    Row("expired", "it has expired", "expired-server-cert", "expired",
        "CERTIFICATE_EXPIRED", {"dates": PAST}),
    Row("not_yet_valid", "it will be valid", "expired-server-cert", "expired",
        "CERTIFICATE_EXPIRED", {"dates": FUTURE}),
    Row("expired_intermediate", "its CA has expired", "expired-server-cert",
        "expired", "CERTIFICATE_EXPIRED", {"by": SUB_OLD}, (SUB_OLD,)),
    Row("self_signed", "it has signed itself", "untrusted-server-cert",
        "untrusted", "UNKNOWN_CA", {"by": None}, ()),
    Row("untrusted_root", "its root is not trusted", "untrusted-server-cert",
        "untrusted", "UNKNOWN_CA", {"by": OTHER}, (OTHER,)),
    Row("incomplete_chain", "its intermediate CA is not sent",
        "untrusted-server-cert", "untrusted", "UNKNOWN_CA", sent=()),
    Row("revoked", "it was revoked", "revoked-server-cert", "revoked",
        "CERTIFICATE_REVOKED", {"by": ROOT}, ()),
    Row("revoked_intermediate", "its CA was revoked", "revoked-server-cert",
        "revoked", "CERTIFICATE_REVOKED", {"by": SUB_REVOKED}, (SUB_REVOKED,)),
    Row("old_crl", "its CA's list of revoked ones is old",
        "cert-validation-timeout", "validation-timeout", "CERTIFICATE_UNKNOWN",
        {"by": STALE}, ()),
    Row("wrong_host", "it is for another name", "cert-validation-failure",
        "server-name", "BAD_CERTIFICATE", {"kind": "elsewhere"}),
    broken("sha1", "it is signed with SHA-1", md="sha1"),
    broken("rsa_1024", "its key is of RSA with 1024 bits", key="weak"),
    broken("client_only", "it is for clients only", kind="client"),
    broken("non_ca", "what has signed it is no CA", by=SUB_NONE)._replace(
        sent=(SUB_NONE,)),
    Row("own_ca", "it is of the gateway's own CA", "", "own-ca",
        "BAD_CERTIFICATE", {"by": GATEWAY}, (GATEWAY,)),
    Row("own_untrusted_ca", "it is of the gateway's CA for untrusted ones", "",
        "own-ca", "BAD_CERTIFICATE", {"by": GATEWAY_UNTRUSTED}, ()),
)


def make_row(row):
    sign(row.name, **{"by": SUB, **row.how})
    sent = (row.name + ".pem", *(s.cert for s in row.sent))
    write(row.name + ".chain", "".join(map(read, sent)))


@contextmanager
def certificates():
    """All of them, and a helper that knows whom to trust."""
    os.makedirs(PKI, exist_ok=True)
    write("config", CONFIG)
    write("index", "")
    write("crlnumber", "01\n")
    for name in ("root", "other", "stale", "sub", "leaf"):
        make_key(name)
    make_key("weak", "RSA", "-pkeyopt", "rsa_keygen_bits:1024")
    for name in ("root", "other", "stale"):
        sign(name, None, "authority", name)
    sign("sub", ROOT, "authority", "sub")
    sign("sub-old", ROOT, "authority", "sub", dates=PAST)
    sign("sub-none", ROOT, "server", "sub")
    sign("sub-revoked", ROOT, "authority", "sub")
    for row in ROWS:
        make_row(row)
    revoke("revoked")
    revoke("sub-revoked")
    write("trust.pem", read("root.pem") + read("stale.pem"))
    write("crl.pem", revocations(ROOT) + revocations(
        STALE, "-crl_lastupdate", PAST[0], "-crl_nextupdate", PAST[1]))
    with restarted_helper("--trust", PKI + "/trust.pem", "--crl",
                          PKI + "/crl.pem"):
        yield


def serving(row, port):
    """A server with the certificate of a row."""
    ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    # OpenSSL would not serve the weak ones
    ctx.set_ciphers("DEFAULT:@SECLEVEL=0")
    ctx.load_cert_chain(os.path.join(PKI, row.name + ".chain"), os.path.join(
        PKI, row.how.get("key", "leaf") + ".key"))
    return TlsServer(ctx, port)


def any_issuer():
    """For a client that takes certificates of both CAs of the gateway, of any
    name and time."""
    ctx = ssl.create_default_context(cafile=CA)
    ctx.load_verify_locations(UNTRUSTED_CA)
    ctx.check_hostname = False
    ctx.verify_flags |= NO_CHECK_TIME
    return ctx


def contents(*where, **kw):
    """Of a certificate, what the client's copy must have as well."""
    return sh("openssl", "x509", "-noout", "-subject", "-dates", "-nameopt",
              "RFC2253", "-ext", "subjectAltName", *where, **kw).stdout


def expect_shown(row, action, name=NAME, port=25):
    """The session is inspected; the client's certificate is a copy that the
    action's CA has signed."""
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


def expect_blocked(row, name=NAME, alert=None, cause=None, port=25):
    """The client is told by a TLS alert, and the session ends."""
    with serving(row, port) as srv, failures(cause or row.cause):
        expect_refused(alert or row.alert, any_issuer(), name, port)
        assert not srv.messages


def check_actions(row):
    with own_profile():
        for action in ("block", "allow", "ignore"):
            cli("tls", "set", "own", row.option, action)
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
        for name in ("expired", "revoked", "sha1", "wrong_host"):
            expect_blocked(find_row(name))


def test_F_strictest():
    """of two things that are wrong the stricter action counts"""
    expired = find_row("expired")
    with own_profile("cert-validation-failure", "ignore"):
        expect_shown(find_row("wrong_host"), "ignore")
        expect_blocked(expired, "no.such.name")
        cli("tls", "set", "own", "expired-server-cert", "allow")
        expect_shown(expired, "allow", "no.such.name")
        cli("tls", "set", "own", "cert-validation-failure", "block")
        expect_blocked(expired, "no.such.name", "BAD_CERTIFICATE",
                       "server-name")


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
        expect_blocked(other)
        expect_blocked(good, None, "UNRECOGNIZED_NAME", "server-name")
    with own_profile("sni-server-cert-check", "enable"):
        expect_shown(good, "ignore", None)
        expect_shown(good, "ignore", "MAIL.example.lab")


if __name__ == "__main__":
    main(tests_of(sys.modules[__name__]), certificates)
