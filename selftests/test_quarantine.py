#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""The quarantine: infected mail put aside, on disks that are full or fail."""
import json
import os
import stat
import sys
from contextlib import contextmanager

from smtplab.config import av
from smtplab.exchange import ask
from smtplab.expect import expect_equal
from smtplab.gateway import logged
from smtplab.helper import restarted_helper
from smtplab.lab import main
from smtplab.mails import infected
from smtplab.net import CLIENT4, RUN, sh
from smtplab.tap import tests_of

DIR = os.path.join(RUN, "quarantine.test")
SENDMAIL = os.path.join(RUN, "sendmail")


@contextmanager
def quarantine(size="10m", *options):
    """A helper with a quarantine on a disk of that size."""
    os.makedirs(DIR)
    sh("mount", "-t", "tmpfs", "-o", "size=%s,mode=700" % size, "tmpfs", DIR)
    try:
        with restarted_helper("--quarantine", DIR, *options):
            yield
    finally:
        sh("umount", DIR)
        os.rmdir(DIR)


def command(*words, check=True):
    return sh("smtpsplice", "-j", "quarantine", *words, "dir", DIR, check=check)


def kept():
    return json.loads(command("list").stdout)


def test_kept():
    """an infected mail is kept, named in reply and log, listed, shown and deleted"""
    with quarantine():
        with logged(action="blocked", quarskip="No-skip"):
            expect_equal(ask(infected(), '554 .*File quarantined as: "[0-9a-f-]+.eml"'),
                         [], "messages")
        note, = kept()
        name = note["name"]
        expect_equal(stat.S_IMODE(os.stat(os.path.join(DIR, name)).st_mode), 0o600, "mode")
        expect_equal(stat.S_IMODE(os.stat(DIR).st_mode) & 0o077, 0, "mode of the folder")
        expect_equal((note["sender"], note["virus"], note["file"], note["client"]),
                     ("from@lab", "Eicar-Test-Signature.UNOFFICIAL", "eicar.com", CLIENT4),
                     "note")
        shown = sh("smtpsplice", "quarantine", "show", name, "dir", DIR).stdout
        assert "Subject: infected" in shown and "see attachment" not in shown
        raw = sh("smtpsplice", "quarantine", "show", name, "raw", "dir", DIR).stdout
        expect_equal(raw.encode(), infected().replace(b"\r\n", b"\n"), "the message")
        command("delete", name)
        expect_equal((kept(), os.listdir(DIR)), ([], []), "what is left")


def test_release():
    """release gives it to sendmail, with its sender and recipients, and deletes it"""
    with open(SENDMAIL, "w") as f:
        f.write('#!/bin/sh\nprintf "%%s\\n" "$@" >%s.args\ncat >%s.mail\n' %
                (SENDMAIL, SENDMAIL))
    os.chmod(SENDMAIL, 0o755)
    with quarantine():
        ask(infected(), "554")
        name = kept()[0]["name"]
        assert command("release", name, "sendmail", "/bin/false", check=False).returncode == 1
        expect_equal(len(kept()), 1, "kept after a sendmail that failed")
        command("release", name, "sendmail", SENDMAIL)
        expect_equal(kept(), [], "kept")
    with open(SENDMAIL + ".args") as f:
        expect_equal(f.read().split("\n"), ["-i", "-f", "from@lab", "--", "to@lab", ""],
                     "words")
    with open(SENDMAIL + ".mail", "rb") as f:
        expect_equal(f.read(), infected(), "mail")


def test_disabled():
    """quarantine disable in the AV profile keeps none"""
    with quarantine(), av("quarantine", "disable"):
        ask(infected(), '554 .*File quarantined as: ""')
        expect_equal(kept(), [], "kept")


def refused_anyway(error):
    """It is refused, nothing arrives, and the log says why it was not kept."""
    with logged(action="blocked", quarskip="File-was-not-quarantined"):
        expect_equal(ask(infected() + (b"x" * 70 + b"\r\n") * 3000, '554 .*quarantined as: ""'), [],
                     "messages")
    with open(os.path.join(RUN, "av.log")) as f:
        record = json.loads(f.readlines()[-1])
    assert record["error"].startswith("quarantine: "), record
    assert error in record["error"], record


def test_disk_full():
    """a disk without room: the mail is refused all the same, and that is logged"""
    with quarantine("64k"):
        refused_anyway("")
        expect_equal(os.listdir(DIR), [], "files")


def test_quota():
    """the quota is used up: the new one is not kept, or the oldest goes"""
    with quarantine("10m", "--quarantine-quota", "16K"):
        for name in "a.com", "b.com":
            with logged(filename=name):
                ask(infected(name), "554")
        refused_anyway("")
    with quarantine("10m", "--quarantine-quota", "16K",
                    "--quarantine-lowspace", "overwrite-old"):
        for name in "a.com", "b.com", "c.com":
            ask(infected(name), "554")
        expect_equal([k["file"] for k in kept()], ["b.com", "c.com"], "kept")


def test_disk_read_only():
    """a disk that turns read-only: the mail is refused all the same"""
    with quarantine():
        sh("mount", "-o", "remount,ro", DIR)
        refused_anyway("")


if __name__ == "__main__":
    main(tests_of(sys.modules[__name__]))
