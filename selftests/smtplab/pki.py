# SPDX-License-Identifier: GPL-2.0
"""Certificates and CAs of all kinds for test_certificates.py, below PKI. Most are
made by openssl(1), and some changed afterwards: it makes no wrong ones.
"""
import datetime
import os
import ssl
import time
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509 import ocsp

from smtplab.net import RUN, sh
from smtplab.tls import CA

PKI = os.path.join(RUN, "pki")
UNTRUSTED_CA = os.path.join(RUN, "ca/untrusted-ca.pem")


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
[authority_above_leaves]
basicConstraints = critical, CA:TRUE, pathlen:0
[authority_elsewhere]
basicConstraints = critical, CA:TRUE
nameConstraints = critical, permitted;DNS:example.org
[authority_not_here]
basicConstraints = critical, CA:TRUE
nameConstraints = critical, excluded;DNS:example.lab
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
[wildcard]
extendedKeyUsage = serverAuth
subjectAltName = DNS:*.example.lab
[any_purpose]
extendedKeyUsage = anyExtendedKeyUsage
subjectAltName = DNS:mail.example.lab
[nothing]
subjectAltName = DNS:mail.example.lab
[stapled]
keyUsage = digitalSignature, nonRepudiation, keyAgreement
extendedKeyUsage = serverAuth
subjectAltName = DNS:mail.example.lab
tlsfeature = status_request
[unknown]
extendedKeyUsage = serverAuth
subjectAltName = DNS:mail.example.lab
1.2.3.4.5 = critical, ASN1:NULL
[longer]
extendedKeyUsage = serverAuth
subjectAltName = DNS:mail.example.lab.evil
"""


# In files of their own, as each openssl(1) would have to read them: how many
# names, and their form. An OpenSSL client takes certificates of 100 KiB, the
# gateway messages of 128 KiB.
NAMES = {"names_1000": (1000, "n%d.example.lab"), "names_10000": (10000, "%x"),
         "names_too_long": (10000, "n%d.example.lab")}


def write_names(kind, count, form):
    write(kind, "[%s]\nextendedKeyUsage = serverAuth\nsubjectAltName = @names\n"
          "[names]\nDNS.0 = mail.example.lab\n" % kind + "".join(
              "DNS.%d = %s\n" % (i, form % i) for i in range(1, count)))


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


ROOT, OTHER, STALE, SUB = map(signer, ("root", "other", "stale", "sub"))
ROOT_OLD = Signer("root-old.pem", "root.key")
KNOWN_BAD = Signer("superfish.pem", "other.key")


def intermediate(name, key="sub"):
    return Signer(name + ".pem", key + ".key")


SUB_OLD, SUB_NONE, SUB_REVOKED, SUB_V1, SUB_SHA1, SUB_LAST, SUB_ELSEWHERE, \
    SUB_NOT_HERE = map(intermediate, (
        "sub-old", "sub-none", "sub-revoked", "sub-v1", "sub-sha1", "sub-last",
        "sub-elsewhere", "sub-not-here"))
SUB_WEAK = intermediate("sub-weak", "weak")
SUB_RSA = intermediate("sub-rsa", "strong")
SUB_BELOW = intermediate("sub-below", "stale")
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
    if kind in NAMES:
        how += ["-extfile", kind]
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


def write_octets(name, data):
    with open(os.path.join(PKI, name), "wb") as f:
        f.write(data)


# --- what openssl(1) does not make --------------------------------------------

def der(tag, *parts):
    """An element of these parts."""
    body = b"".join(parts)
    size = b"" if len(body) < 0x80 else \
        len(body).to_bytes((len(body).bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(size) if size else len(body)]) + size + body


def parts_of(element):
    """The elements that an element consists of."""
    def start(at):
        return at + 2 + (element[at + 1] & 0x7f if element[at + 1] > 0x7f else 0)

    def size(at):
        return element[at + 1] if element[at + 1] < 0x80 else \
            int.from_bytes(element[at + 2:start(at)], "big")

    found, at = [], start(0)
    while at < len(element):
        end = start(at) + size(at)
        found.append(element[at:end])
        at = end
    return found


def read_der(name):
    return ssl.PEM_cert_to_DER_cert(read(name + ".pem"))


def write_der(name, data):
    write(name + ".pem", ssl.DER_cert_to_PEM_cert(data))


def sign_changed(name, by, change):
    """Signs NAME.pem anew after a change of what was signed of it."""
    signed, algorithm, _ = parts_of(read_der(name))
    signed = change(signed)
    write_octets("changed", signed)
    openssl("dgst", "-sha256", "-sign", by.key, "-out", "signature", "changed")
    with open(os.path.join(PKI, "signature"), "rb") as f:
        write_der(name, der(0x30, signed, algorithm, der(3, b"\0", f.read())))


def without_version(signed):
    """Version 1 has no number of the version, and no extensions."""
    return der(0x30, *(p for p in parts_of(signed) if p[0] not in (0xa0, 0xa3)))


def cut_by_nul(signed):
    return signed.replace(b"mail.example.lab.evil", b"mail.example.lab\0evil")


def flip(name):
    """Changes the last octet, which is the signature's."""
    data = read_der(name)
    write_der(name, data[:-1] + bytes([data[-1] ^ 1]))


class Staple(NamedTuple):
    """A response of OCSP, as `about`'s CA or somebody else says it.

    begins: the day from now on which it is said; ends: the one on which it is
    too old; about: another certificate than the one that it comes with.
    """
    revoked: bool = False
    begins: int = -9
    ends: int = 1
    by: Signer = SUB
    about: str = None


def write_staple(name, staple):
    def load(path):
        with open(os.path.join(PKI, path), "rb") as f:
            return f.read()

    now = datetime.datetime.now(datetime.timezone.utc).replace(
        microsecond=0, tzinfo=None)
    day = datetime.timedelta(days=1)
    by = x509.load_pem_x509_certificate(load(staple.by.cert))
    key = serialization.load_pem_private_key(load(staple.by.key), None)
    status = ocsp.OCSPCertStatus.REVOKED if staple.revoked else \
        ocsp.OCSPCertStatus.GOOD
    response = ocsp.OCSPResponseBuilder().add_response(
        cert=x509.load_pem_x509_certificate(load((staple.about or name) + ".pem")),
        issuer=x509.load_pem_x509_certificate(load(SUB.cert)),
        algorithm=hashes.SHA1(), cert_status=status,
        this_update=now + staple.begins * day, next_update=now + staple.ends * day,
        revocation_time=now - 9 * day if staple.revoked else None,
        revocation_reason=None).responder_id(
            ocsp.OCSPResponderEncoding.HASH, by).sign(key, hashes.SHA256())
    write_octets(name + ".staple", response.public_bytes(
        serialization.Encoding.DER))


def make_authorities():
    """The folder, the keys and the CAs."""
    os.makedirs(PKI, exist_ok=True)
    write("config", CONFIG)
    write("index", "")
    write("crlnumber", "01\n")
    for kind, names in NAMES.items():
        write_names(kind, *names)
    for name in ("root", "other", "stale", "sub", "leaf"):
        make_key(name)
    make_key("tiny", "RSA", "-pkeyopt", "rsa_keygen_bits:512")
    make_key("weak", "RSA", "-pkeyopt", "rsa_keygen_bits:1024")
    # of five primes, which are found sooner than two
    make_key("strong", "RSA", "-pkeyopt", "rsa_keygen_bits:8192", "-pkeyopt",
             "rsa_keygen_primes:5")
    for name in ("root", "other", "stale"):
        sign(name, None, "authority", name)
    sign("root-old", None, "authority", "root", dates=PAST)
    sign("superfish", None, "authority", "other",
         "/C=US/ST=SF/L=SF/O=Superfish, Inc./CN=Superfish, Inc.")
    sign("sub", ROOT, "authority", "sub")
    sign("sub-old", ROOT, "authority", "sub", dates=PAST)
    sign("sub-none", ROOT, "server", "sub")
    sign("sub-revoked", ROOT, "authority", "sub")
    sign("sub-v1", ROOT, "authority", "sub")
    sign_changed("sub-v1", ROOT, without_version)
    sign("sub-sha1", ROOT, "authority", "sub", md="sha1")
    sign("sub-weak", ROOT, "authority", "weak")
    sign("sub-rsa", ROOT, "authority", "strong")
    sign("sub-last", ROOT, "authority_above_leaves", "sub")
    sign("sub-below", SUB_LAST, "authority", "stale")
    sign("sub-elsewhere", ROOT, "authority_elsewhere", "sub")
    sign("sub-not-here", ROOT, "authority_not_here", "sub")
