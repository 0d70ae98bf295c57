# SPDX-License-Identifier: GPL-2.0
"""What the Python selftests share: sockets in the lab's namespaces, a server
that records every octet, a client that can send octet by octet, TAP output.

    client --- gw (smtpsplice) --- server
    10.0.1.2   10.0.1.1 10.0.2.1   10.0.2.2
    fd00:1::2  ...:1               fd00:2::2
"""
import ctypes
import hashlib
import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
import traceback
from contextlib import contextmanager

RUN = os.environ.get("LAB_RUN", "/run/smtpsplice-lab")
PIDFILE = os.path.join(RUN, "smtpspliced.pid")
SERVER4, SERVER6 = "10.0.2.2", "fd00:2::2"
CLIENT4, CLIENT6 = "10.0.1.2", "fd00:1::2"
CLONE_NEWNET = 0x40000000
# Nothing here is timed: a bound on waiting, generous for emulated machines.
PATIENCE = int(os.environ.get("PATIENCE", "120"))

_libc = ctypes.CDLL(None, use_errno=True)


def eicar():
    """The EICAR test file, which no file of this tree may hold."""
    return (r"X5O!P%@AP[4\PZX54(P^)7CC)7}" + "$EICAR-STANDARD-" +
            "ANTIVIRUS-TEST-FILE!$H+H*").encode()


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
    if ns:
        argv = ("ip", "netns", "exec", ns) + argv
    p = subprocess.run(argv, capture_output=True, text=True, **kw)
    if check and p.returncode:
        raise AssertionError("%s: %d: %s" % (" ".join(argv), p.returncode,
                                             p.stderr.strip()))
    return p


def cli(*argv, check=True):
    return sh("smtpsplice", *argv, ns="gw", check=check)


def stats():
    return json.loads(cli("-j", "show", "stats").stdout)


def sessions():
    return json.loads(cli("-j", "show", "sessions").stdout)


def wait_for(what, condition):
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            raise AssertionError("waited in vain for " + what)
        time.sleep(0.02)


def delta(before, key):
    return stats()[key] - before[key]


def expect_equal(got, wanted, what):
    assert got == wanted, "%s: %r instead of %r" % (what, got, wanted)


def policies():
    return json.loads(cli("-j", "show", "policies").stdout)


def add_policy(p):
    """Adds a policy as `policies` shows it, at its place."""
    words = ["policy", "add", p["name"], "position", str(p["position"])]
    for key in ("iif", "src", "dst", "port", "mode"):
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


class Peer:
    """A line-based end of a TCP connection."""

    def __init__(self, sock, chunk=0):
        sock.settimeout(PATIENCE)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock = sock
        self.chunk = chunk
        self.buf = b""
        self.log = b""

    def fill(self):
        data = self.sock.recv(65536)
        self.buf += data
        self.log += data
        return bool(data)

    def line(self):
        """One line without its end, or None at the end of the stream."""
        while b"\n" not in self.buf:
            if not self.fill():
                return None
        line, self.buf = self.buf.split(b"\n", 1)
        return line.rstrip(b"\r")

    def send(self, data):
        if not self.chunk:
            return self.sock.sendall(data)
        for i in range(0, len(data), self.chunk):
            self.sock.sendall(data[i:i + self.chunk])

    def closed(self):
        """Waits for the end of the stream; True if nothing else came."""
        rest = b""
        try:
            while True:
                data = self.sock.recv(65536)
                if not data:
                    break
                rest += data
        except ConnectionResetError:
            pass
        return not rest and not self.buf

    def reset(self):
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                             b"\1\0\0\0\0\0\0\0")
        try:
            # wakes a thread that reads, which would keep the socket open
            self.sock.shutdown(socket.SHUT_RD)
        except OSError:
            pass
        self.sock.close()


def tcp_socket(ns, family=4, src=None):
    """A TCP socket in a namespace, bound to `src` where that is given."""
    with netns(ns):
        sock = socket.socket(socket.AF_INET if family == 4 else
                             socket.AF_INET6, socket.SOCK_STREAM)
    if src:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(src)
    return sock


class Client(Peer):
    """`prepare` is called with the socket before it connects."""

    def __init__(self, port=25, family=4, chunk=0, src=None, to=None,
                 ns="client", prepare=None):
        sock = tcp_socket(ns, family, src)
        if prepare:
            prepare(sock)
        sock.settimeout(PATIENCE)
        sock.connect((to or (SERVER4 if family == 4 else SERVER6), port))
        super().__init__(sock, chunk)

    def reply(self):
        """One whole reply as text, lines joined by newlines."""
        lines = []
        while True:
            line = self.line()
            if line is None:
                raise AssertionError("connection closed, got %r" % lines)
            lines.append(line.decode("latin-1"))
            if line[3:4] != b"-":
                return "\n".join(lines)

    def expect(self, pattern):
        r = self.reply()
        if not re.match(pattern, r):
            raise AssertionError("expected %r, got %r" % (pattern, r))
        return r

    def cmd(self, line, pattern=""):
        self.send(line.encode() + b"\r\n")
        return self.expect(pattern)

    def hello(self):
        self.expect("220 ")
        return self.cmd("EHLO client.lab", "250")

    def envelope(self, rcpts=("to@lab",)):
        self.cmd("MAIL FROM:<from@lab>", "250")
        for r in rcpts:
            self.cmd("RCPT TO:<%s>" % r, "250")

    def message(self, body, pattern="250", rcpts=("to@lab",)):
        """A whole transaction. The body has CRLFs and is not dot-stuffed."""
        self.envelope(rcpts)
        self.cmd("DATA", "354")
        self.send(stuff(body) + b".\r\n")
        return self.expect(pattern)

    def quit(self):
        self.cmd("QUIT", "221")
        if not self.closed():
            raise AssertionError("octets after the reply to QUIT")
        self.sock.close()


def stuff(body):
    return re.sub(rb"(?m)^\.", b"..", body)


def unstuff(body):
    return re.sub(rb"(?m)^\.", b"", body)


class Server:
    """An SMTP server in `server` that keeps what it was sent.

    messages: bodies as received, unstuffed; log: all octets of all connections;
    peers: addresses of the clients. `script` maps a verb to a reply, or to a
    function of the connection that does as it likes and returns False to end.
    """

    EHLO = ("PIPELINING", "SIZE 104857600", "8BITMIME", "DSN",
            "ENHANCEDSTATUSCODES", "CHUNKING", "BINARYMIME", "STARTTLS")

    def __init__(self, port=25, chunk=0, script=None, ehlo=EHLO, address=None,
                 ns="server"):
        self.chunk, self.script, self.ehlo = chunk, script or {}, ehlo
        self.messages, self.peers, self.conns = [], [], []
        self.lock = threading.Lock()
        self.listeners = []
        with netns(ns):
            for af in (socket.AF_INET, socket.AF_INET6):
                s = socket.socket(af, socket.SOCK_STREAM)
                s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if af == socket.AF_INET6:
                    s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                s.bind(("", port))
                s.listen(512)
                self.listeners.append(s)
        for s in self.listeners:
            threading.Thread(target=self._accept, args=(s,), daemon=True).start()

    def _accept(self, s):
        while True:
            try:
                sock, peer = s.accept()
            except OSError:
                return
            p = Peer(sock, self.chunk)
            with self.lock:
                self.peers.append(peer[:2])
                self.conns.append(p)
            threading.Thread(target=self._serve, args=(p,), daemon=True).start()

    @property
    def log(self):
        return b"".join(c.log for c in self.conns)

    def _serve(self, p):
        try:
            self._dialogue(p)
        except (OSError, AssertionError):
            pass
        finally:
            p.sock.close()

    def _dialogue(self, p):
        if not self._answer(p, "BANNER", "220 server.lab ESMTP\r\n"):
            return
        while True:
            line = p.line()
            if line is None:
                return
            verb = line.split(b" ")[0].decode("latin-1").upper()
            if verb in self.script:
                if not self._answer(p, verb, None):
                    return
                continue
            if verb == "DATA":
                p.send(b"354 go ahead\r\n")
                body = self.read_body(p)
                if body is None:
                    return
                with self.lock:
                    self.messages.append(body)
                if not self._answer(p, "BODY", "250 2.0.0 queued\r\n"):
                    return
            elif verb == "EHLO":
                lines = ["server.lab"] + list(self.ehlo)
                p.send(("".join("250-%s\r\n" % k for k in lines[:-1]) +
                        "250 %s\r\n" % lines[-1]).encode())
            elif verb == "QUIT":
                p.send(b"221 2.0.0 bye\r\n")
                return
            else:
                p.send(b"250 2.0.0 ok\r\n")

    def _answer(self, p, key, default):
        reply = self.script.get(key, default)
        if callable(reply):
            return reply(p) is not False
        p.send(reply.encode("latin-1"))
        return True

    @staticmethod
    def read_body(p):
        while True:
            if p.buf.startswith(b".\r\n"):
                p.buf = p.buf[3:]
                return b""
            end = p.buf.find(b"\r\n.\r\n")
            if end >= 0:
                body, p.buf = p.buf[:end + 2], p.buf[end + 5:]
                return unstuff(body)
            if not p.fill():
                return None

    def wait_messages(self, n):
        wait_for("%d messages" % n, lambda: len(self.messages) >= n)

    def close(self):
        for s in self.listeners:
            # wakes accept()
            s.shutdown(socket.SHUT_RDWR)
            s.close()
        with self.lock:
            for c in self.conns:
                try:
                    c.sock.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def mail(text="hello", subject="test"):
    return ("From: <from@lab>\r\nTo: <to@lab>\r\nSubject: %s\r\n\r\n%s\r\n"
            % (subject, text)).encode()


def infected(name="eicar.com"):
    import base64
    b64 = base64.b64encode(eicar()).decode()
    return ("From: <from@lab>\r\nTo: <to@lab>\r\nSubject: infected\r\n"
            "MIME-Version: 1.0\r\n"
            "Content-Type: multipart/mixed; boundary=XXX\r\n\r\n"
            "--XXX\r\nContent-Type: text/plain\r\n\r\nsee attachment\r\n"
            "--XXX\r\nContent-Type: application/octet-stream; name=\"%s\"\r\n"
            "Content-Transfer-Encoding: base64\r\n"
            "Content-Disposition: attachment; filename=\"%s\"\r\n\r\n%s\r\n"
            "--XXX--\r\n" % (name, name, b64)).encode()


def sha(data):
    return hashlib.sha256(data).hexdigest()


def helpers():
    """Process ids of all processes of the helper in the lab."""
    out = sh("ip", "netns", "pids", "gw", check=False).stdout.split()
    pids = []
    for pid in map(int, out):
        try:
            with open("/proc/%d/cmdline" % pid, "rb") as f:
                if f.read().split(b"\0")[0].endswith(b"smtpspliced"):
                    pids.append(pid)
        except OSError:
            pass
    return pids


def helper_command():
    """How the lab runs smtpspliced."""
    with open(os.path.join(RUN, "env")) as f:
        env = dict(line.rstrip("\n").split("=", 1) for line in f)
    return ("smtpspliced", "--database", env["LAB_DB"], "--log",
            os.path.join(RUN, "av.log"))


def start_helper():
    """Starts the lab's helper anew and waits until it has registered."""
    with open(os.path.join(RUN, "smtpspliced.log"), "a") as log:
        p = subprocess.Popen(["ip", "netns", "exec", "gw", *helper_command()],
                             stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                             start_new_session=True)
    # "lab down" waits for its end, so it must not stay as a zombie of ours
    threading.Thread(target=p.wait, daemon=True).start()
    with open(PIDFILE, "w") as f:
        f.write("%d\n" % p.pid)
    wait_for("the helper", lambda: stats()["helpers"] == 1)


def _lab(verb):
    """Brings the lab up or down; its words are diagnostics."""
    lab = os.path.join(os.path.dirname(os.path.abspath(__file__)), "lab")
    p = subprocess.run([lab, verb], stdout=subprocess.PIPE,
                       stderr=subprocess.STDOUT, text=True, check=False)
    for line in p.stdout.splitlines():
        print("# " + line, flush=True)
    return p.returncode == 0


def _run(test):
    try:
        test()
    except Exception:  # pylint: disable=broad-except
        for line in traceback.format_exc().splitlines():
            print("# " + line)
        return False
    return True


def main(tests):
    """Runs functions as TAP; their first line of documentation names them.

    Where no lab is up it is brought up for them, and that it comes down
    without a leak is one test more.
    """
    only = sys.argv[1:]
    tests = [t for t in tests if not only or t.__name__ in only]
    own = not os.path.exists("/run/netns/gw")
    print("1..%d" % (len(tests) + own), flush=True)
    if own and not _lab("up"):
        print("Bail out! no lab")
        sys.exit(1)
    failed = 0
    for i, t in enumerate(tests, 1):
        good = _run(t)
        failed += not good
        print("%s %d - %s: %s" % ("ok" if good else "not ok", i, t.__name__,
                                  (t.__doc__ or "").strip().split("\n")[0]),
              flush=True)
    if own:
        good = _lab("down")
        failed += not good
        print("%s %d - nothing leaked" % ("ok" if good else "not ok",
                                          len(tests) + 1), flush=True)
    sys.exit(1 if failed else 0)


def tests_of(module):
    return [f for n, f in vars(module).items()
            if n.startswith("test_") and callable(f)]
