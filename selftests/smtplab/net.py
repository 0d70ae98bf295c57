# SPDX-License-Identifier: GPL-2.0
"""The lab's namespaces, and what the kernel knows of them."""
import ctypes
import json
import os
import select
import socket
import struct
import subprocess
from contextlib import contextmanager, nullcontext

from smtplab.expect import PATIENCE

RUN = os.environ.get("LAB_RUN", "/run/smtpsplice-lab")
SERVER4, SERVER6 = "10.0.2.2", "fd00:2::2"
CLIENT4, CLIENT6 = "10.0.1.2", "fd00:1::2"
HAVE_IPV6 = os.path.isdir("/proc/sys/net/ipv6")
CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


def _setns(path):
    with open(path) as f:
        if _libc.setns(f.fileno(), CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns " + path)


@contextmanager
def netns(name):
    """Makes this thread create its sockets in a namespace of the lab."""
    _setns("/run/netns/" + name)
    try:
        yield
    finally:
        _setns("/proc/1/ns/net")


def sh(*argv, ns=None, check=True, **kw):
    # not by "ip netns exec", whose mounts are slow on emulated machines
    with netns(ns) if ns else nullcontext():
        p = subprocess.run(argv, capture_output=True, text=True, **kw)
    if check and p.returncode:
        raise AssertionError("%.500s: %d: %.500s" % (
            " ".join(argv), p.returncode, p.stderr.strip()))
    return p


def sysctl(ns, key, value=None):
    """Reads /proc/sys/net/KEY, and sets it where a value is given."""
    with netns(ns):
        with open("/proc/sys/net/" + key) as f:
            old = f.read().strip()
        if value is not None:
            with open("/proc/sys/net/" + key, "w") as f:
                f.write(str(value))
    return old


@contextmanager
def sysctls(ns, values):
    old = [(key, sysctl(ns, key, value)) for key, value in values.items()]
    try:
        yield
    finally:
        for key, value in reversed(old):
            sysctl(ns, key, value)


def ip(ns, *lines, check=True):
    """Runs lines of ip(8) in a namespace."""
    return sh("ip", "-n", ns, "-batch", "-", check=check,
              input="\n".join(lines) + "\n")


@contextmanager
def addresses(ns, dev, *addrs):
    for a in addrs:
        ip(ns, "addr add %s dev %s%s" % (a, dev, " nodad" * (":" in a)))
    try:
        yield
    finally:
        for a in addrs:
            ip(ns, "addr del %s dev %s" % (a, dev))


@contextmanager
def nft(ns, family, rules):
    """A table "t" of nft(8) in a namespace; yields a reader of its counters."""
    def counters():
        out = sh("nft", "-j", "list", "table", family, "t", ns=ns).stdout
        found = [x["counter"] for x in json.loads(out)["nftables"]
                 if "counter" in x]
        return {c["name"]: c["packets"] for c in found}
    sh("nft", "-f", "-", ns=ns, input="table %s t {\n%s\n}\n" % (family, rules))
    try:
        yield counters
    finally:
        sh("nft", "delete", "table", family, "t", ns=ns)


def mib(ns):
    """The protocol counters of a namespace, such as TcpOutRsts,
    TcpExtSyncookiesRecv or Icmp6InPktTooBigs."""
    found = {}
    with netns(ns):
        for name in ("snmp", "netstat"):
            with open("/proc/thread-self/net/" + name) as f:
                rows = f.read().splitlines()
            for heads, values in zip(rows[::2], rows[1::2]):
                prefix, heads = heads.split(":")
                for key, value in zip(heads.split(), values.split()[1:]):
                    found[prefix + key] = int(value)
        with open("/proc/thread-self/net/snmp6") as f:
            for row in f:
                key, value = row.split()
                found[key] = int(value)
    return found


def tcp_sockets(ns):
    """(local port, remote port, state) of all TCP sockets of a namespace."""
    found = set()
    with netns(ns):
        for name in ("tcp", "tcp6"):
            with open("/proc/thread-self/net/" + name) as f:
                for row in f.read().splitlines()[1:]:
                    local, remote, state = row.split()[1:4]
                    found.add((int(local.split(":")[1], 16),
                               int(remote.split(":")[1], 16), int(state, 16)))
    return found


def tcp_info(sock):
    """state, octets not sent yet, segments with data sent, octets sent in them:
    of struct tcp_info (linux/tcp.h), which repetitions count in as well."""
    info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 208)
    return (info[0], *struct.unpack_from("=I", info, 144),
            *struct.unpack_from("=I", info, 156),
            *struct.unpack_from("=Q", info, 200))


def tcp_socket(ns, family=4, src=None):
    """A TCP socket in a namespace, bound to `src` where that is given."""
    with netns(ns):
        sock = socket.socket(socket.AF_INET if family == 4 else
                             socket.AF_INET6, socket.SOCK_STREAM)
    if src:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(src)
    return sock


def disconnect(sock):
    """connect() to AF_UNSPEC."""
    if _libc.connect(sock.fileno(), bytes(16), 16):
        raise OSError(ctypes.get_errno(), "disconnect")


def small_window(sock):
    """For prepare: little fits into the receive buffer."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)


# States of a TCP socket
ESTABLISHED, SYN_SENT, FIN_WAIT1, TIME_WAIT, CLOSE = 1, 2, 4, 6, 7
CLOSE_WAIT, LAST_ACK, LISTEN = 8, 9, 10


def server_of(family):
    return SERVER4 if family == 4 else SERVER6


def client_of(family):
    return CLIENT4 if family == 4 else CLIENT6


def dial(to, family=4, port=25, src=None, ns="client"):
    """A connection on its way: the socket, and what connect() said."""
    s = tcp_socket(ns, family, src)
    s.setblocking(False)
    return s, s.connect_ex((to, port))


def connect_error(s):
    """How the connection on its way ended."""
    poll = select.poll()
    poll.register(s, select.POLLOUT)
    assert poll.poll(PATIENCE * 1000), "the connection never ended"
    return s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
