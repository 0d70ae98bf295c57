#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""An SMTP server that keeps every octet, to show what reached the server.

In --dir: "received" has all octets of all connections as they came,
"received.N" those of connection N, "message.N" the Nth finished message with its
CRLFs as received (after removing dot-stuffing), and "ready" exists once it
listens. Plain text only.

--reply VERB=REPLY answers a command otherwise, for instance
"RCPT=550 5.1.1 no such user", "DATA=" (never answers), ".=452 4.3.1 full" (the
end of data) or "banner=554 go away". A reply may hold \\r\\n for several lines.
"""
import argparse
import asyncio
import itertools
import os

DEFAULTS = {
    "banner": "220 sink.example.org ESMTP",
    "HELO": "250 sink.example.org",
    "MAIL": "250 2.1.0 Ok",
    "RCPT": "250 2.1.5 Ok",
    "DATA": "354 End data with <CR><LF>.<CR><LF>",
    ".": "250 2.0.0 Ok: kept",
    "RSET": "250 2.0.0 Ok",
    "NOOP": "250 2.0.0 Ok",
    "VRFY": "252 2.0.0 Try it",
    "QUIT": "221 2.0.0 Bye",
}
END_OF_DATA = b"\r\n.\r\n"


def parse_arguments():
    p = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    p.add_argument("--dir", required=True)
    p.add_argument("--listen", action="append", metavar="ADDRESS",
                   help="default: all, IPv4 and IPv6")
    p.add_argument("--port", action="append", type=int, help="default: 25, 465 and 587")
    p.add_argument("--ehlo", action="append", metavar="KEYWORD",
                   help="default: PIPELINING, 8BITMIME, SIZE 100000000")
    p.add_argument("--reply", action="append", default=[], metavar="VERB=REPLY")
    return p.parse_args()


class Sink:
    def __init__(self, args):
        self.dir = args.dir
        self.keywords = args.ehlo or ["PIPELINING", "8BITMIME", "SIZE 100000000"]
        self.replies = dict(DEFAULTS)
        for reply in args.reply:
            verb, text = reply.split("=", 1)
            self.replies[verb] = text.replace("\\r\\n", "\r\n")
        self.everything = open(os.path.join(self.dir, "received"), "ab", buffering=0)
        self.connections = itertools.count(1)
        self.messages = itertools.count(1)

    def reply_to(self, verb):
        if verb == "EHLO" and verb not in self.replies:
            lines = ["sink.example.org"] + self.keywords
            return "".join("250%s%s\r\n" % ("-" if i < len(lines) - 1 else " ", line)
                           for i, line in enumerate(lines))
        text = self.replies.get(verb, "500 5.5.2 Unknown command")
        return text + "\r\n" if text else ""

    def keep(self, body):
        lines = (b"\r\n" + body).replace(b"\r\n..", b"\r\n.")[2:]
        path = os.path.join(self.dir, "message.%d" % next(self.messages))
        with open(path + ".new", "wb") as f:
            f.write(lines)
        os.rename(path + ".new", path)

    async def serve(self, reader, writer):
        number = next(self.connections)
        with open(os.path.join(self.dir, "received.%d" % number), "wb", buffering=0) as log:
            try:
                await Connection(self, reader, writer, log).run()
            except ConnectionError as error:
                print("connection %d: %s" % (number, error), flush=True)
            finally:
                writer.close()


class Connection:
    def __init__(self, sink, reader, writer, log):
        self.sink, self.reader, self.writer, self.log = sink, reader, writer, log
        self.buffer = b""

    async def until(self, end):
        """The octets up to and including END, or None at the end of input."""
        searched = 0
        while (at := self.buffer.find(end, searched)) < 0:
            searched = max(0, len(self.buffer) - len(end) + 1)
            data = await self.reader.read(65536)
            if not data:
                return None
            self.log.write(data)
            self.sink.everything.write(data)
            self.buffer += data
        at += len(end)
        taken, self.buffer = self.buffer[:at], self.buffer[at:]
        return taken

    async def answer(self, verb):
        text = self.sink.reply_to(verb)
        self.writer.write(text.encode())
        await self.writer.drain()
        return text

    async def run(self):
        await self.answer("banner")
        while (line := await self.until(b"\r\n")) is not None:
            verb = line[:4].decode("latin1").upper().strip()
            text = await self.answer(verb)
            if verb == "QUIT":
                return
            if verb == "DATA" and text.startswith("354") and not await self.data():
                return

    async def data(self):
        # An empty message ends with the CRLF of the DATA command.
        self.buffer = b"\r\n" + self.buffer
        body = await self.until(END_OF_DATA)
        if body is None:
            return False
        self.sink.keep(body[2:-3])
        await self.answer(".")
        return True


async def main():
    args = parse_arguments()
    os.makedirs(args.dir, exist_ok=True)
    sink = Sink(args)
    for port in args.port or [25, 465, 587]:
        await asyncio.start_server(sink.serve, args.listen, port, limit=1 << 20, backlog=1024)
    with open(os.path.join(args.dir, "ready"), "w"):
        pass
    await asyncio.Event().wait()


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except KeyboardInterrupt:
        pass
