# SPDX-License-Identifier: GPL-2.0
"""What the gateway says of itself: counters, sessions, events, its log.

Counters and sessions, which are polled all the time, are asked by netlink: a process
takes a quarter of a second on an emulated machine. test_cli compares both ways.
"""
import json
import os
import signal
import subprocess
import threading
from contextlib import contextmanager

from smtplab.expect import PATIENCE, expect_equal, wait_for
from smtplab.genl import asker
from smtplab.net import RUN, sh


def cli(*argv, check=True):
    return sh("smtpsplice", *argv, ns="gw", check=check)


def stats():
    """The counters by name, as `smtpsplice -j show stats` has them."""
    with asker() as genl:
        return genl.decode("STATS", genl.ask("STATS_GET"))


def sessions():
    """The sessions, as `smtpsplice -j show sessions` has them."""
    with asker() as genl:
        return [genl.decode("SESSION", row) for row in genl.dump("SESSION_GET")]


def delta(before, key):
    return stats()[key] - before[key]


@contextmanager
def counted(**wanted):
    """These counters move by that; "_" stands for "-"."""
    before = stats()
    yield
    got = {key: delta(before, key.replace("_", "-")) for key in wanted}
    expect_equal(got, wanted, "counters")


def av_log():
    """The records of the log that are there whole."""
    with open(os.path.join(RUN, "av.log"), "rb") as f:
        return [json.loads(line) for line in f if line.endswith(b"\n")]


@contextmanager
def logged(**wanted):
    """The one message in between has a record with these fields."""
    # a record of a session before may come late; ids are the numbers of accepted sessions
    n, before = len(av_log()), stats()["accepted"]

    def records():
        return [r for r in av_log()[n:] if r["sessionid"] > before]
    yield
    wait_for("the log", records)
    record = records()[0]
    got = {key: record.get(key) for key in wanted}
    expect_equal(got, wanted, "log")


@contextmanager
def monitor(*options):
    """`smtpsplice monitor` at work: its lines so far."""
    p = subprocess.Popen(["ip", "netns", "exec", "gw", "smtpsplice", *options,
                          "monitor"], stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, text=True)
    lines = []
    reader = threading.Thread(target=lambda: lines.extend(p.stdout))
    # extend() takes them as they come
    reader.start()

    def listens():
        cli("set", "max-sessions", "1000")
        return lines
    try:
        wait_for("the first event", listens)
        yield lines
    finally:
        p.send_signal(signal.SIGTERM)
        status = p.wait(PATIENCE)
        reader.join()
        said = p.stderr.read()
        p.stdout.close()
        p.stderr.close()
    expect_equal((status, said), (0, ""), "end of monitor")
