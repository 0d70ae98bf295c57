#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""The module and its namespaces go away at any moment (THREATS I3).

Leaves the lab as it was found: module loaded, helper running, policy there.
"""
import ctypes
import json
import os
import re
import select
import signal
import socket
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from smtplab.client import Client
from smtplab.expect import PATIENCE, wait_for
from smtplab.gateway import cli, sessions
from smtplab.helper import helpers, signal_helpers, start_helper
from smtplab.lab import main
from smtplab.mails import mail
from smtplab.net import (LISTEN, SERVER4, SERVER6, TIME_WAIT, netns, nft, sh, sysctls,
                         tcp_socket, tcp_sockets)
from smtplab.server import HIDDEN, Server
from smtplab.tap import tests_of

KO = os.environ["SMTPSPLICE_KO"]
# Twelve have each mix of what happens at the same time; LOAD_ROUNDS=50 has more. On
# kernels that are emulated they take long.
ROUNDS = int(os.environ.get("LOAD_ROUNDS") or
             (20 if os.environ.get("SMTPSPLICE_KERNEL") == "debug" else 10))
POLICY = ("policy", "add", "lab", "iif", "lan", "dst",
          "10.0.2.0/24,fd00:2::/64", "service", "smtp,465,submission,2465",
          "tls", "crowd")
MNT_DETACH = 2
libc = ctypes.CDLL(None, use_errno=True)


def loaded():
    with open("/proc/modules") as f:
        return any(line.startswith("smtpsplice ") for line in f)


def add_policies():
    cli("tls", "add", "crowd", "smtps", "bypass", "smtps-port", "2465")
    cli(*POLICY)


def set_up():
    sh("insmod", KO)
    add_policies()
    start_helper()


# How many sessions in which state the module is unloaded with: 50.
CROWD = {"dial": 5, "handshake": 4, "greet": 5, "command": 5, "body": 5,
         "scan": 8, "release": 5, "reply": 5, "relay": 4, "close": 4}


def unread(p):
    """Until the connection ends, without reading."""
    end = select.poll()
    end.register(p.sock, 0)
    end.poll(PATIENCE * 1000)
    return False


def data(p):
    """The server's part: the first recipient says how far it goes."""
    if b"<no-354@" in p.log:
        return unread(p)
    p.send(b"354 go\r\n")
    if b"<unread@" in p.log:
        return unread(p)
    body = Server.read_body(p)
    if b"<reply@" in p.log:
        return unread(p)
    p.send(b"250 2.0.0 queued\r\n")
    return body is not None


def live_session(state, i):
    """A client whose session will be in that state."""
    port = {"dial": 587, "greet": 465, "relay": 2465}.get(state, 25)
    c = Client(family=4 if i % 2 else 6, port=port)
    if port != 25:
        return c
    c.hello()
    if state == "handshake":
        c.cmd("STARTTLS", "220")
        return c
    if state == "close":
        c.cmd("QUIT", "221")
    if state in ("command", "close"):
        return c
    # release: the server does not answer DATA, or does not read the message
    rcpt = {"release": ("no-354", "unread")[i % 2]}.get(state, state)
    c.envelope((rcpt + "@lab",))
    c.cmd("DATA", "354")
    c.send(b"some lines\r\n" * (100000 if rcpt == "unread" else 1000))
    if state != "body":
        c.send(b".\r\n")
    return c


def in_states():
    return Counter(s["state"] for s in sessions())


def are_crowded(states):
    now = in_states()
    return all(now[s] == CROWD[s] for s in states)


def crowd():
    """Clients with live sessions in all states at once."""
    clients = []
    with ThreadPoolExecutor(8) as pool:
        def fill(*states):
            jobs = [pool.submit(live_session, state, i)
                    for state in states for i in range(CROWD[state])]
            clients.extend(job.result() for job in jobs)
            # all at once: one on its way to another state is not there yet
            wait_for("sessions in " + ", ".join(states),
                     lambda: are_crowded(states))
        # these need verdicts, scan must not get one, and close does not last
        fill("release", "reply", "handshake")
        signal_helpers(signal.SIGSTOP)
        # dial comes last: it ends after half a minute
        fill("greet", "command", "body", "scan", "relay", "dial")
        fill("close")
    found = in_states()
    assert found == CROWD, found
    return clients


@contextmanager
def crowded_server():
    """The server of the crowd; on 465 and 2465 nobody greets, 587 does not
    answer."""
    listeners = []
    with netns("server"):
        for port in (465, 2465):
            for af, address in ((socket.AF_INET, SERVER4),
                                (socket.AF_INET6, SERVER6)):
                s = socket.socket(af, socket.SOCK_STREAM)
                s.bind((address, port))
                s.listen(512)
                listeners.append(s)
    try:
        with nft("server", "inet", "chain in { type filter hook input priority 0;"
                 " tcp dport 587 drop; }"), Server(script={
                     "DATA": data, "STARTTLS": "220 2.0.0 go\r\n"}):
            yield
    finally:
        for s in listeners:
            s.close()


def orphans():
    with open("/proc/net/sockstat") as f:
        return int(re.search(r"^TCP:.* orphan (\d+)", f.read(), re.M)[1])


def assert_no_sockets():
    """Neither connections nor orphans are left, only TIME_WAIT's stubs, and
    the listeners of a loaded module."""
    legal = {TIME_WAIT} | ({LISTEN} if loaded() else set())
    wait_for("the end of the gateway's sockets",
             lambda: {s[2] for s in tcp_sockets("gw")} <= legal)
    wait_for("the end of orphaned sockets", lambda: not orphans())


def routing():
    return [sh("ip", "-n", "gw", *words).stdout for words in (
        ("rule",), ("-6", "rule"), ("route", "show", "table", "all"),
        ("-6", "route", "show", "table", "all"))]


def leaked_pages():
    """Kilobytes of shared memory that no file in a file system accounts for."""
    with open("/proc/meminfo") as f:
        shmem = int(re.search(r"^Shmem: +(\d+)", f.read(), re.M)[1])
    used = 0
    with open("/proc/mounts") as f:
        tmpfs = {row.split()[1] for row in f if row.split()[2] in ("tmpfs", "devtmpfs")}
    for path in tmpfs:
        fs = os.statvfs(path)
        used += (fs.f_blocks - fs.f_bfree) * fs.f_frsize // 1024
    return shmem - used


def unload_crowded(i):
    clients = crowd()
    # what happens at the same time: verdicts, the helper's end, clients' ends
    if i % 2:
        signal_helpers(signal.SIGCONT)
    if i % 3 == 1:
        signal_helpers(signal.SIGKILL)
    if i % 4 > 1:
        for c in clients[::3]:
            c.reset()
    sh("rmmod", "smtpsplice", timeout=PATIENCE)
    assert not loaded()
    for c in clients:
        if c.sock.fileno() >= 0:
            c.closed()
            c.sock.close()
    assert_no_sockets()


def test_rmmod_live():
    """rmmod with 50 live sessions in every state, many times"""
    before = routing()
    pages = None
    cli("policy", "del", "lab")
    add_policies()
    for i in range(ROUNDS):
        with crowded_server():
            unload_crowded(i)
        kill_gone()
        if pages is None:
            pages = leaked_pages()
        # what the module closes last is freed a moment later
        wait_for("shared memory to be freed", lambda: leaked_pages() < pages + 512)
        set_up()
    assert routing() == before
    with Server() as srv:
        c = Client()
        c.hello()
        c.message(mail())
        c.quit()
        assert srv.messages == [mail()]


def test_port_after_unload():
    """a client's port that the gateway has in TIME_WAIT is free after rmmod"""
    ports = {}
    with Server():
        for family in (4, 6):
            c = Client(family=family)
            c.hello()
            ports[family] = c.sock.getsockname()[1]
            c.quit()
        wait_for("TIME_WAIT", lambda: {p for _, p, state in tcp_sockets("gw")
                                       if state == TIME_WAIT} >= {*ports.values()})
        sh("rmmod", "smtpsplice", timeout=PATIENCE)
        for family, port in ports.items():
            c = Client(family=family, src=("", port))
            assert HIDDEN in c.hello(), "inspected"
            c.quit()
    kill_gone()
    set_up()


def test_fin_wait():
    """a peer that takes our FIN and sends none of its own leaves no socket"""
    # longer than TIME_WAIT: tcp_close() makes no stub of such a socket
    with sysctls("gw", {"ipv4/tcp_fin_timeout": 120}), \
            Server(script={"NOOP": unread}):
        c, d = Client(), Client(family=6)
        c.hello()
        c.cmd("QUIT", "221")
        d.hello()
        d.send(b"NOOP\r\n")
        d.reset()
        wait_for("the end", lambda: not sessions())
        assert_no_sockets()
        c.sock.close()


def test_unacked_fin():
    """a FIN that a peer never acknowledges leaves no socket behind"""
    lost = "chain out { type filter hook output priority 0; tcp %s 25 drop; }"
    for ns, port, unload in (("client", "dport", False), ("server", "sport", False),
                             ("client", "dport", True), ("server", "sport", True)):
        with Server() as srv:
            c = Client()
            c.hello()
            with nft(ns, "inet", lost % port):
                if ns == "client":
                    srv.conns[0].send(b"421 4.4.2 bye\r\n")
                else:
                    c.reset()
                wait_for("close", lambda: not sessions() or in_states()["close"])
                if unload:
                    sh("rmmod", "smtpsplice", timeout=PATIENCE)
                else:
                    wait_for("the end", lambda: not sessions())
                assert_no_sockets()
            c.sock.close()
        if unload:
            kill_gone()
            set_up()


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


@contextmanager
def second_gateway():
    """A namespace g2 that inspects, and one c2 of clients, whose servers nobody
    answers for: sessions stay in dial."""
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
        sh("ip", "-n", "c2", "route", "add", "10.8.0.0/16", "via", "10.9.7.1")
        sh("ip", "-n", "g2", "route", "add", "10.8.0.0/16", "dev", "b")
        sh("smtpsplice", "policy", "add", "p", "service", "smtp", ns="g2")
        yield
    finally:
        for ns in ("c2", "g2"):
            sh("ip", "netns", "del", ns, check=False)


def second_is_freed():
    return not os.path.exists("/sys/class/net/g2-alive")


def sessions_of_second(n):
    return len(json.loads(sh("smtpsplice", "-j", "show", "sessions",
                             ns="g2").stdout)) == n


def test_netns_delete_live():
    """a gateway's namespace is deleted with live sessions in it"""
    with second_gateway():
        socks = []
        for i in range(20):
            socks.append(tcp_socket("c2"))
            socks[-1].settimeout(PATIENCE)
            socks[-1].connect(("10.8.0.%d" % (i + 1), 25))
        wait_for("sessions", lambda: sessions_of_second(20))
        sh("ip", "netns", "del", "g2")
        wait_for("the namespace to be freed", second_is_freed)
        for s in socks:
            s.close()


def turned_away(sock):
    """Was it told so? What there is to read has come."""
    try:
        return sock.recv(100).startswith(b"421 4.3.2 ")
    except OSError:
        return False
    finally:
        sock.close()


def turned_away_at_the_end():
    """How many clients are turned away by a namespace that nobody holds any more."""
    with second_gateway(), nft("c2", "ip", "chain in { type filter hook input priority 0;"
                               " tcp sport 25 tcp flags & fin == fin drop; }"):
        sh("smtpsplice", "set", "max-sessions", "1", ns="g2")
        first = tcp_socket("c2")
        first.settimeout(PATIENCE)
        first.connect(("10.8.0.1", 25))
        wait_for("a session", lambda: sessions_of_second(1))
        late = [tcp_socket("c2") for _ in range(50)]
        # as "ip netns del" does it, without the time that its end takes
        assert not libc.umount2(b"/run/netns/g2", MNT_DETACH)
        for i, sock in enumerate(late):
            sock.setblocking(False)
            sock.connect_ex(("10.8.0.%d" % (i + 2), 25))
        wait_for("the namespace to be freed", second_is_freed)
        first.close()
        return sum(turned_away(sock) for sock in late)


def test_K3_turned_away_at_the_end():
    """who is turned away while a namespace goes away leaves no socket behind"""
    for _ in range(20):
        if turned_away_at_the_end():
            break
    else:
        raise AssertionError("nobody came in time")
    assert_no_sockets()


if __name__ == "__main__":
    main(tests_of(sys.modules[__name__]))
