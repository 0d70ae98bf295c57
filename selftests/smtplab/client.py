# SPDX-License-Identifier: GPL-2.0
"""An SMTP client."""
import re

from smtplab.expect import PATIENCE
from smtplab.mails import stuff
from smtplab.net import SERVER4, SERVER6, tcp_socket
from smtplab.peer import Peer


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
