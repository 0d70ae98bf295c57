#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Steering: which flows are taken out of the forwarding path, and that what is
taken gets through, whatever the network around the gateway is like.

Each test fails without some piece of kmod/steer.c, kmod/policy.c or the
connection to the server in kmod/leg.c. Where a flow would get through all the
same, only later, counters of the network stack are looked at, never a clock.
"""
import errno
import json
import os
import socket
import struct
import sys
from contextlib import contextmanager

from smtplab.client import Client
from smtplab.config import no_policies, policies, policy, setting
from smtplab.exchange import is_inspected, through
from smtplab.expect import expect_equal, wait_for
from smtplab.gateway import delta, sessions, stats
from smtplab.lab import main
from smtplab.mails import infected, mail
from smtplab.net import (CLIENT4, CLIENT6, LISTEN, SERVER4, SERVER6, SYN_SENT, TIME_WAIT,
                         addresses, client_of, connect_error, dial, ip, mib, netns, nft,
                         server_of, sh, sysctl, sysctls, tcp_sockets)
from smtplab.peer import Peer
from smtplab.server import Server
from smtplab.tap import Skip, tests_of

GATEWAY4, GATEWAY6 = "10.0.2.1", "fd00:2::1"
OTHER = 2525
MASQUERADE = """
    chain post {
        type nat hook postrouting priority 100;
        oifname "wan" masquerade
    }
"""
BIG = mail("\r\n".join(["x" * 70] * 14600))


def untouched(family=4, port=25, **client):
    """A flow reaches the server as the client made it."""
    before = stats()
    with Server(port=port) as srv:
        c = Client(family=family, port=port, **client)
        assert not is_inspected(c), "inspected"
        expect_equal(srv.peers[0], c.sock.getsockname()[:2], "client")
        c.quit()
    for key in ("accepted", "steered"):
        expect_equal(delta(before, key), 0, key)


def picked_by(family=4, port=25, **client):
    """The policy that picks a client, None where it is forwarded untouched."""
    with Server(port=port) as srv:
        c = Client(family=family, port=port, **client)
        inside = is_inspected(c)
        found = [s["policy"] for s in sessions()
                 if s["client-port"] == c.sock.getsockname()[1]]
        c.quit()
        expect_equal(len(found), int(inside), "sessions of the client")
        expect_equal(len(srv.peers), 1, "connections to the server")
    return found[0] if found else None


def refused(to, family=4, src=None):
    """A request that a policy matches is left to the forwarding path."""
    before = stats()
    s, _ = dial(to, family, src=src)
    try:
        wait_for("the refusal", lambda: delta(before, "steer-refused"))
        expect_equal(delta(before, "steered"), 0, "steered")
        expect_equal(delta(before, "accepted"), 0, "accepted")
    finally:
        s.close()


# --- what every flow needs -------------------------------------------------

def test_rule_less():
    """flows are delivered locally without rules, tables, sysctls or netfilter"""
    for family, wanted in (("-4", [0, 32766, 32767]), ("-6", [0, 32766])):
        rules = json.loads(sh("ip", "-n", "gw", "-j", family, "rule").stdout)
        expect_equal([r["priority"] for r in rules], wanted, "rules " + family)
    expect_equal(sh("nft", "list", "ruleset", ns="gw").stdout, "", "nft ruleset")
    for where in ("all", "lan", "wan"):
        for key in ("route_localnet", "accept_local", "src_valid_mark"):
            expect_equal(sysctl("gw", "ipv4/conf/%s/%s" % (where, key)), "0", key)
        expect_equal(sysctl("gw", "ipv4/conf/%s/rp_filter" % where), "1", where)
    for key in ("ipv4/ip_nonlocal_bind", "ipv6/ip_nonlocal_bind",
                "ipv4/fwmark_reflect", "ipv4/tcp_fwmark_accept"):
        expect_equal(sysctl("gw", key), "0", key)
    for family in (4, 6):
        through(family)


def test_addresses():
    """the server sees the client's address, the session has both ends"""
    for family in (4, 6):
        wait_for("quiet", lambda: not sessions())
        with Server() as srv:
            c = Client(family=family)
            assert is_inspected(c)
            s, = sessions()
            me = c.sock.getsockname()[:2]
            expect_equal(srv.peers[0][0], me[0], "client at the server")
            expect_equal((s["client"], s["client-port"]), me, "client")
            expect_equal((s["server"], s["server-port"]),
                         (server_of(family), 25), "server")
            expect_equal(s["iif"], "lan", "iif")
            c.quit()


def test_own_port_25():
    """nothing listens on port 25; a mail server on the gateway is no clash"""
    assert not [s for s in tcp_sockets("gw") if s[0] == 25 and s[2] == LISTEN]
    with Server(port=587):
        # sessions in progress are no reason why it could not start
        clients = [Client(port=587, family=f) for f in (4, 6)]
        for c in clients:
            assert is_inspected(c)
        with Server(port=587, ns="gw"):
            pass
        for c in clients:
            c.quit()
    with Server(ns="gw") as own:
        for family in (4, 6):
            through(family)
        expect_equal(own.peers, [], "connections to the gateway's own server")


def test_listener_is_no_service():
    """the policy's own socket serves nobody who connects to it"""
    ports = [s[0] for s in tcp_sockets("gw") if s[2] == LISTEN]
    expect_equal(len(ports), 2, "listeners of one policy")
    # should it dial itself, let that not use up the machine
    with setting("max-sessions", "20"):
        for family, address in ((4, "127.0.0.1"), (6, "::1")):
            for port in ports:
                before = stats()
                quiet = True
                try:
                    c = Client(family=family, port=port, to=address, ns="gw")
                    quiet = c.closed()
                    c.sock.close()
                except (ConnectionRefusedError, ConnectionResetError):
                    pass
                wait_for("the end of all sessions", lambda: not sessions())
                expect_equal(delta(before, "accepted"), 0, "sessions")
                assert quiet, "it talks"


# --- route hints -----------------------------------------------------------

@contextmanager
def batches():
    """The gateway receives what comes in within 20 ms as one batch."""
    def queue(irqs, timeout):
        # with the /sys of that namespace
        sh("ip", "netns", "exec", "gw", "sh", "-c",
           "cd /sys/class/net/lan && echo %d >napi_defer_hard_irqs "
           "&& echo %d >gro_flush_timeout" % (irqs, timeout))
    sh("ethtool", "-K", "eth0", "tso", "off", "gso", "off", ns="client")
    sh("ethtool", "-K", "lan", "gro", "on", ns="gw")
    queue(1000, 20000000)
    try:
        yield
    finally:
        queue(0, 0)
        sh("ethtool", "-K", "lan", "gro", "off", ns="gw")
        sh("ethtool", "-K", "eth0", "tso", "on", "gso", "on", ns="client")


def connect_at_once(family, ports):
    """Clients that send their requests one right behind the other."""
    with netns("client"):
        af = socket.AF_INET if family == 4 else socket.AF_INET6
        socks = [socket.socket(af, socket.SOCK_STREAM) for _ in ports]
    for s, port in zip(socks, ports):
        s.setblocking(False)
        s.connect_ex((server_of(family), port))
    for s, port in zip(socks, ports):
        expect_equal(os.strerror(connect_error(s)), os.strerror(0),
                     "connection to port %d" % port)
    return [Peer(s) for s in socks]


def route_hint(family):
    ports = [25, OTHER] * 10
    with Server(), Server(port=OTHER), batches():
        first = Client(family=family, port=OTHER)
        first.hello()
        first.quit()
        wait_for("quiet", lambda: not sessions())
        for _ in range(3):
            before, resets = stats(), mib("gw")["TcpOutRsts"]
            peers = connect_at_once(family, ports)
            for p in peers:
                expect_equal(p.line()[:4], b"220 ", "banner")
            expect_equal(mib("gw")["TcpOutRsts"] - resets, 0,
                         "resets by the gateway")
            expect_equal(delta(before, "accepted"), 10, "accepted")
            for p in peers:
                p.send(b"QUIT\r\n")
            for p in peers:
                p.line()
                p.sock.close()
            wait_for("the end", lambda: not sessions())


def test_route_hint_v4():
    """a steered packet's route is not handed on to the next packet, IPv4"""
    route_hint(4)


def test_route_hint_v6():
    """a steered packet's route is not handed on to the next packet, IPv6"""
    route_hint(6)


# --- smaller MTUs ----------------------------------------------------------

@contextmanager
def beyond(router, n):
    """The namespace "far" with 10.0.n.2 and fd00:n::2, behind "client" or
    "server", which passes it nothing that is longer than 1300 octets."""
    via4, via6 = (CLIENT4, CLIENT6) if router == "client" else (SERVER4, SERVER6)
    net = {"n": n, "via4": via4, "via6": via6}
    sh("ip", "netns", "add", "far")
    try:
        sysctl("far", "ipv6/conf/default/accept_dad", 0)
        sysctl("far", "ipv6/conf/default/dad_transmits", 0)
        with sysctls(router, {"ipv4/ip_forward": 1,
                              "ipv6/conf/all/forwarding": 1}):
            ip(router, *(line % net for line in (
                "link add far type veth peer name eth0 netns far",
                "link set far up",
                "addr add 10.0.%(n)d.1/24 dev far",
                "addr add fd00:%(n)d::1/64 dev far nodad",
                "route add 10.0.%(n)d.2/32 dev far mtu 1300",
                "route add fd00:%(n)d::2/128 dev far mtu 1300")))
            ip("far", *(line % net for line in (
                "link set lo up",
                "link set eth0 up",
                "addr add 10.0.%(n)d.2/24 dev eth0",
                "addr add fd00:%(n)d::2/64 dev eth0 nodad",
                "route add default via 10.0.%(n)d.1",
                "route add default via fd00:%(n)d::1")))
            ip("gw", *(line % net for line in (
                "route add 10.0.%(n)d.0/24 via %(via4)s",
                "route add fd00:%(n)d::/64 via %(via6)s")))
            try:
                yield
            finally:
                ip("gw", *(line % net for line in (
                    "route del 10.0.%(n)d.0/24", "route del fd00:%(n)d::/64")))
                ip(router, "link del far")
    finally:
        sh("ip", "netns", "del", "far")


def too_big(family):
    """How often the gateway itself was told of a smaller MTU."""
    return mib("gw")["IcmpInDestUnreachs" if family == 4 else
                     "Icmp6InPktTooBigs"]


def small_mtu_at_server(family):
    with beyond("server", 3), policy("far", "dst", "10.0.3.0/24,fd00:3::/64"):
        told = too_big(family)
        through(family, BIG, server="far",
                to="10.0.3.2" if family == 4 else "fd00:3::2")
        assert too_big(family) > told, "the gateway was not told"


def test_mtu_server_v4():
    """"fragmentation needed" on the server's side reaches leg 2, IPv4"""
    small_mtu_at_server(4)


def test_mtu_server_v6():
    """"packet too big" on the server's side reaches leg 2, IPv6"""
    small_mtu_at_server(6)


def test_mtu_masquerade():
    """the same with leg 2 masqueraded"""
    with nft("gw", "inet", MASQUERADE):
        small_mtu_at_server(4)
        small_mtu_at_server(6)


def small_mtu_at_client(family):
    text = "".join("252-%s\r\n" % ("y" * 300) for _ in range(40)) + "252 end\r\n"
    with beyond("client", 4), Server(script={"VRFY": text}):
        told = too_big(family)
        c = Client(family=family, ns="far")
        assert is_inspected(c)
        expect_equal(c.cmd("VRFY x") + "\n", text.replace("\r", ""), "reply")
        c.quit()
        assert too_big(family) > told, "the gateway was not told"


def test_mtu_client_v4():
    """"fragmentation needed" on the client's side reaches leg 1, IPv4"""
    small_mtu_at_client(4)


def test_mtu_client_v6():
    """"packet too big" on the client's side reaches leg 1, IPv6"""
    small_mtu_at_client(6)


def test_icmp_unreachable():
    """"host unreachable" ends the dialling at once, not after dial-timeout"""
    for family, reject in ((4, "icmp type host-unreachable"),
                           (6, "icmpv6 type addr-unreachable")):
        with nft("server", "inet", "chain in { type filter hook input priority"
                 " 0; tcp dport 25 reject with %s; }" % reject):
            before = stats()
            c = Client(family=family)
            c.expect("421 4.4.1")
            assert c.closed()
            expect_equal(delta(before, "timeout"), 0, "time-outs")


def test_fragments():
    """a client whose packets come in fragments"""
    def may_fragment(sock):
        sock.setsockopt(socket.IPPROTO_IP, 10, 0)  # IP_MTU_DISCOVER: never
    with beyond("client", 4):
        ip("client", "route add 10.0.2.0/24 via 10.0.1.1 mtu 1300")
        try:
            joined = mib("gw")["IpReasmOKs"]
            through(4, BIG, ns="far", prepare=may_fragment)
            assert mib("gw")["IpReasmOKs"] > joined, "no fragments"
        finally:
            ip("client", "route del 10.0.2.0/24")


# --- TIME_WAIT, syncookies, older flows -------------------------------------

def reuse(family):
    with Server() as srv:
        c = Client(family=family)
        c.hello()
        src = c.sock.getsockname()[:2]
        c.quit()
        wait_for("TIME_WAIT in the gateway", lambda:
                 (25, src[1], TIME_WAIT) in tcp_sockets("gw"))
        wait_for("the client's end", lambda: not
                 [s for s in tcp_sockets("client") if s[0] == src[1]])
        before, resets = stats(), mib("client")["TcpOutRsts"]
        c = Client(family=family, src=src)
        assert is_inspected(c)
        c.message(mail())
        c.quit()
        expect_equal(srv.messages, [mail()], "messages")
        expect_equal(delta(before, "steered"), 1, "steered")
        expect_equal(mib("client")["TcpOutRsts"] - resets, 0,
                     "packets of the old connection that the client reset")


def test_time_wait_v4():
    """a client uses its port again while the gateway is in TIME_WAIT, IPv4"""
    reuse(4)


def test_time_wait_v6():
    """a client uses its port again while the gateway is in TIME_WAIT, IPv6"""
    reuse(6)


def client_uses_port_of_leg(family):
    with Server() as srv:
        first = Client(family=family)
        assert is_inspected(first)
        leg = srv.peers[0][1]
        second = Client(family=family, src=(client_of(family), leg))
        assert is_inspected(second)
        for c in (first, second):
            c.message(mail())
            c.quit()
        expect_equal(len(srv.messages), 2, "messages")


def test_port_of_leg_v4():
    """a client's port may be the one of a leg 2 with its address, IPv4"""
    client_uses_port_of_leg(4)


def test_port_of_leg_v6():
    """a client's port may be the one of a leg 2 with its address, IPv6"""
    client_uses_port_of_leg(6)


def port_of_dialling_leg(family):
    silent = "chain in { type filter hook input priority 0; tcp dport 25 drop; }"
    with nft("server", "inet", silent):
        first = Client(family=family)
        wait_for("leg 2", lambda: [s for s in tcp_sockets("gw")
                                   if s[1:] == (25, SYN_SENT)])
        leg, = [s[0] for s in tcp_sockets("gw") if s[1:] == (25, SYN_SENT)]
        before = stats()
        second = Client(family=family, src=(client_of(family), leg))
        expect_equal(delta(before, "steer-refused"), 0, "refused")
        wait_for("a second session", lambda: len(sessions()) == 2)
        for c in (first, second):
            c.reset()
        wait_for("the end", lambda: not sessions())


def test_port_of_dialling_leg():
    """even where that leg 2 still waits for the server's answer"""
    for family in (4, 6):
        port_of_dialling_leg(family)


@contextmanager
def always_syncookies():
    try:
        with sysctls("gw", {"ipv4/tcp_syncookies": 2}):
            yield
    finally:
        # new listeners, which have sent no cookie
        with no_policies():
            pass


def syncookies(family):
    with always_syncookies():
        before = mib("gw")["TcpExtSyncookiesRecv"]
        through(family)
        expect_equal(mib("gw")["TcpExtSyncookiesRecv"] - before, 1, "cookies")


def test_syncookies_v4():
    """connections by syncookie, IPv4"""
    syncookies(4)


def test_syncookies_v6():
    """connections by syncookie, IPv6"""
    syncookies(6)


def older_flow(family, meanwhile=lambda: None):
    with Server() as srv:
        with no_policies():
            c = Client(family=family)
            assert not is_inspected(c)
        meanwhile()
        before = stats()
        c.message(mail())
        c.quit()
        expect_equal(srv.messages[-1:], [mail()], "messages")
        expect_equal(delta(before, "accepted"), 0, "accepted")


def test_older_flow():
    """a flow older than the policy goes on untouched"""
    older_flow(4)
    older_flow(6)


def older_flow_syncookies(family):
    def other_client():
        with sysctls("gw", {"ipv4/tcp_syncookies": 2}):
            c = Client(family=family)
            assert is_inspected(c)
            c.quit()
    try:
        older_flow(family, other_client)
    finally:
        with no_policies():
            pass


def test_older_flow_syncookies_v4():
    """the same where the policy's listener has just sent syncookies, IPv4"""
    older_flow_syncookies(4)


def test_older_flow_syncookies_v6():
    """the same where the policy's listener has just sent syncookies, IPv6"""
    older_flow_syncookies(6)


# --- conntrack and NAT -----------------------------------------------------

TRACKED = """
    counter invalid {}
    counter leg1 {}
    counter leg2 {}
    chain pre {
        type filter hook prerouting priority -120;
        meta l4proto tcp ct state invalid counter name invalid
        tcp dport 25 ct state established counter name leg1
    }
    chain out {
        type filter hook output priority -120;
        meta l4proto tcp ct state invalid counter name invalid
        tcp dport 25 ct state established counter name leg2
    }
"""
DNAT = """
    chain pre {
        type nat hook prerouting priority -100;
        ip daddr 10.0.9.9 tcp dport 25 dnat ip to 10.0.2.2
        ip6 daddr fd00:9::9 tcp dport 25 dnat ip6 to fd00:2::2
    }
"""


def with_isn(isn):
    """In one kernel both legs of a flow would start near the same sequence
    number, so that conntrack would not notice if it took them for one. This
    client's is elsewhere."""
    def prepare(sock):
        repair, queue, seq = 19, 20, 21
        sock.setsockopt(socket.IPPROTO_TCP, repair, 1)
        sock.setsockopt(socket.IPPROTO_TCP, queue, 2)
        sock.setsockopt(socket.IPPROTO_TCP, seq, struct.pack("=I", isn))
        sock.setsockopt(socket.IPPROTO_TCP, repair, -1)
    return prepare


def test_conntrack():
    """conntrack sees two sound connections a session"""
    for family in (4, 6):
        wait_for("quiet", lambda: not sessions())
        with nft("gw", "inet", TRACKED) as counters:
            # it minds only numbers too high, so go round the whole circle
            for quarter in range(4):
                through(family, prepare=with_isn(quarter << 30 | 4711))
            wait_for("the end", lambda: not sessions())
            seen = counters()
            expect_equal(seen["invalid"], 0, "invalid packets")
            assert seen["leg1"] and seen["leg2"], seen


def test_masquerade():
    """leg 2 can be masqueraded"""
    with nft("gw", "inet", MASQUERADE):
        expect_equal(through(4)[0], GATEWAY4, "client at the server")
        expect_equal(through(6)[0], GATEWAY6, "client at the server")


def test_dnat():
    """a server behind DNAT is matched by its real address"""
    with nft("gw", "inet", DNAT):
        for family, to in ((4, "10.0.9.9"), (6, "fd00:9::9")):
            expect_equal(through(family, to=to)[0], client_of(family),
                         "client at the server")
            wait_for("quiet", lambda: not sessions())
            with Server():
                c = Client(family=family, to=to)
                assert is_inspected(c)
                expect_equal([s["server"] for s in sessions()],
                             [server_of(family)], "server")
                c.quit()


# --- only what the box would have forwarded --------------------------------

def test_spoofed_v4():
    """a source that the reverse-path filter drops is not answered"""
    with addresses("client", "eth0", "10.0.2.77/32"):
        refused(SERVER4, src=("10.0.2.77", 0))


def test_spoofed_v6():
    """a source that no route leads back to is not answered"""
    with addresses("client", "eth0", "fd00:77::1/128"):
        refused(SERVER6, 6, src=("fd00:77::1", 0))


def test_to_the_box():
    """the gateway's own port 25 is reached, though a policy covers it"""
    with policy("own", "dst", "10.0.1.1,fd00:1::1,%s,%s" % (GATEWAY4, GATEWAY6)), \
            Server(ns="gw") as srv:
        for family, to in ((4, "10.0.1.1"), (6, "fd00:1::1"), (4, GATEWAY4),
                           (6, GATEWAY6)):
            before = stats()
            c = Client(family=family, to=to)
            assert not is_inspected(c), "inspected: " + to
            expect_equal(srv.peers[-1], c.sock.getsockname()[:2], "client")
            c.quit()
            expect_equal(delta(before, "steered"), 0, "steered")
            assert delta(before, "steer-refused"), "no policy matched"


def test_forwarding_off_v4():
    """without forwarding nothing is steered, IPv4"""
    with sysctls("gw", {"ipv4/ip_forward": 0}):
        refused(SERVER4)
    through(4)


def test_forwarding_off_lan_v4():
    """without forwarding from the client's interface alone, IPv4"""
    with sysctls("gw", {"ipv4/conf/lan/forwarding": 0}):
        refused(SERVER4)
    through(4)


def test_forwarding_off_v6():
    """without forwarding nothing is steered, IPv6"""
    with sysctls("gw", {"ipv6/conf/all/forwarding": 0}):
        refused(SERVER6, 6)
    through(6)


def test_forwarding_one_interface_v6():
    """IPv6 forwards by "all", whatever an interface's own setting says"""
    with sysctls("gw", {"ipv6/conf/lan/forwarding": 0}):
        untouched(6, port=OTHER)  # so the box does forward
        through(6)
    with sysctls("gw", {"ipv6/conf/all/forwarding": 0,
                        "ipv6/conf/lan/forwarding": 1}):
        refused(SERVER6, 6)


def test_force_forwarding_v6():
    """newer kernels: IPv6 forwards what comes in by an interface that must"""
    key = "ipv6/conf/lan/force_forwarding"
    try:
        sysctl("gw", key)
    except FileNotFoundError:
        raise Skip("this kernel has no force_forwarding") from None
    with sysctls("gw", {"ipv6/conf/all/forwarding": 0, key: 1,
                        "ipv6/conf/wan/force_forwarding": 1}):
        untouched(6, port=OTHER)  # so the box does forward
        through(6)


def test_loopback():
    """what the box says to itself is not steered"""
    with no_policies(), policy("any"), Server(ns="gw") as srv:
        for family, to in ((4, "127.0.0.1"), (6, "::1"), (4, GATEWAY4),
                           (6, GATEWAY6)):
            before = stats()
            c = Client(family=family, to=to, ns="gw")
            assert not is_inspected(c), "inspected: " + to
            expect_equal(srv.peers[-1], c.sock.getsockname()[:2], "client")
            c.quit()
            for key in ("steered", "steer-refused"):
                expect_equal(delta(before, key), 0, key)


def test_bridged():
    """frames that the box only bridges are not steered"""
    sh("modprobe", "br_netfilter", check=False)
    hosts = {"left": 3, "right": 4}
    for ns in hosts:
        sh("ip", "netns", "add", ns)
    try:
        ip("gw", "link add br0 type bridge", "link set br0 up")
        for ns, n in hosts.items():
            ip("gw", "link add port-%s type veth peer name eth0 netns %s" % (ns, ns),
               "link set port-%s master br0 up" % ns)
            ip(ns, "link set lo up", "link set eth0 up",
               "addr add 10.0.9.%d/24 dev eth0" % n)
        # the gateway could forward it too, and its netfilter hooks see it
        ip("gw", "addr add 10.0.9.1/24 dev br0")
        bridge = "bridge/bridge-nf-call-iptables"
        before = stats()
        with sysctls("gw", {bridge: 1}), policy("any", "service", "smtp"), \
                nft("gw", "inet", "counter seen {}; chain pre { type filter hook "
                    "prerouting priority -200; tcp dport 25 counter name seen; }"
                    ) as counters, Server(ns="right") as srv:
            c = Client(ns="left", to="10.0.9.4")
            assert not is_inspected(c)
            expect_equal(srv.peers[0], c.sock.getsockname()[:2], "client")
            c.quit()
            assert counters()["seen"], "netfilter saw nothing"
        expect_equal(delta(before, "steered"), 0, "steered")
    finally:
        ip("gw", "link del br0", check=False)
        for ns in hosts:
            sh("ip", "netns", "del", ns)


FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16


def send_segment(flags, src, dst, ns="client"):
    """A single TCP segment, without a connection, from address and port to
    address and port."""
    v4 = ":" not in src[0]
    with netns(ns):
        s = socket.socket(socket.AF_INET if v4 else socket.AF_INET6,
                          socket.SOCK_RAW, socket.IPPROTO_TCP)
    s.bind((src[0], 0))
    head = struct.pack("!HHIIBBHHH", src[1], dst[1], 1000, 0, 5 << 4, flags,
                       65535, 0, 0)
    if v4:
        pseudo = (socket.inet_aton(src[0]) + socket.inet_aton(dst[0]) +
                  struct.pack("!HH", socket.IPPROTO_TCP, len(head)))
        total = sum(struct.unpack("!16H", pseudo + head))
        total = (total & 0xffff) + (total >> 16)
        head = head[:16] + struct.pack("!H", ~total & 0xffff) + head[18:]
    else:
        s.setsockopt(socket.IPPROTO_IPV6, 7, 16)  # IPV6_CHECKSUM
    s.sendto(head, (dst[0], 0))
    s.close()


def test_odd_syn():
    """a SYN with FIN or RST, which some servers take for a SYN, is dropped"""
    seen = ("counter odd {}\n"
            "chain in { type filter hook input priority 0; "
            "tcp dport 25 counter name odd; }")
    with Server(), nft("server", "inet", seen) as counters:
        for family in (4, 6):
            for more in (FIN, RST, FIN | RST):
                before = stats()
                send_segment(SYN | more, (client_of(family), 50001),
                             (server_of(family), 25))
                wait_for("the refusal", lambda: delta(before, "steer-refused"))
                expect_equal(delta(before, "steered"), 0, "steered")
        expect_equal(counters()["odd"], 0, "segments that reached the server")


def test_not_past_the_gateway():
    """what pretends to come from the gateway's own connections is dropped"""
    seen = ("counter odd {}\n"
            "chain in { type filter hook input priority 0; "
            "tcp sequence 1000 counter name odd; }")
    with nft("server", "inet", seen) as at_server, \
            nft("client", "inet", seen) as at_client, Server() as srv:
        for family in (4, 6):
            c = Client(family=family)
            c.hello()
            before = stats()
            # the client speaks as leg 2, the server as leg 1
            send_segment(PSH | ACK, srv.peers[-1], (server_of(family), 25))
            wait_for("the drop", lambda: delta(before, "steer-refused") == 1)
            send_segment(PSH | ACK, (server_of(family), 25),
                         c.sock.getsockname()[:2], ns="server")
            wait_for("the drop", lambda: delta(before, "steer-refused") == 2)
            c.message(mail())
            c.quit()
        expect_equal((at_server()["odd"], at_client()["odd"]), (0, 0),
                     "segments that got past the gateway")


def test_mapped_source():
    """IPv6 with an IPv4 address in it, which no socket has, does not pass"""
    seen = ("counter odd {}\n"
            "chain in { type filter hook prerouting priority 0; "
            "tcp dport 25 counter name odd; }")
    source = "::ffff:10.0.1.2"
    with nft("server", "ip6", seen) as counters, \
            addresses("client", "eth0", source + "/128"):
        ip("gw", "route add ::ffff:10.0.1.0/120 dev lan")
        try:
            before = stats()
            with netns("client"):
                s = socket.socket(socket.AF_INET6, socket.SOCK_RAW,
                                  socket.IPPROTO_RAW)
            syn = struct.pack("!HHIIBBHHH", 50001, 25, 1000, 0, 5 << 4, SYN,
                              65535, 0, 0)
            addrs = (socket.inet_pton(socket.AF_INET6, source) +
                     socket.inet_pton(socket.AF_INET6, SERVER6))
            total = sum(struct.unpack("!30H", addrs + struct.pack(
                "!II", len(syn), socket.IPPROTO_TCP) + syn))
            total = (total & 0xffff) + (total >> 16)
            total = (total & 0xffff) + (total >> 16)
            syn = syn[:16] + struct.pack("!H", ~total & 0xffff) + syn[18:]
            s.sendto(struct.pack("!IHBB", 6 << 28, len(syn), 6, 64) + addrs +
                     syn, (SERVER6, 0))
            s.close()
            wait_for("the refusal", lambda: delta(before, "steer-refused"))
            expect_equal(counters()["odd"], 0, "segments that passed")
        finally:
            ip("gw", "route del ::ffff:10.0.1.0/120 dev lan")


def test_port_of_another_leg():
    """a connection to the server never has the port of a living client"""
    with Server() as srv:
        a = Client()
        a.hello()
        port = a.sock.getsockname()[1]
        with sysctls("gw", {"ipv4/ip_local_port_range":
                            "%d %d" % (port, port + 1)}):
            b = Client()
            b.hello()
        expect_equal(srv.peers[1], (CLIENT4, port + 1), "leg 2")
        a.quit()
        b.quit()


def test_no_route():
    """where no route leads, the client is told so by the network"""
    with policy("nowhere", "dst", "10.0.5.0/24,fd00:5::/64"):
        for family, to in ((4, "10.0.5.5"), (6, "fd00:5::5")):
            before = stats()
            s, _ = dial(to, family)
            error = connect_error(s)
            s.close()
            assert error in (errno.ENETUNREACH, errno.EHOSTUNREACH), error
            expect_equal(delta(before, "steered"), 0, "steered")
            assert delta(before, "steer-refused"), "no policy matched"


def test_rejecting_route():
    """a route that refuses is no way to the server"""
    for kind in ("unreachable", "blackhole", "prohibit"):
        with policy("nowhere", "dst", "10.0.5.0/24,fd00:5::/64"):
            ip("gw", "route add %s 10.0.5.0/24" % kind,
               "route add %s fd00:5::/64" % kind)
            try:
                refused("10.0.5.5")
                refused("fd00:5::5", 6)
            finally:
                ip("gw", "route del %s 10.0.5.0/24" % kind,
                   "route del %s fd00:5::/64" % kind)


# --- loops -----------------------------------------------------------------

def loop(family):
    to = "10.0.3.3" if family == 4 else "fd00:3::3"
    # The reverse-path filter would break the loop for us.
    with sysctls("gw", {"ipv4/conf/all/rp_filter": 0,
                        "ipv4/conf/wan/rp_filter": 0}), \
            sysctls("server", {"ipv4/ip_forward": 1,
                               "ipv6/conf/all/forwarding": 1}), \
            policy("loop", "dst", to):
        ip("gw", "route add %s via %s" % (to, server_of(family)))
        # not a whole second, when SYNs are repeated: the last would find nobody
        with setting("dial-timeout", "2500ms"):
            try:
                before = stats()
                c = Client(family=family, to=to)
                wait_for("the loop", lambda: delta(before, "steer-refused"))
                c.expect("421 4.4.1")
                assert c.closed()
                wait_for("the end", lambda: not sessions())
                expect_equal(delta(before, "steered"), 1, "steered")
                expect_equal(delta(before, "accepted"), 1, "sessions")
            finally:
                ip("gw", "route del " + to)


def test_loop_v4():
    """a request of our own that routing brings back is not steered, IPv4"""
    loop(4)


def test_loop_v6():
    """a request of our own that routing brings back is not steered, IPv6"""
    loop(6)


# --- policies --------------------------------------------------------------

def test_no_policy():
    """without policies nothing is inspected"""
    with no_policies():
        expect_equal(policies(), [], "policies")
        for family in (4, 6):
            untouched(family)
    expect_equal(picked_by(), "lab", "policy")


def test_match_iif():
    """by input interface"""
    with no_policies():
        for family in (4, 6):
            with policy("wan", "iif", "wan"):
                expect_equal(picked_by(family), None, "from lan")
                with policy("lan", "iif", "lan"):
                    expect_equal(picked_by(family), "lan", "from lan")
            with policy("any"):
                expect_equal(picked_by(family), "any", "from lan")


def test_match_src():
    """by source prefix"""
    with no_policies(), addresses("client", "eth0", "10.0.1.3/24",
                                  "fd00:1::3/64"):
        with policy("src", "src", "10.0.1.3,192.0.2.0/24,fd00:1::3"):
            for family, yes, no in ((4, "10.0.1.3", CLIENT4),
                                    (6, "fd00:1::3", CLIENT6)):
                expect_equal(picked_by(family, src=(yes, 0)), "src", yes)
                expect_equal(picked_by(family, src=(no, 0)), None, no)
        with policy("src", "src", "10.0.1.2/31,fd00:1::/48"):
            expect_equal(picked_by(src=("10.0.1.3", 0)), "src", "in 10.0.1.2/31")
            expect_equal(picked_by(6, src=("fd00:1::3", 0)), "src", "in /48")
        with policy("src", "src", "10.0.1.0/31,fd00:1::/127"):
            expect_equal(picked_by(src=(CLIENT4, 0)), None, "not in /31")
            expect_equal(picked_by(6, src=(CLIENT6, 0)), None, "not in /127")
        # a prefix of one family says nothing about the other
        with policy("src", "src", "0.0.0.0/0"):
            expect_equal(picked_by(4), "src", "IPv4")
            expect_equal(picked_by(6), None, "IPv6")


def test_match_dst():
    """by destination prefix"""
    with no_policies(), addresses("server", "eth0", "10.0.2.3/24",
                                  "fd00:2::3/64"):
        with policy("dst", "dst", "10.0.2.3,192.0.2.0/24,fd00:2::3"):
            for family, yes in ((4, "10.0.2.3"), (6, "fd00:2::3")):
                expect_equal(picked_by(family, to=yes), "dst", yes)
                expect_equal(picked_by(family), None, server_of(family))
        with policy("dst", "dst", "::/0"):
            expect_equal(picked_by(4), None, "IPv4")
            expect_equal(picked_by(6), "dst", "IPv6")


def test_match_port():
    """by destination port"""
    with no_policies(), policy("port", "service", "smtp,%d" % OTHER):
        for family in (4, 6):
            for port, wanted in ((25, "port"), (OTHER, "port"), (587, None)):
                expect_equal(picked_by(family, port), wanted, port)
    untouched(port=OTHER)


def test_first_match():
    """the first policy that matches wins, at the position that it was given"""
    with addresses("client", "eth0", "10.0.1.3/24"), \
            policy("second", "src", "10.0.1.0/24", "position", "1"), \
            policy("first", "src", "10.0.1.3", "position", "1"), \
            policy("last", "position", "99"), \
            policy("third", "src", "10.0.1.0/24", "position", "3"):
        expect_equal([(p["name"], p["position"]) for p in policies()],
                     [("first", 1), ("second", 2), ("third", 3), ("lab", 4),
                      ("last", 5)], "policies")
        expect_equal(picked_by(src=("10.0.1.3", 0)), "first", "policy")
        expect_equal(picked_by(src=(CLIENT4, 0)), "second", "policy")
        expect_equal(picked_by(6), "lab", "policy")


def test_delete_with_sessions():
    """sessions of a deleted policy go on to their end, new flows are untouched"""
    wait_for("quiet", lambda: not sessions())
    with Server() as srv:
        clients = [Client(family=f) for f in (4, 6)]
        for c in clients:
            assert is_inspected(c)
        with no_policies():
            expect_equal([s["policy"] for s in sessions()], ["lab"] * 2,
                         "policies of the sessions")
            c = Client()
            assert not is_inspected(c), "a new client is inspected"
            c.quit()
            for c in clients:
                c.message(mail())
                c.message(infected(), "554 ")
                c.quit()
            wait_for("the end", lambda: not sessions())
        expect_equal(srv.messages, [mail()] * 2, "messages")


def test_interface_comes_back():
    """a policy waits for its interface, which goes and comes back"""
    def plug():
        ip("gw", "link add lan2 type veth peer name eth1 netns client",
           "link set lan2 up", "addr add 10.0.6.1/24 dev lan2",
           "addr add fd00:6::1/64 dev lan2 nodad")
        ip("client", "link set eth1 up", "addr add 10.0.6.2/24 dev eth1",
           "addr add fd00:6::2/64 dev eth1 nodad",
           "route add 10.0.2.2/32 via 10.0.6.1 dev eth1 src 10.0.6.2",
           "route add fd00:2::2/128 via fd00:6::1 dev eth1 src fd00:6::2")
    plug()
    try:
        with no_policies(), policy("lan2", "iif", "lan2"):
            for family in (4, 6):
                expect_equal(picked_by(family), "lan2", "plugged in")
            ip("gw", "link del lan2")
            expect_equal([p["iif"] for p in policies()], ["lan2"], "iif")
            for family in (4, 6):
                expect_equal(picked_by(family), None, "by lan")
            plug()
            for family in (4, 6):
                expect_equal(picked_by(family), "lan2", "plugged in again")
    finally:
        ip("gw", "link del lan2", check=False)


if __name__ == "__main__":
    main(tests_of(sys.modules[__name__]))
