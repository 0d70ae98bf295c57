#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Many mails of all kinds, side by side, for a long time. Run by hand, since it takes
long:

    LOAD_MAILS=20000 ./scripts/vm --kernel debug --timeout 7200 -- ./selftests/soak.py

LOAD_MAILS is how many, LOAD_SEED what they are. Each mail is clean or infected, of 1 to
2,000,000 octets, by DATA or BDAT, in clear or in TLS, in hold or in splice mode. Some
clients leave amid a mail, and some mails are malformed.
"""
import os
import random
import threading

from smtplab.client import Client
from smtplab.config import splice
from smtplab.expect import expect_equal, wait_for
from smtplab.gateway import delta, sessions, stats
from smtplab.lab import main
from smtplab.mails import chunks, infected, mail, stuff
from smtplab.tls import TlsClient, TlsServer

LOAD_MAILS = int(os.environ.get("LOAD_MAILS", "2000"))
SEED = int(os.environ.get("LOAD_SEED", random.randrange(1 << 32)))
CLIENTS = 20
A_SESSION = 10
MOST = 2000000


class Counts:
    """What became of the mails: by the outcome that was wanted."""

    def __init__(self):
        self.lock = threading.Lock()
        self.left = LOAD_MAILS
        self.wrong = []
        self.by = {}

    def take(self):
        with self.lock:
            self.left -= 1
            return self.left >= 0

    def note(self, kind):
        with self.lock:
            self.by[kind] = self.by.get(kind, 0) + 1


def body_of(chance, kind):
    size = int(MOST ** chance.random())
    text = (b"x" * 70 + b"\r\n") * (size // 72)
    if kind == "infected":
        return infected()
    if kind == "bare":
        return mail() + b"a\nb\r\n" + text
    return mail("soak %d" % chance.randrange(1 << 30)) + text


def send(c, chance, kind, goes_on):
    """One mail; whether the session goes on behind it, as where it is infected."""
    body = body_of(chance, kind)
    c.envelope()
    if kind == "leaves":
        c.cmd("DATA", "354")
        c.send(body[:len(body) // 2])
        c.reset()
        return False
    wanted = {"clean": "250", "infected": "554", "bare": "550"}[kind]
    if chance.random() < 0.3 and kind != "bare":
        c.send(chunks(body, len(body) // 2))
        c.expect("250 2.0.0 Chunk received$")
        c.expect(wanted)
    else:
        c.cmd("DATA", "354")
        c.send(stuff(body) + b".\r\n")
        c.expect(wanted)
    return kind == "clean" or (kind == "infected" and goes_on)


def session(counts, chance, goes_on):
    tls = chance.random() < 0.3
    c = (TlsClient if tls else Client)(family=chance.choice((4, 6)))
    c.hello()
    if tls:
        c.starttls()
    kind = "clean"
    for _ in range(A_SESSION):
        if not counts.take():
            break
        kind = chance.choices(("clean", "infected", "bare", "leaves"),
                              (70, 22, 3, 5))[0]
        counts.note(kind)
        if not send(c, chance, kind, goes_on):
            break
    if kind == "clean":
        c.cmd("QUIT", "221")
    c.sock.close()


def client(counts, seed, goes_on):
    chance = random.Random(seed)
    while counts.left > 0:
        try:
            session(counts, chance, goes_on)
        except Exception as e:  # pylint: disable=broad-except
            with counts.lock:
                counts.wrong.append(repr(e))


def soak(srv, goes_on):
    counts = Counts()
    before = stats()
    threads = [threading.Thread(target=client, args=(counts, "%d.%d" % (SEED, n), goes_on))
               for n in range(CLIENTS)]
    for t in threads:
        t.start()
    while threads:
        threads[0].join(10)
        threads = [t for t in threads if t.is_alive()]
        print("# %d left, %d held" % (max(counts.left, 0), stats()["held"]), flush=True)
        with srv.lock:
            for m in srv.messages:
                assert b"eicar" not in m
            srv.messages.clear()
            srv.conns[:] = srv.conns[-2 * CLIENTS:]
    print("# %s" % counts.by)
    assert not counts.wrong, counts.wrong[:5]
    wait_for("the end", lambda: not sessions())
    expect_equal(stats()["held"], 0, "held")
    expect_equal(delta(before, "delivered"), counts.by.get("clean", 0), "delivered")
    expect_equal(delta(before, "infected"), counts.by.get("infected", 0), "infected")


def test_hold():
    """hold mode"""
    with TlsServer() as srv:
        soak(srv, True)


def test_splice():
    """splice mode"""
    with splice(), TlsServer() as srv:
        # in splice mode the server is lost with a part of it
        soak(srv, False)


if __name__ == "__main__":
    print("# LOAD_SEED=%d" % SEED)
    main([test_hold, test_splice])
