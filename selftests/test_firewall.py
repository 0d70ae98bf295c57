#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""The gateway's own nftables rules: inspected flows pass INPUT and OUTPUT, not FORWARD."""
import sys

from smtplab.exchange import through
from smtplab.expect import expect_equal, wait_for
from smtplab.gateway import sessions
from smtplab.lab import main
from smtplab.net import client_of, dial, nft, server_of
from smtplab.server import Server
from smtplab.tap import tests_of

# the rules that smtpsplice(7) tells those to add whose INPUT chain drops by default
LET_IN = """
    ct state established,related accept
    iifname lan ip daddr 10.0.2.0/24 tcp dport { 25, 465, 587 } accept
    iifname lan ip6 daddr fd00:2::/64 tcp dport { 25, 465, 587 } accept
    meta l4proto ipv6-icmp accept
"""


def hook(name, rules, policy="accept"):
    return ("counter seen {}\nchain c { type filter hook %s priority 0; policy %s;\n%s\n}"
            % (name, policy, rules))


def test_forward_is_passed_by():
    """a rule that drops in FORWARD does not see inspected flows"""
    with nft("gw", "inet", hook("forward", "tcp dport 25 counter name seen drop")) as counters:
        for family in (4, 6):
            through(family)
        expect_equal(counters()["seen"], 0, "packets in FORWARD")


def test_input_drops():
    """where INPUT drops by default, flows to the servers have to be let in"""
    drop = hook("input", "tcp dport 25 counter name seen\nmeta l4proto ipv6-icmp accept", "drop")
    for family in (4, 6):
        wait_for("the end", lambda: not sessions())
        with Server() as srv:
            with nft("gw", "inet", drop) as counters:
                s, _ = dial(server_of(family), family)
                wait_for("the drop", lambda: counters()["seen"])
                expect_equal(sessions(), [], "sessions")
                s.close()
            expect_equal(srv.peers, [], "connections to the server")
        with nft("gw", "inet", hook("input", LET_IN, "drop")):
            through(family)


def test_output_as_the_client():
    """OUTPUT sees the connection to the server with the client's address"""
    for family in (4, 6):
        word = {4: "ip", 6: "ip6"}[family]
        rule = "%s saddr %s tcp dport 25 counter name seen" % (word, client_of(family))
        with nft("gw", "inet", hook("output", rule)) as counters:
            through(family)
            assert counters()["seen"], "no packet in OUTPUT"


if __name__ == "__main__":
    main(tests_of(sys.modules[__name__]))
