#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""smtpsplice and smtpspliced against the module: what they show and change, and
what they say to bad input, a second helper, no rights and no module.

What they say to their arguments alone is tested by helper/tests/cli/cli.sh.
"""
import json
import os
import shutil
import subprocess
import sys

from smtplab.client import Client
from smtplab.config import av_profile, av_profiles, policies, policy
from smtplab.expect import PATIENCE, expect_equal, wait_for
from smtplab.gateway import cli, monitor, sessions, stats
from smtplab.helper import PIDFILE, helper_command, unloaded
from smtplab.lab import main
from smtplab.mails import infected, mail
from smtplab.net import CLIENT4, CLIENT6, RUN, SERVER4, SERVER6, sh
from smtplab.server import HIDDEN, Server
from smtplab.tap import tests_of

NOBODY = ("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups",
          "--inh-caps=-all", "--bounding-set=-all")


def attempt(*argv, ns="gw"):
    return sh(*argv, ns=ns, check=False, timeout=PATIENCE,
              stdin=subprocess.DEVNULL)


def expect_refusal(p, status, *words):
    """Nothing on stdout, one line that says what is wrong with what."""
    what = " ".join(p.args)
    expect_equal((p.returncode, p.stdout), (status, ""), what + ": " + p.stderr)
    expect_equal(p.stderr.count("\n"), 1, "%s: lines of %r" % (what, p.stderr))
    assert p.stderr.endswith("\n"), what
    for word in words:
        assert word in p.stderr, "%s: no %r in %r" % (what, word, p.stderr)


def configuration():
    """The policies without their counters, the AV profiles, the settings."""
    rules = policies()
    for p in rules:
        del p["sessions"], p["messages"]
    return rules, av_profiles(), settings()


def settings():
    return json.loads(cli("-j", "show", "settings").stdout)


# --- bad input -------------------------------------------------------------

NAME31 = "n" * 31
PREFIXES = 32
BAD = (
    # what the kernel refuses
    (1, ("policy", "add", "bad", "iif", "nope0"), "bad", "nope0"),
    (1, ("policy", "add", "lab"), "lab", "exists"),
    (1, ("policy", "del", "nobody"), "nobody"),
    (1, ("policy", "add", "bad", "av", "nope"), "bad", 'no AV profile "nope"'),
    (1, ("av", "add", "default"), 'AV profile "default" exists'),
    (1, ("av", "set", "nope", "cache", "disable"), "nope"),
    (1, ("av", "del", "nope"), 'no AV profile "nope"'),
    (1, ("av", "del", "default"), 'AV profile "default" is in use'),
    (1, ("av", "add", "bad", "file-name", ",".join(["n" * 255] * 64)),
     "bad", "AV profile is too large"),
    (1, ("set", "max-sessions", "5", "conserve-green", "88"),
     "conserve-green must be below conserve-red"),
    (1, ("set", "conserve-extreme", "87"), "not above conserve-extreme"),
    # what the command line refuses
    (2, ("policy", "add", "bad", "dst", "10.0.2.0/33"), "bad", "10.0.2.0/33"),
    (2, ("policy", "add", "bad", "dst", "fd00::/129"), "bad", "fd00::/129"),
    (2, ("policy", "add", "bad", "dst", "10.0.2/24"), "bad", "10.0.2/24"),
    (2, ("policy", "add", "bad", "dst", "server.lab"), "bad", "server.lab"),
    (2, ("policy", "add", "bad", "dst", "10.0.2.1/24"), "10.0.2.1/24",
     "host bits", "10.0.2.0/24"),
    (2, ("policy", "add", "bad", "src", "fd00:2::1/64"), "fd00:2::1/64",
     "host bits", "fd00:2::/64"),
    (2, ("policy", "add", "bad", "color", "red"), "bad", "color"),
    (2, ("policy", "add", "bad", "iif"), "bad", "iif"),
    (2, ("policy", "add", "bad", "port", "0"), "bad", '"0"'),
    (2, ("policy", "add", "bad", "port", "65536"), "bad", '"65536"'),
    (2, ("policy", "add", "bad", "port", "25,-1"), "bad", '"-1"'),
    (2, ("policy", "add", "bad", "position", "0"), "bad", '"0"'),
    (2, ("policy", "add", "bad", "iif", "i" * 16), "bad", "i" * 16),
    (2, ("policy", "add", NAME31 + "n"), NAME31 + "n"),
    (2, ("policy", "del", NAME31 + "n"), NAME31 + "n"),
    (2, ("policy", "add"), "name"),
    (2, ("policy", "del", "lab", "now"), "lab", "now"),
    (2, ("policy", "rename", "lab", "x"), "rename"),
    (2, ("set", "max-sessions", "5", "scan-timeout", "soon"), "scan-timeout",
     "soon"),
    (2, ("set", "max-sessions", "5", "color", "red"), "color"),
    (2, ("set", "max-sessions", "0"), "max-sessions", "0"),
    (2, ("set", "max-message", "1T"), "max-message", "1T"),
    (2, ("set", "bare-newline", "perhaps"), "bare-newline", "perhaps"),
    (2, ("set", "conserve-red", "101"), "conserve-red", "101", "1 to 100"),
    (2, ("set", "max-client-held", "101"), "max-client-held", "101", "1 to 100"),
    (2, ("set", "max-client-scans", "0"), "max-client-scans", "0"),
    (2, ("set", "message-timeout", "0"), "message-timeout", "0"),
    (2, ("policy", "add", "bad", "av", "off"), "bad", "av-scan disable"),
    (2, ("av", "add", NAME31 + "n"), NAME31 + "n"),
    (2, ("av", "set", "default"), "default", "nothing to change"),
    (2, ("av", "set", "default", "cache", "no"), "default", "cache", "no"),
    (2, ("av", "set", "default", "archive-block", "nested,bomb"), "default",
     "archive-block", "bomb"),
    (2, ("av", "set", "default", "sender-ban", "8d"), "default", "8d"),
    (2, ("av", "set", "default", "hash-allow", "@/nope"), "default", "/nope"),
    (2, ("av", "set", "default", "reply-virus", "250 ok"), "default",
     "reply-virus", "250 ok"),
    (2, ("av", "set", "default", "cache", "disable", "color", "red"),
     "default", "color"),
    (2, ("show", "weather"), "weather"),
    (2, ("frobnicate",), "frobnicate"),
)


def test_bad_input():
    """bad input is told in one line that names it, and changes nothing"""
    before = configuration()
    try:
        for status, argv, *words in BAD:
            expect_refusal(attempt("smtpsplice", *argv), status, *words)
        expect_equal(configuration(), before, "configuration")
    finally:
        for p in policies():
            if p["name"] != "lab":
                cli("policy", "del", p["name"])
        for p in av_profiles():
            if p["name"] != "default":
                cli("av", "del", p["name"])


def test_longest_names():
    """the longest name, and as many prefixes and ports as can be"""
    srcs = ["10.1.%d.0/24" % i for i in range(PREFIXES)]
    dsts = ["fd00:%x::/64" % i for i in range(1, PREFIXES + 1)]
    ports = list(range(1, PREFIXES + 1))
    with policy(NAME31, "src", ",".join(srcs), "dst", ",".join(dsts),
                "port", ",".join(map(str, ports))):
        p = [p for p in policies() if p["name"] == NAME31][0]
        expect_equal((p["src"], p["dst"], p["port"]), (srcs, dsts, ports),
                     "policy")


def test_many_policies():
    """a list that does not fit one netlink message is shown whole"""
    names = ["p%d" % i for i in range(30)]
    dsts = ",".join("fd00:%x::/64" % i for i in range(1, PREFIXES + 1))
    there = [p["name"] for p in policies()]
    added = []
    try:
        for name in names:
            cli("policy", "add", name, "dst", dsts)
            added.append(name)
        expect_equal([p["name"] for p in policies()], there + names, "policies")
    finally:
        for name in added:
            cli("policy", "del", name)


# --- help, show, set, monitor ----------------------------------------------

def test_help():
    """each command has help, on stdout and with status 0"""
    for argv in (("help",), ("--help",), ("policy", "help"),
                 ("policy", "add", "help"), ("policy", "del", "help"),
                 ("show", "help"), ("show", "policies", "help"),
                 ("av", "help"), ("av", "add", "help"), ("av", "set", "help"),
                 ("av", "del", "help"), ("show", "av", "help"),
                 ("set", "help"), ("monitor", "help")):
        p = attempt("smtpsplice", *argv)
        expect_equal((p.returncode, p.stderr), (0, ""), argv)
        assert p.stdout.startswith("Usage:"), argv
    p = attempt("smtpspliced", "--help")
    expect_equal((p.returncode, p.stderr), (0, ""), "smtpspliced --help")


def test_show():
    """everything is shown, as text and as JSON"""
    with Server():
        clients = [Client(family=f) for f in (4, 6)]
        for c in clients:
            c.hello()
        whole = json.loads(cli("-j", "show").stdout)
        expect_equal(sorted(whole), ["av", "policies", "sessions", "settings",
                                     "stats", "tls"], "keys")
        for key, kind in (("policies", list), ("sessions", list), ("tls", list),
                          ("av", list), ("settings", dict), ("stats", dict)):
            alone = json.loads(cli("show", key, "-j").stdout)
            assert isinstance(alone, kind), key
            expect_equal(type(whole[key]), kind, key)
        p, = whole["policies"]
        expect_equal((p["name"], p["iif"], p["dst"], p["port"], p["mode"],
                      p["av"]), ("lab", "lan", ["10.0.2.0/24", "fd00:2::/64"],
                                 [25, 465, 587], "hold", "default"), "policy")
        # each family has a listener of its own: who came first is not said
        s4, s6 = sorted(whole["sessions"], key=lambda s: ":" in s["client"])
        for s, c, server in ((s4, clients[0], SERVER4), (s6, clients[1], SERVER6)):
            expect_equal((s["policy"], s["state"], s["iif"]),
                         ("lab", "command", "lan"), "session")
            expect_equal((s["client"], s["client-port"]),
                         c.sock.getsockname()[:2], "client")
            expect_equal((s["server"], s["server-port"]), (server, 25), "server")
        expect_equal(whole["stats"]["sessions"], 2, "sessions")
        expect_equal(whole["stats"]["helpers"], 1, "helpers")
        # what the tests ask by netlink is what is shown
        expect_equal(stats(), whole["stats"], "stats")
        expect_equal([{**s, "age": 0} for s in sessions()],
                     [{**s, "age": 0} for s in whole["sessions"]], "sessions")

        text = cli("show").stdout
        for key in whole:
            assert key + ":\n" in text, key
            assert cli("show", key).stdout, key
        text = cli("show", "sessions").stdout
        for where in ("%s:%d" % (CLIENT4, s4["client-port"]), SERVER4 + ":25",
                      "[%s]:%d" % (CLIENT6, s6["client-port"]),
                      "[%s]:25" % SERVER6):
            assert where in text, where
        for c in clients:
            c.quit()


def test_set():
    """each setting can be set and is shown; what is shown can be set"""
    old, old_text = settings(), cli("show", "settings").stdout
    try:
        for key, text, value in (
                ("max-sessions", "7", 7),
                ("max-message", "3M", 3 << 20),
                ("max-held", "5G", 5 << 30),
                ("dial-timeout", "1500ms", 1500),
                ("command-timeout", "2m", 120000),
                ("data-timeout", "9s", 9000),
                ("scan-timeout", "11", 11000),
                ("reply-timeout", "12345ms", 12345),
                ("max-client-sessions", "5", 5),
                ("keepalive", "4s", 4000),
                ("handshake-timeout", "21s", 21000),
                ("bare-newline", "allow", "allow"),
                ("message-timeout", "3m", 180000),
                ("conserve-green", "50", 50),
                ("conserve-red", "90", 90),
                ("conserve-extreme", "100", 100),
                ("max-client-held", "99", 99),
                ("max-client-handshakes", "6", 6),
                ("max-client-scans", "7", 7)):
            assert old[key] != value, key
            cli("set", key, text)
            expect_equal(settings(), dict(old, **{key: value}), key)
            cli("set", *old_text.split())
            expect_equal(settings(), old, "settings put back")
        cli("set", "max-sessions", "8", "bare-newline", "allow")
        expect_equal(settings(), dict(old, **{"max-sessions": 8,
                                              "bare-newline": "allow"}), "two")
    finally:
        cli("set", *old_text.split())


# --- AV profiles -----------------------------------------------------------

AV_DEFAULT = {
    "av-scan": "block", "executables": "default", "infected": "reject",
    "archive-block": ["nested", "mailbomb"],
    "archive-log": ["encrypted", "corrupted", "partiallycorrupted", "multipart",
                    "nested", "mailbomb", "timeout", "unhandled"],
    "oversize-limit": 0, "oversize": "block",
    "uncompressed-limit": 400 << 20, "uncompressed-nest-limit": 12,
    "fragmail": "block", "mime-ambiguity": "block", "scan-error": "tempfail",
    "scan-timeout": "tempfail", "helper-down": "tempfail",
    "over-budget": "tempfail", "undecodable": "block", "encrypted-mail": "pass", "quarantine": "enable",
    "cache": "enable", "sender-ban": 0,
}
HASH = "0123456789abcdef" * 4
AV_WORDS = ("av-scan", "monitor", "archive-block", "none",
            "archive-log", "encrypted,timeout", "oversize-limit", "10M",
            "oversize", "pass", "uncompressed-limit", "none",
            "uncompressed-nest-limit", "100", "fragmail", "pass",
            "file-name", "*.exe,it's [ab]?", "file-type", "exe,zip",
            "hash-block", HASH.upper() + "," + HASH[::-1], "hash-allow", HASH,
            "sender-ban", "10m", "reply-virus", "554 5.7.1 \"%%FILE%%\" $x",
            "replacement", "A %%FILE%%\n\n -- it's gone")
AV_VALUES = {
    "av-scan": "monitor", "archive-block": [],
    "archive-log": ["encrypted", "timeout"], "oversize-limit": 10 << 20,
    "oversize": "pass", "uncompressed-limit": 0, "uncompressed-nest-limit": 100,
    "fragmail": "pass", "file-name": ["*.exe", "it's [ab]?"],
    "file-type": ["exe", "zip"], "hash-block": [HASH, HASH[::-1]],
    "hash-allow": [HASH], "sender-ban": 600,
    "reply-virus": "554 5.7.1 \"%%FILE%%\" $x",
    "replacement": "A %%FILE%%\n\n -- it's gone",
}


def av_values(name):
    """What an AV profile says."""
    p, = [p for p in av_profiles() if p["name"] == name]
    del p["name"], p["policies"]
    return p


def test_av_profiles():
    """an AV profile says what it was told, and what is left out stays"""
    expect_equal(av_values("default"), AV_DEFAULT, "default")
    with av_profile("own", *AV_WORDS):
        expect_equal(av_values("own"), dict(AV_DEFAULT, **AV_VALUES), "added")
        cli("av", "set", "own", "file-name", "b", "sender-ban", "2h")
        changed = dict(AV_VALUES, **{"file-name": ["b"], "sender-ban": 7200})
        expect_equal(av_values("own"), dict(AV_DEFAULT, **changed), "set")
        for key in ("file-name", "file-type", "hash-block", "hash-allow",
                    "reply-virus", "replacement"):
            cli("av", "set", "own", key, "none")
            del changed[key]
            expect_equal(av_values("own"), dict(AV_DEFAULT, **changed), key)
    expect_equal(av_values("default"), AV_DEFAULT, "default")


def test_av_shown():
    """what is shown of an AV profile makes the same one"""
    with av_profile("own", *AV_WORDS):
        before = av_profiles()
        shown = cli("show", "av").stdout
        # it came last
        shown = shown[shown.rindex("own \\\n"):]
        cli("av", "del", "own")
        sh("sh", "-c", "smtpsplice av add " + shown, ns="gw")
        expect_equal(av_profiles(), before, "profiles")


def test_av_files():
    """hashes and the replacement text come from files"""
    hashes = os.path.join(RUN, "hashes")
    text = os.path.join(RUN, "text")
    with open(hashes, "w") as f:
        f.write("# bad\n\n%s # one\r\n%s\n" % (HASH, HASH[::-1]))
    with open(text, "w") as f:
        f.write("Removed:\r\n%%FILE%%\r\n")
    with av_profile("own", "hash-block", "@" + hashes, "replacement", "@" + text):
        got = av_values("own")
        expect_equal((got["hash-block"], got["replacement"]),
                     ([HASH, HASH[::-1]], "Removed:\n%%FILE%%"), "files")


def test_av_of_policy():
    """a policy names its AV profile, which cannot be deleted then"""
    with av_profile("own"), policy("other", "port", "2525", "av", "own"):
        expect_equal([p["av"] for p in policies()], ["default", "own"], "av")
        expect_equal([p["policies"] for p in av_profiles()], [1, 1], "policies")
        assert " AV " in cli("show", "policies").stdout.splitlines()[0]
        expect_refusal(attempt("smtpsplice", "av", "del", "own"), 1,
                       'AV profile "own" is in use')


# --- monitor ---------------------------------------------------------------


def test_monitor():
    """sessions, verdicts, policies and settings are reported"""
    with monitor("-j") as lines, Server():
        c = Client()
        c.hello()
        me = c.sock.getsockname()
        c.message(mail())
        reply = c.message(infected("moni.com"), "554")
        c.quit()
        with policy("other", "port", "2525"):
            pass
        wait_for("policy-del", lambda: any('"policy-del"' in x for x in lines))
        wait_for("session-close", lambda: any("session-close" in x for x in lines))
    events = [json.loads(x) for x in lines]
    mine = {}
    for e in events:
        assert e["time"], e
        if e["kind"].startswith(("session", "verdict")):
            mine.setdefault(e["kind"], []).append(e)
    expect_equal(sorted(mine), ["session-close", "session-open", "verdict"],
                 "kinds")
    for group in mine.values():
        for e in group:
            for key, value in {"policy": "lab", "iif": "lan", "client": me[0],
                               "client-port": me[1], "server": SERVER4,
                               "server-port": 25,
                               "session": mine["session-open"][0]["session"],
                               }.items():
                expect_equal(e.get(key), value, e["kind"] + " " + key)
    clean, virus = mine["verdict"]
    expect_equal(clean["verdict"], "accept", "verdict")
    for key, value in {"verdict": "reject", "file": "moni.com", "reply": reply,
                       "virus": "Eicar-Test-Signature.UNOFFICIAL"}.items():
        expect_equal(virus.get(key), value, key)
    expect_equal([(e["kind"], e["policy"]) for e in events
                  if e["kind"].startswith("policy")],
                 [("policy-add", "other"), ("policy-del", "other")], "policies")
    assert any(e["kind"] == "settings" for e in events)


def test_monitor_text():
    """the same as text, a line an event"""
    with monitor() as lines, Server():
        c = Client(family=6)
        c.hello()
        port = c.sock.getsockname()[1]
        c.message(infected("moni.com"), "554")
        c.quit()
        wait_for("session-close", lambda: any("session-close" in x for x in lines))
    text = "".join(lines)
    for words in ("session-open session ", " policy lab iif lan client [%s]:%d "
                  "server [%s]:25" % (CLIENT6, port, SERVER6),
                  " verdict reject virus \"Eicar-Test-Signature.UNOFFICIAL\" "
                  "file \"moni.com\" reply \"554 5.7.1 "):
        assert words in text, "no %r in %r" % (words, text)


def test_monitor_av():
    """AV profiles, and what passes unscanned, are reported"""
    with av_profile("own", "av-scan", "disable"), policy(
            "own", "position", "1", "iif", "lan", "port", "25", "av", "own"), \
            monitor() as lines, Server():
        c = Client()
        c.hello()
        c.message(infected())
        c.quit()
        with av_profile("gone"):
            cli("av", "set", "gone", "cache", "disable")
        wait_for("av-del", lambda: any(" av-del av gone" in x for x in lines))
        wait_for("session-close", lambda: any("session-close" in x for x in lines))
    text = "".join(lines)
    expect_equal(text.count(" av-add av gone\n"), 2, "av-add")
    assert " policy own " in text, text
    assert " verdict accept unscanned policy" in text, text


# --- the helper, the module, rights ----------------------------------------

def works():
    with Server() as srv:
        c = Client()
        c.hello()
        c.message(mail())
        c.message(infected(), "554")
        c.quit()
        expect_equal(srv.messages, [mail()], "messages")


def test_second_helper():
    """a second helper is refused, the first goes on"""
    with open(PIDFILE) as f:
        first = f.read()
    expect_refusal(attempt(*helper_command()), 2, "smtpspliced: ", "registered")
    expect_equal(stats()["helpers"], 1, "helpers")
    with open(PIDFILE) as f:
        expect_equal(f.read(), first, "helper")
    works()


def test_no_rights():
    """without CAP_NET_ADMIN nothing is shown, changed or registered"""
    before = configuration()
    for argv in (("show",), ("show", "policies"), ("show", "stats"),
                 ("policy", "add", "bad"), ("policy", "del", "lab"),
                 ("show", "av"), ("av", "add", "bad"), ("av", "del", "default"),
                 ("av", "set", "default", "av-scan", "disable"),
                 ("set", "max-sessions", "5"), ("monitor",)):
        expect_refusal(attempt(*NOBODY, "smtpsplice", *argv), 1,
                       "CAP_NET_ADMIN")
    expect_refusal(attempt(*NOBODY, *helper_command()), 2, "CAP_NET_ADMIN")
    expect_equal(configuration(), before, "configuration")
    works()


def test_no_rights_by_user_namespace():
    """being root of a user namespace is no right"""
    before = configuration()
    # where nobody may not come to the tree, it can come here
    command = shutil.copy(shutil.which("smtpsplice"), RUN)
    for argv in (("show", "stats"), ("policy", "del", "lab")):
        expect_refusal(attempt(*NOBODY, "unshare", "--user", "--map-root-user",
                               command, *argv), 1, "CAP_NET_ADMIN")
    expect_equal(configuration(), before, "configuration")


def test_loaded_twice():
    """a module that is loaded is not loaded again"""
    p = attempt("insmod", os.environ["SMTPSPLICE_KO"])
    expect_equal(p.returncode, 1, "status")
    assert "File exists" in p.stderr, p.stderr
    works()


def test_no_module():
    """without the module both say so; with it again all works as before"""
    before = configuration()
    with unloaded():
        for argv in (("show",), ("-j", "show", "stats"), ("monitor",),
                     ("policy", "add", "x"), ("policy", "del", "lab"),
                     ("show", "av"), ("av", "add", "x"),
                     ("set", "max-sessions", "5")):
            expect_refusal(attempt("smtpsplice", *argv), 2, "smtpsplice: ",
                           "not loaded")
        expect_refusal(attempt(*helper_command()), 2, "smtpspliced: ",
                       "not loaded")
        expect_equal(attempt("smtpsplice", "policy", "add", "x", "port", "0")
                     .returncode, 2, "bad input without module")
        with Server() as srv:
            c = Client()
            assert HIDDEN in c.hello(), "inspected"
            expect_equal(srv.peers[0], c.sock.getsockname()[:2], "client")
            c.quit()
    expect_equal(configuration(), before, "configuration")
    works()


if __name__ == "__main__":
    main(tests_of(sys.modules[__name__]))
