#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Archives: a virus in one, and each condition that an AV profile can name."""
import io
import struct
import sys
import zipfile

from smtplab.config import av
from smtplab.exchange import ask
from smtplab.expect import expect_equal
from smtplab.gateway import counted, logged
from smtplab.lab import main
from smtplab.mails import UNSCANNED, attached, eicar, encrypted_zip, zipped
from smtplab.tap import tests_of

CONDITIONS = ("encrypted", "corrupted", "partiallycorrupted", "multipart", "nested",
              "mailbomb", "unhandled")


def corrupted():
    """A gzip header, and nothing that could be unpacked."""
    return b"\x1f\x8b\x08\0\0\0\0\0\0\x03" + b"\xff" * 64


def partly_corrupted():
    """Two members, of which the second is not what its checksum says."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as z:
        z.writestr("a", b"first member\n")
        z.writestr("b", b"other member\n")
    return out.getvalue().replace(b"other member", b"OTHER member")


def volume():
    """A zip file whose end says that it is on a second disk."""
    data = bytearray(zipped(a=b"member\n"))
    struct.pack_into("<H", data, data.rindex(b"PK\5\6") + 4, 1)
    return bytes(data)


def nest(data, depth):
    """`depth` zip files, one in the other, around a file."""
    for _ in range(depth):
        data = zipped(a_zip=data)
    return data


def in_condition(name):
    """A file that meets that condition, and the words that it takes."""
    return {
        "encrypted": (encrypted_zip, ()),
        "corrupted": (corrupted, ()),
        "partiallycorrupted": (partly_corrupted, ()),
        "multipart": (volume, ()),
        "nested": (lambda: nest(b"x", 3), ("uncompressed-nest-limit", "2")),
        "mailbomb": (lambda: zipped(a=bytes(3 << 20)), ("uncompressed-limit", "1M")),
        # a ZOO archive, which libarchive does not read
        "unhandled": (lambda: b"ZOO 2.10 Archive.\x1a\0\0\xdc\xa7\xc4\xfd" + bytes(60), ()),
    }[name]


def test_G5_conditions():
    """each condition of an archive by itself: blocked, or passed, counted and logged"""
    for name in CONDITIONS:
        make, words = in_condition(name)
        body = attached("a.bin", make())
        with av("archive-block", name, *words), counted(unscanned_archive=0), \
                logged(virus="Smtpsplice.Archive." + name, archive=[name], action="blocked"):
            expect_equal(ask(body, "554 5.7.1"), [], name)
        others = ",".join(c for c in CONDITIONS if c != name)
        with av("archive-block", others, *words), counted(unscanned_archive=1), \
                logged(action="passthrough", unscanned="archive", archive=[name]):
            expect_equal(ask(body, "250"), [UNSCANNED % b"archive" + body], name)


def test_G3_nest_limit():
    """uncompressed-nest-limit: so deep and no deeper"""
    with av("uncompressed-nest-limit", "4"):
        for depth, pattern in ((4, "250"), (5, "554 5.7.1")):
            body = attached("a.zip", nest(b"x", depth))
            expect_equal(len(ask(body, pattern)), pattern == "250", "depth %d" % depth)


def test_infected_archive():
    """a virus in a zip file, and in one in another: the reply names the attachment"""
    for name, data in (("a.zip", zipped(eicar_com=eicar())),
                       ("b.zip", nest(zipped(eicar_com=eicar()), 1))):
        with counted(infected=1), logged(action="blocked", eventtype="infected"):
            expect_equal(ask(attached(name, data), "554 5.7.1 .*" + name), [], "messages")


def tnef(*files):
    """A winmail.dat with these (name, data)."""
    def attribute(level, number, data):
        return struct.pack("<BII", level, number, len(data)) + data + \
            struct.pack("<H", sum(data) & 0xffff)
    out = struct.pack("<IH", 0x223e9f78, 1) + attribute(1, 0x00089006, b"\0\0\1\0")
    for name, data in files:
        out += attribute(2, 0x00069002, b"\1" + bytes(13))
        out += attribute(2, 0x00018010, name.encode() + b"\0")
        out += attribute(2, 0x0006800f, data)
    return out


def test_G4_infected_tnef():
    """a virus in a winmail.dat, as its only and as its second file"""
    for files in ((("eicar.com", eicar()),),
                  (("a.txt", b"nothing\n"), ("eicar.com", eicar()))):
        with counted(infected=1), logged(action="blocked", eventtype="infected"):
            expect_equal(ask(attached("winmail.dat", tnef(*files)), "554 5.7.1 .*winmail.dat"),
                         [], "messages")
    body = attached("winmail.dat", tnef(("a.txt", b"nothing\n")))
    expect_equal(ask(body, "250"), [body], "messages")


if __name__ == "__main__":
    main(tests_of(sys.modules[__name__]))
