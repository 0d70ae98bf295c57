# SPDX-License-Identifier: GPL-2.0
"""The helper's processes: stopped, killed, started anew, or played by a test."""
import errno
import os
import signal
import subprocess
import threading
from contextlib import contextmanager

from smtplab.client import Client
from smtplab.config import add_policy, add_profile, policies, profiles
from smtplab.exchange import send_message
from smtplab.expect import wait_for
from smtplab.gateway import stats
from smtplab.genl import Genl
from smtplab.net import RUN, sh
from smtplab.server import Server

PIDFILE = os.path.join(RUN, "smtpspliced.pid")


def helpers():
    """Process ids of all processes of the helper in the lab."""
    out = sh("ip", "netns", "pids", "gw", check=False).stdout.split()
    pids = []
    for pid in map(int, out):
        try:
            with open("/proc/%d/cmdline" % pid, "rb") as f:
                if f.read().split(b"\0")[0].endswith(b"smtpspliced"):
                    pids.append(pid)
        except OSError:
            pass
    return pids


def helper_command():
    """How the lab runs smtpspliced."""
    with open(os.path.join(RUN, "env")) as f:
        env = dict(line.rstrip("\n").split("=", 1) for line in f)
    return ("smtpspliced", "--database", env["LAB_DB"], "--log",
            os.path.join(RUN, "av.log"), "--ca-dir", os.path.join(RUN, "ca"),
            "--state", os.path.join(RUN, "engine.json"))


# What restarted_helper() has added
helper_options = []


def start_helper(*options):
    """Starts the lab's helper anew and waits until it has registered."""
    options = [*helper_options, *options]
    with open(os.path.join(RUN, "smtpspliced.log"), "a") as log:
        p = subprocess.Popen(["ip", "netns", "exec", "gw", *helper_command(), *options],
                             stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                             start_new_session=True)
    # "lab down" waits for its end, so it must not stay as a zombie of ours
    threading.Thread(target=p.wait, daemon=True).start()
    with open(PIDFILE, "w") as f:
        f.write("%d\n" % p.pid)
    wait_for("the helper", lambda: stats()["helpers"] == 1)


def signal_helpers(sig):
    for pid in helpers():
        try:
            os.kill(pid, sig)
        except ProcessLookupError:
            pass


def kill_helpers():
    signal_helpers(signal.SIGKILL)
    wait_for("the end of the helper", lambda: not helpers())
    wait_for("its notice", lambda: stats()["helpers"] == 0)


def gone(pid):
    """Whether a process has ended; it may be a child of ours."""
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        pass
    return not os.path.exists("/proc/%d" % pid)


def stop_helper():
    with open(PIDFILE) as f:
        pid = int(f.read())
    os.kill(pid, signal.SIGTERM)
    wait_for("the end of the helper", lambda: gone(pid))


@contextmanager
def unloaded():
    """The lab without module and helper; afterwards as it was."""
    there, tls = policies(), profiles()
    stop_helper()
    sh("rmmod", "smtpsplice")
    try:
        yield
    finally:
        sh("insmod", os.environ["SMTPSPLICE_KO"])
        start_helper()
        for p in tls:
            if p["name"] != "default":
                add_profile(p)
        for p in there:
            add_policy(p)


@contextmanager
def restarted_helper(*options):
    """The lab's helper with more options, until the end."""
    stop_helper()
    helper_options.extend(options)
    start_helper()
    try:
        yield
    finally:
        stop_helper()
        del helper_options[len(helper_options) - len(options):]
        start_helper()


@contextmanager
def stopped_helper():
    """No verdict comes."""
    signal_helpers(signal.SIGSTOP)
    try:
        yield
    finally:
        signal_helpers(signal.SIGCONT)


@contextmanager
def in_place_of_the_helper(body):
    """This process is the helper, and one message waits to be scanned, or only a
    client is there; yields the registered socket, the client and the server."""
    kill_helpers()
    g = Genl()
    try:
        assert g.register("SCAN") == b""
        assert g.ask("SCAN_ACCEPT") == errno.EAGAIN
        with Server() as srv:
            if body is None:
                c = Client()
            else:
                c = send_message(body)
                wait_for("a request", lambda: stats()["scan-queued"] == 1)
            yield g, c, srv
    finally:
        g.sock.close()
        wait_for("its notice", lambda: stats()["helpers"] == 0)
        start_helper()
