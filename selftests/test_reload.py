#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""New signatures while mail runs through: no moment without an engine.

LOAD_RELOADS is how often they are loaded.
"""
import json
import os
import shutil
import signal
import sys
import threading
from contextlib import contextmanager

from smtplab.client import Client
from smtplab.expect import expect_equal, wait_for
from smtplab.gateway import cli, delta, stats
from smtplab.helper import PIDFILE, restarted_helper, start_helper, stop_helper
from smtplab.lab import main
from smtplab.mails import infected, mail
from smtplab.net import RUN
from smtplab.server import Server
from smtplab.tap import tests_of

# the other kernels are emulated, and slow
RELOADS = int(os.environ.get("LOAD_RELOADS") or
              (100 if os.environ.get("SMTPSPLICE_KERNEL") == "debug" else 20))
DB = os.path.join(RUN, "reload-db")
STATE = os.path.join(RUN, "engine.json")
# Not one of them may count a message, nor may unscanned-*
NEVER = ("tempfail", "scan-timeout", "scan-requeued", "message-timeout")


def pattern(n):
    return "smtpsplice reload %d end" % n


def put_file(name, text):
    """Puts a whole file in place, as freshclam does."""
    with open(os.path.join(DB, name + ".new"), "w") as f:
        f.write(text)
    os.rename(os.path.join(DB, name + ".new"), os.path.join(DB, name))


def signature(n):
    return "Lab.Reload.%d:0:*:%s\n" % (n, pattern(n).encode().hex())


def engine():
    try:
        with open(STATE) as f:
            return json.load(f)
    except FileNotFoundError:
        return None


def reload():
    with open(PIDFILE) as f:
        os.kill(int(f.read()), signal.SIGHUP)


def outcome():
    return engine()["reload"]["outcome"]


def wait_signatures(n):
    wait_for("%d signatures" % n, lambda: engine()["signatures"] == n and
             outcome() == "done")


@contextmanager
def own_database(*options):
    """The lab's helper with databases that the test may change."""
    with open(os.path.join(RUN, "env")) as f:
        env = dict(line.rstrip("\n").split("=", 1) for line in f)
    shutil.copytree(env["LAB_DB"], DB)
    try:
        with restarted_helper("--database", DB, *options):
            wait_for("its state", engine)
            yield
    finally:
        shutil.rmtree(DB)


def nothing_counted(before):
    after = stats()
    unscanned = [key for key in after if key.startswith("unscanned-")]
    assert unscanned, after
    for key in (*NEVER, *unscanned):
        expect_equal(after[key] - before[key], 0, key)


def send_until(stop, body, wanted, done, failures):
    """One session with one message after the other."""
    try:
        c = Client()
        c.hello()
        while not stop.is_set():
            c.message(body, wanted)
            done.append(wanted)
        c.quit()
    except Exception as e:  # pylint: disable=broad-except
        failures.append(e)


@contextmanager
def load(*messages):
    """Sessions that send (body, wanted reply) over and over; yields what they
    had answered."""
    stop, done, failures = threading.Event(), [], []
    threads = [threading.Thread(target=send_until, args=(
        stop, body, wanted, done, failures)) for body, wanted in messages]
    for t in threads:
        t.start()
    try:
        yield done
    finally:
        stop.set()
        for t in threads:
            t.join()
    assert not failures, failures[0]


def test_under_load():
    """new signatures, over and over: no mail is put off, lost or unscanned"""
    clean, bad = mail("under load"), infected()
    with own_database(), Server() as srv:
        before, there = stats(), engine()["signatures"]
        c = Client()
        c.hello()
        with load((clean, "250"), (clean, "250"), (bad, "554 5.7.1")) as done:
            c.message(mail(pattern(0)), "250")
            for n in range(RELOADS):
                put_file("reload.ndb", "".join(map(signature, range(n + 1))))
                reload()
                wait_signatures(there + n + 1)
                c.message(mail(pattern(n)), "554 5.7.1")
        c.quit()
        print("# %d messages" % len(done), flush=True)
        nothing_counted(before)
        passed = done.count("250") + 1
        expect_equal(delta(before, "clean"), passed, "clean")
        expect_equal(delta(before, "infected"), len(done) + 1 + RELOADS - passed,
                     "infected")
        expect_equal(srv.messages.count(clean), passed - 1, "clean mail")
        expect_equal(len(srv.messages), passed, "mail")


def test_broken():
    """broken signatures: the old ones stay, and it is told"""
    with own_database(), Server():
        before, there = stats(), engine()["signatures"]
        c = Client()
        c.hello()
        put_file("broken.ndb", "nonsense\n")
        put_file("reload.ndb", signature(1))
        reload()
        wait_for("its failure", lambda: outcome() == "failed")
        c.message(infected(), "554 5.7.1")
        c.message(mail(pattern(1)), "250")
        shown = json.loads(cli("-j", "show", "engine", "state", STATE).stdout)
        expect_equal(shown["signatures"], there, "signatures")
        assert shown["reload"]["error"] and shown["running"], shown
        assert "reload failed " in cli("show", "engine", "state", STATE).stdout
        os.unlink(os.path.join(DB, "broken.ndb"))
        reload()
        wait_signatures(there + 1)
        c.message(mail(pattern(1)), "554 5.7.1")
        c.quit()
        nothing_counted(before)


def test_by_itself():
    """new signatures are found without a signal"""
    with own_database("--reload", "1"), Server():
        there = engine()["signatures"]
        put_file("reload.ndb", signature(1))
        wait_signatures(there + 1)
        c = Client()
        c.hello()
        c.message(mail(pattern(1)), "554 5.7.1")
        c.quit()


def test_show_engine():
    """the engine is shown, and that there is none"""
    wait_for("its state", engine)
    text = cli("show", "engine", "state", STATE).stdout
    for key in ("engine", "level", "signatures", "loaded", "local-files", "reload"):
        assert "\n" + key + " " in "\n" + text, (key, text)
    p = cli("show", "engine", "state", "/nonexistent", check=False)
    expect_equal((p.returncode, p.stdout), (1, ""), "without a file")
    assert "no helper has said anything" in p.stderr, p.stderr
    stop_helper()
    try:
        assert not os.path.exists(STATE)
    finally:
        start_helper()


if __name__ == "__main__":
    main(tests_of(sys.modules[__name__]))
