# SPDX-License-Identifier: GPL-2.0
"""Messages, and how they are sent."""
import base64
import hashlib
import io
import re
import zipfile


def eicar():
    """The EICAR test file, which no file of this tree may hold."""
    return (r"X5O!P%@AP[4\PZX54(P^)7CC)7}" + "$EICAR-STANDARD-" +
            "ANTIVIRUS-TEST-FILE!$H+H*").encode()


def stuff(body):
    return re.sub(rb"(?m)^\.", b"..", body)


def unstuff(body):
    return re.sub(rb"(?m)^\.", b"", body)


def chunks(body, *sizes):
    """The body as BDAT sends it: chunks of these sizes, the rest is the last."""
    out = b""
    for n in sizes:
        out += b"BDAT %d\r\n%b" % (n, body[:n])
        body = body[n:]
    return out + b"BDAT %d LAST\r\n%b" % (len(body), body)


def mail(text="hello", subject="test"):
    return ("From: <from@lab>\r\nTo: <to@lab>\r\nSubject: %s\r\n\r\n%s\r\n"
            % (subject, text)).encode()


def infected(name="eicar.com"):
    b64 = base64.b64encode(eicar()).decode()
    return ("From: <from@lab>\r\nTo: <to@lab>\r\nSubject: infected\r\n"
            "MIME-Version: 1.0\r\n"
            "Content-Type: multipart/mixed; boundary=XXX\r\n\r\n"
            "--XXX\r\nContent-Type: text/plain\r\n\r\nsee attachment\r\n"
            "--XXX\r\nContent-Type: application/octet-stream; name=\"%s\"\r\n"
            "Content-Transfer-Encoding: base64\r\n"
            "Content-Disposition: attachment; filename=\"%s\"\r\n\r\n%s\r\n"
            "--XXX--\r\n" % (name, name, b64)).encode()


def sha(data):
    return hashlib.sha256(data).hexdigest()


UNSCANNED = b"X-Smtpsplice-Unscanned: %s\r\n"


def attached(name, data, more=b""):
    b64 = base64.encodebytes(data).replace(b"\n", b"\r\n")
    return (b"From: <from@lab>\r\nTo: <to@lab>\r\nSubject: attached\r\n"
            b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=XXX\r\n\r\n"
            b"--XXX\r\nContent-Type: text/plain\r\n\r\nsee attachment\r\n" + more +
            b"--XXX\r\nContent-Type: application/octet-stream\r\n"
            b"Content-Transfer-Encoding: base64\r\n"
            b"Content-Disposition: attachment; filename=\"" + name.encode() +
            b"\"\r\n\r\n" + b64 + b"--XXX--\r\n")


def zipped(**files):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
        for name, data in files.items():
            z.writestr(name.replace("_", "."), data)
    return out.getvalue()


def encrypted_zip():
    """A zip file whose one member says that it is encrypted."""
    data = bytearray(zipped(a_txt=b"secret" * 10))
    for magic, flags in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        data[data.index(magic) + flags] |= 1
    return bytes(data)
