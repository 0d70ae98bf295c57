#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""The module and its namespaces go away at any moment (THREATS I3).

Leaves the lab as it was found: module loaded, helper running, policy there.
"""
import os
import signal
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from smtplab import *  # noqa: E402,F403
from test_helper import signal_helpers  # noqa: E402

KO = os.environ["SMTPSPLICE_KO"]
# 50 where KASAN looks on; the other kernels are emulated, and slow
ROUNDS = int(os.environ.get("TEARDOWN_ROUNDS") or
             (50 if os.environ.get("SMTPSPLICE_KERNEL") == "debug" else 10))
POLICY = ("policy", "add", "lab", "iif", "lan", "dst",
          "10.0.2.0/24,fd00:2::/64", "service", "smtp,smtps,submission")


def loaded():
    with open("/proc/modules") as f:
        return any(line.startswith("smtpsplice ") for line in f)


def set_up(helper=True):
    sh("insmod", KO)
    cli(*POLICY)
    if helper:
        start_helper()


def open_sessions(n):
    """Sessions in every state, some in the middle of a reset or a close."""
    out = []

    def state(i):
        c = Client(family=4 if i % 2 else 6, port=587 if i % 10 == 0 else 25)
        if i % 10 == 0:
            return c            # nobody listens on 587: dial, then close
        if i % 10 == 1:
            return c            # greet or command
        c.hello()
        if i % 10 == 2:
            return c
        if i % 10 == 3:
            c.send(b"QUIT\r\n")
            return c
        c.envelope()
        if i % 10 == 4:
            c.reset()
            return c
        c.cmd("DATA", "354")
        c.send(b"some lines\r\n" * 1000)
        if i % 10 < 7:
            return c            # body
        c.send(b".\r\n")        # scan, or release and reply
        if i % 10 == 9:
            c.reset()
        return c
    for i in range(n):
        out.append(state(i))
    return out


def test_rmmod_live():
    """rmmod with 50 live sessions in every state, many times"""
    def stuck(p):
        p.send(b"354 go\r\n")
        while p.fill():
            pass
    for i in range(ROUNDS):
        script = {"DATA": stuck} if i % 3 == 1 else None
        with Server(script=script):
            if i % 3 == 2:
                signal_helpers(signal.SIGSTOP)
            clients = open_sessions(50 if i < 3 else 10 + i % 11)
            sh("rmmod", "smtpsplice")
            assert not loaded()
            for c in clients:
                if c.sock.fileno() >= 0:
                    c.sock.close()
            signal_helpers(signal.SIGCONT)
        # the helper notices that the module is gone
        if i % 5 == 0 or i + 1 == ROUNDS:
            kill_gone()
            set_up()
        else:
            kill_gone()
            set_up(helper=i % 2 == 0)
    if not stats()["helpers"]:
        start_helper()
    with Server() as srv:
        c = Client()
        c.hello()
        c.message(mail())
        c.quit()
        assert srv.messages == [mail()]


def kill_gone():
    signal_helpers(signal.SIGKILL)
    wait_for("the end of the helper", lambda: not helpers())


def test_netns_delete():
    """netns delete with and without policy and sessions, before and after rmmod"""
    def lab2():
        sh("ip", "netns", "add", "gone")
        sh("ip", "link", "set", "lo", "up", ns="gone")
        sh("smtpsplice", "policy", "add", "p", "service", "smtp", ns="gone")

    def freed():
        # the far end of a veth pair goes with the namespace
        return not os.path.exists("/sys/class/net/gone-alive")

    def pin():
        sh("ip", "link", "add", "gone-alive", "type", "veth", "peer", "name",
           "x", "netns", "gone")
    for order in ("delete", "unload", "unload-first"):
        if order == "unload-first":
            kill_gone()
            sh("rmmod", "smtpsplice")
            sh("ip", "netns", "add", "gone")
            pin()
            sh("insmod", KO)
            sh("smtpsplice", "policy", "add", "p", "service", "smtp", ns="gone")
        else:
            lab2()
            pin()
        if order == "delete":
            sh("ip", "netns", "del", "gone")
            wait_for("the namespace to be freed", freed)
        else:
            if order == "unload":
                kill_gone()
            sh("rmmod", "smtpsplice")
            sh("ip", "netns", "del", "gone")
            wait_for("the namespace to be freed", freed)
            set_up()


def test_netns_delete_live():
    """a gateway's namespace is deleted with live sessions in it"""
    sh("ip", "netns", "add", "g2")
    sh("ip", "netns", "add", "c2")
    try:
        sh("ip", "link", "add", "g2-alive", "type", "veth", "peer", "name",
           "x", "netns", "g2")
        for dev in "ab":
            sh("ip", "link", "add", "name", dev, "netns", "c2", "type", "veth",
               "peer", "name", dev, "netns", "g2")
        for ns, n in (("c2", 2), ("g2", 1)):
            for dev, net in (("a", 7), ("b", 8)):
                sh("ip", "-n", ns, "addr", "add", "10.9.%d.%d/24" % (net, n),
                   "dev", dev)
                sh("ip", "-n", ns, "link", "set", "dev", dev, "up")
            sh("ip", "-n", ns, "link", "set", "lo", "up")
        sh("sysctl", "-qw", "net.ipv4.ip_forward=1", ns="g2")
        # a server that nobody answers for: sessions stay in dial
        sh("ip", "-n", "c2", "route", "add", "10.8.0.0/16", "via", "10.9.7.1")
        sh("ip", "-n", "g2", "route", "add", "10.8.0.0/16", "dev", "b")
        sh("smtpsplice", "policy", "add", "p", "service", "smtp", ns="g2")
        socks = []
        for i in range(20):
            with netns("c2"):
                s = socket.socket()
            s.settimeout(PATIENCE)
            s.connect(("10.8.0.%d" % (i + 1), 25))
            socks.append(s)
        wait_for("sessions", lambda: len(json.loads(sh(
            "smtpsplice", "-j", "show", "sessions", ns="g2").stdout)) == 20)
        sh("ip", "netns", "del", "g2")
        wait_for("the namespace to be freed",
                 lambda: not os.path.exists("/sys/class/net/g2-alive"))
        for s in socks:
            s.close()
    finally:
        for ns in ("c2", "g2"):
            sh("ip", "netns", "del", ns, check=False)


if __name__ == "__main__":
    main(tests_of(sys.modules[__name__]))
