# SPDX-License-Identifier: GPL-2.0
"""What the gateway is told: policies, profiles, settings."""
import json
from contextlib import contextmanager

from smtplab.gateway import cli
from smtplab.genl import UAPI, asker

MODES = ("hold", "splice")


def policies():
    return json.loads(cli("-j", "show", "policies").stdout)


def add_policy(p):
    """Adds a policy as `policies` shows it, at its place."""
    words = ["policy", "add", p["name"], "position", str(p["position"])]
    for key in ("iif", "src", "dst", "port", "mode", "tls", "av"):
        value = p.get(key)
        if isinstance(value, list):
            value = ",".join(map(str, value))
        if value:
            words += [key, value]
    cli(*words)


@contextmanager
def policy(name, *words):
    cli("policy", "add", name, *words)
    try:
        yield
    finally:
        cli("policy", "del", name)


@contextmanager
def no_policies():
    there = policies()
    for p in there:
        cli("policy", "del", p["name"])
    try:
        yield
    finally:
        for p in there:
            add_policy(p)


def profiles():
    return json.loads(cli("-j", "show", "tls").stdout)


def add_profile(p):
    """Adds a TLS profile as `profiles` shows it."""
    words = ["tls", "add", p["name"]]
    for key, value in p.items():
        if key in ("name", "policies"):
            continue
        if key == "exempt-regex":
            for pattern in value:
                words += [key, pattern]
            continue
        words += [key, ",".join(map(str, value))
                  if isinstance(value, list) else str(value)]
    cli(*words)


@contextmanager
def profile(name, *words):
    cli("tls", "add", name, *words)
    try:
        yield
    finally:
        cli("tls", "del", name)


def av_profiles():
    return json.loads(cli("-j", "show", "av").stdout)


@contextmanager
def av_profile(name, *words):
    cli("av", "add", name, *words)
    try:
        yield
    finally:
        cli("av", "del", name)


@contextmanager
def setting(*words):
    """Some settings of the module, until the end the ones of before."""
    with asker() as genl:
        old = genl.ask("SETTINGS_GET")
    cli("set", *words)
    try:
        yield
    finally:
        with asker() as genl:
            again = genl.call(genl.family, UAPI["CMD_SETTINGS_SET"], genl.attrs(old))
        assert again == b"", again


@contextmanager
def mode(name, av="default"):
    """The policy of the lab with another mode, and another AV profile."""
    old = policies()[0]
    with policy(name, "position", "1", "iif", "lan",
                "dst", ",".join(old["dst"]), "service",
                ",".join(map(str, old["port"])), "tls", old["tls"], "av", av,
                "mode", name):
        yield


def splice():
    return mode("splice")


@contextmanager
def av(*words, how="hold"):
    """The lab's policy with an AV profile of those words."""
    with av_profile("t", *words), mode(how, "t"):
        yield


@contextmanager
def own_profile(*words):
    """A TLS profile of the test's own for the sessions of the lab."""
    with profile("own", *words), policy(
            "own", "position", "1", "iif", "lan", "dst",
            "10.0.2.0/24,fd00:2::/64", "service", "smtp,smtps,submission",
            "tls", "own"):
        yield
