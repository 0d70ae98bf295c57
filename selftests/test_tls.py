#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Deep inspection: real TLS handshakes on both legs."""
import os
import re
import subprocess
import sys
from contextlib import contextmanager

from smtplab.expect import PATIENCE, expect_equal, wait_for
from smtplab.gateway import av_log, delta, sessions, stats
from smtplab.helper import helpers
from smtplab.lab import main
from smtplab.mails import eicar, infected, mail
from smtplab.net import HAVE_IPV6, RUN, SERVER4, netns, sh
from smtplab.tap import tests_of
from smtplab.tls import (CA, CERT, KEY, NAME, VERSIONS, TlsClient, TlsServer, inspected, issuer,
                         server_context)

# how many handshakes test_memory does
LOAD_ROW = int(os.environ.get("LOAD_ROW", "200"))
# names of OpenSSL; those of TLS 1.3 first
SUITES = ("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384",
          "TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_CCM_SHA256",
          "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384",
          "ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-ECDSA-AES128-CCM")


def records(filename):
    """What the log says of a file."""
    return [r for r in av_log() if r.get("filename") == filename]


def test_versions():
    """TLS 1.2 and 1.3, IPv4 and IPv6: mail passes, a virus does not"""
    for version in VERSIONS:
        for family in (4, 6)[:1 + HAVE_IPV6]:
            with TlsServer(server_context(version)) as srv:
                before = stats()
                c = inspected(family=family)
                expect_equal(c.sock.version(), version.name.replace("_", "."),
                             "version")
                assert "smtpsplice gateway CA" in issuer(c), issuer(c)
                c.message(mail("in TLS"))
                c.message(infected("tls.com"), "554 5.7.1 ")
                wait_for("the log", lambda: records("tls.com"))
                expect_equal(records("tls.com")[-1]["service"], "SMTPS", "service")
                c.quit_tls()
                expect_equal(srv.messages, [mail("in TLS")], "messages")
                expect_equal(delta(before, "handshakes"), 1, "handshakes")


def test_smtps():
    """port 465 is inspected likewise"""
    with TlsServer(port=465) as srv:
        c = TlsClient(port=465)
        c.start_tls()
        c.hello()
        c.message(mail("by 465"))
        c.message(infected("by465.com"), "554 5.7.1 ")
        c.quit_tls()
        expect_equal(srv.messages, [mail("by 465")], "messages")
        wait_for("the log", lambda: records("by465.com"))
        expect_equal(records("by465.com")[-1]["service"], "SMTPS", "service")


# --- as a client's user sees it: the two tests of the reference document ---

SUBJECT = "C = CZ, ST = Czech Republic, L = Prague, O = Internal Lab CA, " \
          "CN = gateway.internal.lab, emailAddress = ca@internal.lab"


def s_client(*options, port=25, talk="QUIT\r\n"):
    argv = ["openssl", "s_client", "-connect", "%s:%d" % (SERVER4, port),
            "-servername", NAME, "-ign_eof", *options]
    if port != 465:
        argv += ["-starttls", "smtp"]
    return sh(*argv, ns="client", check=False, input=talk,
              timeout=PATIENCE).stdout


def line_of(text, start):
    """The line that starts so; openssl 3.5 has no blanks around "="."""
    line, = [x for x in text.splitlines() if x.startswith(start)]
    return re.sub(r" = ", "=", line)


def test_reference_A():
    """openssl s_client: the server's subject, the gateway's issuer, code 0"""
    for port in (25, 465):
        with TlsServer(port=port):
            for options in (["-tls1_2"], ["-tls1_3"]):
                out = s_client("-CAfile", CA, *options, port=port)
                expect_equal(line_of(out, "subject="), "subject=" +
                             re.sub(r" = ", "=", SUBJECT), "subject")
                assert "CN=smtpsplice gateway CA" in line_of(out, "issuer="), out
                assert "Verify return code: 0 (ok)" in out, out
                assert "No client certificate CA names sent" in out, out
                assert "221 2.0.0 bye" in out, out
            out = s_client("-no-CAfile", "-no-CApath", port=port)
            assert re.search(r"Verify return code: (19|20) ", out), out


def test_reference_B():
    """swaks --tls: an infected mail ends with 554, a clean one arrives"""
    path = os.path.join(RUN, "eicar.com")
    with open(path, "wb") as f:
        f.write(eicar())
    swaks = ("swaks", "--server", SERVER4, "--from", "kb@internal.lab", "--to",
             "user@internal.lab", "-tls", "--ehlo", "client.internal.lab")
    with TlsServer() as srv:
        p = sh(*swaks, "--attach", "@" + path, ns="client", check=False,
               timeout=PATIENCE)
        expect_equal(p.returncode, 26, "status")
        out = p.stdout
        assert "=== TLS started with cipher TLSv1.3:" in out, out
        assert "emailAddress=ca@internal.lab" in out, out
        assert " ~> EHLO client.internal.lab\n" in out, out
        assert "<~  250-server.lab\n" in out, out
        inside = out[out.index(" ~> EHLO"):]
        assert "STARTTLS" in out and "STARTTLS" not in inside, out
        assert re.search(
            r'<~\* 554 5\.7\.1 Dangerous Attachment has been Removed\.  The '
            r'file "eicar\.com" has been removed because of a virus\.  It was '
            r'infected with the "Eicar-Test-Signature[^"]*" virus\.', out), out
        assert out.rstrip().endswith("=== Connection closed with remote host."), out
        assert " ~> QUIT\n<~  221 " in out, out
        p = sh(*swaks, "--body", "clean", ns="client", timeout=PATIENCE)
        assert "<~  250 2.0.0 queued" in p.stdout, p.stdout
        expect_equal(len(srv.messages), 1, "messages")
        assert b"clean" in srv.messages[0]
    os.unlink(path)


def tls_stat(ns):
    with netns(ns), open("/proc/thread-self/net/tls_stat") as f:
        return {k: int(v) for k, v in (line.split() for line in f)}


def no_ktls():
    now = tls_stat("gw")
    return not now["TlsCurrTxSw"] and not now["TlsCurrRxSw"]


def test_in_the_kernel():
    """both legs of a session are the kernel's: /proc/net/tls_stat"""
    with TlsServer():
        wait_for("no kTLS", no_ktls)
        before = tls_stat("gw")
        c = inspected()
        now = tls_stat("gw")
        for key in ("TlsCurrTxSw", "TlsCurrRxSw"):
            expect_equal(now[key] - before[key], 2, key)
        c.quit_tls()
        wait_for("the end", lambda: not sessions())
        wait_for("no kTLS", no_ktls)
        expect_equal(tls_stat("gw")["TlsDecryptError"],
                     before["TlsDecryptError"], "errors")


@contextmanager
def s_server(*options):
    """openssl s_server on port 465, that says a banner inside TLS."""
    with netns("server"):
        p = subprocess.Popen(
            ["openssl", "s_server", "-accept", "465", "-cert", CERT, "-key",
             KEY, "-quiet", *options], stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for("s_server", lambda: sh(
            "ss", "-Hltn", "sport = :465", ns="server").stdout)
        p.stdin.write(b"220 suite.lab ESMTP\n")
        p.stdin.flush()
        yield
    finally:
        p.kill()
        p.wait()


def resident():
    """KiB that the processes of the helper have in memory."""
    total = 0
    for pid in helpers():
        with open("/proc/%d/status" % pid) as f:
            total += int(re.search(r"VmRSS:\s*(\d+)", f.read()).group(1))
    return total


def unreclaimable():
    """KiB of slabs in the kernel that nothing but their owners frees."""
    with open("/proc/meminfo") as f:
        return int(re.search(r"SUnreclaim:\s*(\d+)", f.read()).group(1))


def test_memory():
    """handshakes in a row leave nothing behind, in the helper or the kernel"""
    def some(n):
        for _ in range(n):
            with inspected().sock:
                pass
        wait_for("the end", lambda: not sessions())

    with TlsServer() as srv:
        some(100)
        before, helper, kernel = stats(), resident(), unreclaimable()
        for _ in range(10):
            some(LOAD_ROW // 10)
            # what the test itself keeps is not to be measured
            srv.conns.clear()
            print("# helper %d KiB, kernel's slabs %d KiB" %
                  (resident(), unreclaimable()), flush=True)
        expect_equal(delta(before, "handshakes"), LOAD_ROW // 10 * 10, "handshakes")
        assert resident() - helper < 512, "the helper grows"
        assert unreclaimable() - kernel < 8192, "the kernel grows"
        wait_for("no sockets with kTLS", no_ktls)


def read_until(p, pattern):
    """Reads lines of a process until one matches."""
    out = []
    for line in p.stdout:
        out.append(line)
        if re.search(pattern, line):
            return line
    raise AssertionError("no %r in %r" % (pattern, out))


def say(p, line):
    p.stdin.write(line + "\n")
    p.stdin.flush()


def interactive(ns, *argv):
    with netns(ns):
        return subprocess.Popen(argv, text=True, stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def test_A7_new_keys():
    """openssl updates its keys, and asks for ours (K): the session goes on"""
    with TlsServer():
        p = interactive("client", "openssl", "s_client", "-connect",
                        SERVER4 + ":25", "-starttls", "smtp", "-servername", NAME,
                        "-CAfile", CA, "-crlf", "-tls1_3")
        say(p, "NOOP")
        read_until(p, "250 2.0.0 ok")
        say(p, "K")
        read_until(p, "KEYUPDATE")
        say(p, "NOOP")
        read_until(p, "250 2.0.0 ok")
        say(p, "k")
        read_until(p, "KEYUPDATE")
        say(p, "noop")
        read_until(p, "250 2.0.0 ok")
        say(p, "quit")
        read_until(p, "221 2.0.0 bye")
        p.communicate()
    # the server does
    s = interactive("server", "openssl", "s_server", "-accept", "465", "-cert",
                    CERT, "-key", KEY, "-tls1_3")
    read_until(s, "^ACCEPT")
    p = interactive("client", "openssl", "s_client", "-connect", SERVER4 + ":465",
                    "-servername", NAME, "-CAfile", CA, "-crlf", "-quiet")
    read_until(s, "CIPHER is")
    say(s, "220 suite.lab ESMTP")
    read_until(p, "220 suite.lab ESMTP")
    say(s, "K")
    say(p, "EHLO client.lab")
    read_until(s, "EHLO client.lab")
    say(s, "250 suite.lab")
    read_until(p, "250 suite.lab")
    say(p, "noop")
    read_until(s, "NOOP|noop")
    say(s, "221 bye")
    for q in (p, s):
        q.kill()
        q.communicate()


def test_suites():
    """each cipher suite that the kernel has, on both legs"""
    for suite in SUITES:
        v13 = suite.startswith("TLS_")
        only = ["-ciphersuites", suite, "-tls1_3"] if v13 else \
            ["-cipher", suite, "-tls1_2"]
        with s_server(*only):
            with netns("client"):
                p = subprocess.Popen(
                    ["openssl", "s_client", "-connect", SERVER4 + ":465",
                     "-servername", NAME, "-CAfile", CA, *only], text=True,
                    stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT)
            out = []
            for line in p.stdout:
                out.append(line)
                if line.startswith("220 suite.lab"):
                    break
            p.stdin.close()
            out = "".join(out) + p.stdout.read()
            p.wait(PATIENCE)
            assert "Cipher is " + suite in out, (suite, out)
            assert "220 suite.lab ESMTP" in out, (suite, out)


if __name__ == "__main__":
    main(tests_of(sys.modules[__name__]))
