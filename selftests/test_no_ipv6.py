#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""A machine that was booted with ipv6.disable=1: scripts/vm --append."""
import sys

from smtplab.client import Client
from smtplab.config import policy
from smtplab.expect import expect_equal
from smtplab.lab import main
from smtplab.mails import infected, mail
from smtplab.net import HAVE_IPV6
from smtplab.server import Server
from smtplab.tap import chosen, tests_of


def test_main_job():
    """clean mail passes, infected mail does not, over IPv4"""
    with Server() as srv:
        c = Client()
        c.hello()
        c.message(infected(), "554 5.7.1")
        c.message(mail())
        c.quit()
        expect_equal(srv.messages, [mail()], "messages")


def test_policy_for_ipv6():
    """a policy may name IPv6 prefixes, which match nothing"""
    with policy("six", "dst", "fd00:2::/64", "service", "smtp"):
        test_main_job()


if __name__ == "__main__":
    wanted = chosen(tests_of(sys.modules[__name__]))
    if HAVE_IPV6:
        print("1..0 # SKIP this kernel has IPv6")
        sys.exit()
    main(wanted)
