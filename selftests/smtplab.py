# SPDX-License-Identifier: GPL-2.0
"""What the Python selftests share: sockets in the lab's namespaces, a server
that records every octet, a client, both of them octet by octet where that is
wanted, TAP output.

    client --- gw (smtpsplice) --- server
    10.0.1.2   10.0.1.1 10.0.2.1   10.0.2.2
    fd00:1::2  ...:1               fd00:2::2
"""
import ctypes
import errno
import functools
import hashlib
import json
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import traceback
from contextlib import contextmanager, nullcontext

RUN = os.environ.get("LAB_RUN", "/run/smtpsplice-lab")
PIDFILE = os.path.join(RUN, "smtpspliced.pid")
SERVER4, SERVER6 = "10.0.2.2", "fd00:2::2"
CLIENT4, CLIENT6 = "10.0.1.2", "fd00:1::2"
HAVE_IPV6 = os.path.isdir("/proc/sys/net/ipv6")
CLONE_NEWNET = 0x40000000
TCP_CLOSE = 7
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
    # not by "ip netns exec", whose mounts are slow on emulated machines
    with netns(ns) if ns else nullcontext():
        p = subprocess.run(argv, capture_output=True, text=True, **kw)
    if check and p.returncode:
        raise AssertionError("%.500s: %d: %.500s" % (
            " ".join(argv), p.returncode, p.stderr.strip()))
    return p


def cli(*argv, check=True):
    return sh("smtpsplice", *argv, ns="gw", check=check)


# What is polled all the time is asked by netlink: a process takes a quarter of a
# second on an emulated machine. test_cli compares both ways.

def stats():
    """The counters by name, as `smtpsplice -j show stats` has them."""
    with asker() as genl:
        return genl.decode("STATS", genl.ask("STATS_GET"))


def sessions():
    """The sessions, as `smtpsplice -j show sessions` has them."""
    with asker() as genl:
        return [genl.decode("SESSION", row) for row in genl.dump("SESSION_GET")]


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
    for key in ("iif", "src", "dst", "port", "mode", "tls", "av"):
        value = p.get(key)
        if isinstance(value, list):
            value = ",".join(map(str, value))
        if value:
            words += [key, value]
    cli(*words)


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


class Peer:
    """A line-based end of a TCP connection.

    by_octet: all peers send one octet a segment (by_octet() sets it).
    merged: where they did not.
    """

    by_octet = False
    merged = []

    def __init__(self, sock):
        sock.settimeout(PATIENCE)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock = sock
        self.buf = b""
        self.log = bytearray()

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
        if not Peer.by_octet:
            self.sock.sendall(data)
            return
        for i in range(len(data)):
            self.sock.sendall(data[i:i + 1])
            self.sent()

    def sent(self):
        """Waits until what was written has left."""
        end = time.monotonic() + PATIENCE
        while True:
            try:
                state, unsent, segments, octets = tcp_info(self.sock)
            except OSError as e:
                # the peer has taken it all, and another thread closed
                if e.errno == errno.EBADF:
                    return
                raise
            if segments != octets:
                Peer.merged.append("%d octets in %d segments"
                                   % (octets, segments))
            if not unsent:
                return
            if state == TCP_CLOSE or time.monotonic() > end:
                raise ConnectionResetError
            time.sleep(0.001)

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


@contextmanager
def by_octet():
    """All that client and server send goes one octet a segment."""
    collapse = "ipv4/tcp_retrans_collapse"
    with sysctls("client", {collapse: 0}), sysctls("server", {collapse: 0}):
        Peer.by_octet, Peer.merged = True, []
        try:
            yield
        finally:
            Peer.by_octet = False
        assert not Peer.merged, Peer.merged


def octets(many, few):
    """How much a test sends: few where each octet is a segment."""
    return few if Peer.by_octet else many


def each_split(test):
    """The same test, one octet a segment both ways."""
    @functools.wraps(test)
    def split():
        with by_octet():
            test()
    split.__name__ = test.__name__ + "_split"
    split.__doc__ = "one octet a segment: " + test.__doc__
    return split


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


class Client(Peer):
    """`prepare` is called with the socket before it connects."""

    def __init__(self, port=25, family=4, src=None, to=None,
                 ns="client", prepare=None):
        sock = tcp_socket(ns, family, src)
        if prepare:
            prepare(sock)
        sock.settimeout(PATIENCE)
        sock.connect((to or (SERVER4 if family == 4 else SERVER6), port))
        super().__init__(sock)

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


def chunks(body, *sizes):
    """The body as BDAT sends it: chunks of these sizes, the rest is the last."""
    out = b""
    for n in sizes:
        out += b"BDAT %d\r\n%b" % (n, body[:n])
        body = body[n:]
    return out + b"BDAT %d LAST\r\n%b" % (len(body), body)


def stuff(body):
    return re.sub(rb"(?m)^\.", b"..", body)


def unstuff(body):
    return re.sub(rb"(?m)^\.", b"", body)


# an extension that the gateway does not know
HIDDEN = "X-LAB"


class Server:
    """An SMTP server in `server` that keeps what it was sent. `prepare` is
    called with each socket before it listens.

    messages: bodies as received, unstuffed where they came by DATA; log: all octets of all connections;
    peers: addresses of the clients. `script` maps a verb to a reply, or to a
    function of the connection that does as it likes and returns False to end.
    """

    EHLO = ("PIPELINING", "SIZE 104857600", "8BITMIME", "DSN",
            "ENHANCEDSTATUSCODES", "CHUNKING", "BINARYMIME", "STARTTLS", HIDDEN)

    def __init__(self, port=25, script=None, ehlo=EHLO, ns="server",
                 prepare=None):
        self.script, self.ehlo = script or {}, ehlo
        self.messages, self.peers, self.conns = [], [], []
        self.lock = threading.Lock()
        self.listeners = []
        with netns(ns):
            for af in (socket.AF_INET, socket.AF_INET6)[:1 + HAVE_IPV6]:
                s = socket.socket(af, socket.SOCK_STREAM)
                s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if af == socket.AF_INET6:
                    s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                if prepare:
                    prepare(s)
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
            p = Peer(sock)
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
        chunks = bytearray()
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
            elif verb == "BDAT":
                words = line.split()
                chunk = self.read_chunk(p, int(words[1]))
                if chunk is None:
                    return
                chunks += chunk
                if words[2:] != [b"LAST"]:
                    if not self._answer(p, "CHUNK", "250 2.0.0 chunk\r\n"):
                        return
                    continue
                with self.lock:
                    self.messages.append(bytes(chunks))
                chunks.clear()
                if not self._answer(p, "BODY", "250 2.0.0 queued\r\n"):
                    return
            elif verb == "RSET":
                chunks.clear()
                p.send(b"250 2.0.0 reset\r\n")
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
    def read_chunk(p, n):
        chunk = bytearray(p.buf)
        while len(chunk) < n:
            p.buf = b""
            if not p.fill():
                return None
            chunk += p.buf
        p.buf = bytes(chunk[n:])
        return chunk[:n]

    @staticmethod
    def read_body(p):
        body, seen = bytearray(p.buf), 0
        while True:
            if body.startswith(b".\r\n"):
                p.buf = bytes(body[3:])
                return b""
            end = body.find(b"\r\n.\r\n", max(0, seen - 4))
            if end >= 0:
                p.buf = bytes(body[end + 5:])
                return unstuff(bytes(body[:end + 2]))
            seen = len(body)
            p.buf = b""
            if not p.fill():
                return None
            body += p.buf

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
            os.path.join(RUN, "av.log"), "--ca-dir", os.path.join(RUN, "ca"),
            "--state", os.path.join(RUN, "engine.json"))


# What restarted_helper() has added
helper_options = []


def start_helper(*options):
    """Starts the lab's helper anew and waits until it has registered."""
    options = [*helper_options, *options]
    with open(os.path.join(RUN, "smtpspliced.log"), "a") as log:
        p = subprocess.Popen(["ip", "netns", "exec", "gw", *helper_command(), *options],
                             stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                             start_new_session=True)
    # "lab down" waits for its end, so it must not stay as a zombie of ours
    threading.Thread(target=p.wait, daemon=True).start()
    with open(PIDFILE, "w") as f:
        f.write("%d\n" % p.pid)
    wait_for("the helper", lambda: stats()["helpers"] == 1)


def signal_helpers(sig):
    for pid in helpers():
        try:
            os.kill(pid, sig)
        except ProcessLookupError:
            pass


def kill_helpers():
    signal_helpers(signal.SIGKILL)
    wait_for("the end of the helper", lambda: not helpers())
    wait_for("its notice", lambda: stats()["helpers"] == 0)


def gone(pid):
    """Whether a process has ended; it may be a child of ours."""
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        pass
    return not os.path.exists("/proc/%d" % pid)


def stop_helper():
    with open(PIDFILE) as f:
        pid = int(f.read())
    os.kill(pid, signal.SIGTERM)
    wait_for("the end of the helper", lambda: gone(pid))


@contextmanager
def unloaded():
    """The lab without module and helper; afterwards as it was."""
    there, tls = policies(), profiles()
    stop_helper()
    sh("rmmod", "smtpsplice")
    try:
        yield
    finally:
        sh("insmod", os.environ["SMTPSPLICE_KO"])
        start_helper()
        for p in tls:
            if p["name"] != "default":
                add_profile(p)
        for p in there:
            add_policy(p)


@contextmanager
def restarted_helper(*options):
    """The lab's helper with more options, until the end."""
    stop_helper()
    helper_options.extend(options)
    start_helper()
    try:
        yield
    finally:
        stop_helper()
        del helper_options[len(helper_options) - len(options):]
        start_helper()


def _uapi():
    """The numbers of the netlink interface, by name without SMTPSPLICE_."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                        "../uapi/linux/smtpsplice.h")
    with open(path) as f:
        text = re.sub(r"/\*.*?\*/", "", f.read(), flags=re.S)
    numbers = {}
    for body in re.findall(r"enum[^{]*\{(.*?)\}", text, flags=re.S):
        value = -1
        for item in filter(None, map(str.strip, body.split(","))):
            name, _, given = (w.strip() for w in item.partition("="))
            if given and not re.fullmatch(r"[0-9x]+", given):
                continue
            value = int(given, 0) if given else value + 1
            numbers[name.replace("SMTPSPLICE_", "", 1)] = value
    return numbers


UAPI = _uapi()
# The words for attributes that hold one of an enum's numbers
ENUMS = {attr: {n: key[len(prefix):].lower().replace("_", "-")
                for key, n in UAPI.items() if key.startswith(prefix)}
         for attr, prefix in (("state", "STATE_"), ("tls", "TLS_RESULT_"))}
NLMSG_ERROR, NLMSG_DONE = 2, 3
NLM_F_REQUEST, NLM_F_ACK, NLM_F_DUMP = 1, 4, 0x300


@contextmanager
def asker():
    """A socket for one question: an open one would keep the namespace alive."""
    genl = Genl()
    try:
        yield genl
    finally:
        genl.sock.close()


class Genl:
    """A minimal generic netlink socket, to say what the helper should not."""

    def __init__(self, ns="gw", port=0):
        with netns(ns):
            self.sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 16)
        self.sock.bind((port, 0))
        self.sock.settimeout(PATIENCE)
        self.seq = 0
        self.family = None
        reply = self.call(16, 3, [(2, b"smtpsplice\0")])
        self.family = dict(self.attrs(reply))[1]
        self.family = struct.unpack("H", self.family[:2])[0]

    @staticmethod
    def attrs(data):
        while len(data) >= 4:
            n, t = struct.unpack("HH", data[:4])
            yield t & 0x3fff, data[4:n]
            data = data[(n + 3) & ~3:]

    def send(self, family, cmd, attrs, flags):
        body = struct.pack("BBH", cmd, 1, 0)
        for t, v in attrs:
            body += struct.pack("HH", len(v) + 4, t) + v + b"\0" * (-len(v) % 4)
        self.seq += 1
        self.sock.send(struct.pack("IHHII", len(body) + 16, family, flags,
                                   self.seq, 0) + body)

    def replies(self):
        """The attributes of each message, and the errno, 0 for none, as the last."""
        while True:
            data = self.sock.recv(65536)
            while data:
                n, t = struct.unpack("IH", data[:6])
                if t in (NLMSG_ERROR, NLMSG_DONE):
                    yield -struct.unpack("i", data[16:20])[0]
                    return
                yield data[20:n]
                data = data[(n + 3) & ~3:]

    def call(self, family, cmd, attrs=()):
        """Returns the attributes of the reply, or the errno."""
        self.send(family, cmd, attrs, NLM_F_REQUEST | NLM_F_ACK)
        *reply, err = self.replies()
        return err or b"".join(reply)

    def dump(self, cmd):
        """The attributes of each thing."""
        self.send(self.family, UAPI["CMD_" + cmd], (), NLM_F_REQUEST | NLM_F_DUMP)
        *rows, err = self.replies()
        assert not err, os.strerror(err)
        return rows

    def ask(self, cmd, **attrs):
        """A command by its name, with attributes by theirs: octets."""
        return self.call(self.family, UAPI["CMD_" + cmd],
                         [(UAPI["A_" + k], v) for k, v in attrs.items()])

    @classmethod
    def decode(cls, prefix, data):
        """Attributes as smtpsplice's JSON has them."""
        assert isinstance(data, bytes), "%s: %s" % (prefix, os.strerror(data))
        prefix = "A_%s_" % prefix
        names = {n: key[len(prefix):].lower().replace("_", "-")
                 for key, n in UAPI.items() if key.startswith(prefix)}
        return {names[t]: cls._value(names[t], v) for t, v in cls.attrs(data)}

    @staticmethod
    def _value(name, data):
        if name in ("policy", "iif"):
            return data.rstrip(b"\0").decode()
        if name in ("client", "server"):
            return socket.inet_ntop(socket.AF_INET if len(data) == 4 else
                                    socket.AF_INET6, data)
        number = int.from_bytes(data, sys.byteorder)
        if name in ENUMS:
            return ENUMS[name][number]
        return number

    def register(self, *roles):
        return self.ask("REGISTER", HELPER_ROLES=struct.pack(
            "I", sum(UAPI["ROLE_" + r] for r in roles)))

    def take(self):
        """Takes a message to scan: its cookie, and its file."""
        a = dict(self.attrs(self.ask("SCAN_ACCEPT")))
        fd, = struct.unpack("i", a[UAPI["A_SCAN_FD"]])
        return a[UAPI["A_SCAN_COOKIE"]], open(fd, "rb")


def _lab(verb):
    """Brings the lab up or down; its words are diagnostics."""
    lab = os.path.join(os.path.dirname(os.path.abspath(__file__)), "lab")
    p = subprocess.run([lab, verb], stdout=subprocess.PIPE,
                       stderr=subprocess.STDOUT, text=True, check=False)
    for line in p.stdout.splitlines():
        print("# " + line, flush=True)
    return p.returncode == 0


class Skip(Exception):
    """What a test needs is not there: it neither passed nor failed."""


def _result(good, number, name, skipped=""):
    print("%s %d - %s%s" % ("ok" if good else "not ok", number, name,
                            " # SKIP " + skipped if skipped else ""),
          flush=True)
    return good


def _run(number, test):
    name = "%s: %s" % (test.__name__,
                       (test.__doc__ or "").strip().split("\n")[0])
    start = time.monotonic()
    try:
        test()
        print("# took %d s" % (time.monotonic() - start))
    except Skip as why:
        return _result(True, number, name, str(why))
    except Exception:  # pylint: disable=broad-except
        for line in traceback.format_exc().splitlines():
            print("# " + line)
        return _result(False, number, name)
    return _result(True, number, name)


def chosen(tests):
    """Those that the arguments name, or all; ends where there is no such test."""
    only = sys.argv[1:]
    unknown = set(only) - {t.__name__ for t in tests}
    if unknown or not tests:
        print("Bail out! no such test: " + " ".join(sorted(unknown)))
        sys.exit(2)
    return [t for t in tests if not only or t.__name__ in only]


def main(tests, around=nullcontext):
    """Runs functions as TAP; their first line of documentation names them.

    Where no lab is up it is brought up for them, and that it comes down
    without a leak is one test more. `around` makes a context of the lab that
    all of them run in. Arguments are names of tests: only those are run.
    """
    tests = chosen(tests)
    own = not os.path.exists("/run/netns/gw")
    print("1..%d" % (len(tests) + own), flush=True)
    if own and not _lab("up"):
        print("Bail out! no lab")
        sys.exit(1)
    with around():
        results = [_run(i, t) for i, t in enumerate(tests, 1)]
    if own:
        results.append(_result(_lab("down"), len(tests) + 1, "nothing leaked"))
    sys.exit(0 if all(results) else 1)


def tests_of(module):
    return [f for n, f in vars(module).items()
            if n.startswith("test_") and callable(f)]
