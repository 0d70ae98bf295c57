# SPDX-License-Identifier: GPL-2.0
"""An SMTP server that records every octet."""
import socket
import threading

from smtplab.expect import expect_equal, wait_for
from smtplab.mails import unstuff
from smtplab.net import HAVE_IPV6, netns
from smtplab.peer import Peer

# an extension that the gateway does not know
HIDDEN = "X-LAB"


class Server:
    """An SMTP server in `server` that keeps what it was sent. `prepare` is
    called with each socket before it listens.

    messages: bodies as received, unstuffed where they came by DATA; log: all octets
    of all connections; peers: addresses of the clients. `script` maps a verb to a
    reply, or to a function of the connection that does as it likes and returns False
    to end.
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


class Watcher(Server):
    """A Server that knows how connections ended amid a message: ends."""

    def __init__(self, *args, **kw):
        self.ends = []
        super().__init__(*args, **kw)

    def _serve(self, p):
        end = "closed"
        try:
            self._dialogue(p)
        except ConnectionResetError:
            end = "reset"
        except (OSError, AssertionError) as e:
            end = repr(e)
        finally:
            p.sock.close()
            self.ends.append(end)

    def expect_reset(self):
        wait_for("the end", lambda: self.ends)
        expect_equal(self.ends, ["reset"], "end of the connection")
        expect_equal(self.messages, [], "messages")
