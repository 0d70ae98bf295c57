# SPDX-License-Identifier: GPL-2.0
"""What the Python selftests share.

    client --- gw (smtpsplice) --- server
    10.0.1.2   10.0.1.1 10.0.2.1   10.0.2.2
    fd00:1::2  ...:1               fd00:2::2

A module imports those below it, and no others:

    lab     main(): brings the lab up, runs the tests
    tap     their plan and results
    ktls    TLS records by hand, in place of the helper for TLS
    helper  its processes, or a test in their place
    pki     certificates and CAs of all kinds
    tls     servers and clients that do TLS
    exchange, server, client, peer, mails
    config  policies, profiles, settings
    gateway counters, sessions, log, smtpsplice(8)
    genl    the netlink family
    net     namespaces, addresses, nft(8), sockets
    expect  waiting and comparing
"""
