# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Steady load on services, from the client's point of view. Copied to the client, standard library only.

The one argument is JSON: {"targets": {NAME: [ADDRESS, PORT]}, "rate": requests a second and target,
"patience": seconds, "downloads": at a time and target, "pace": bytes a second of each}.
One JSON object a line comes out: requests, downloads and marks, all with times of this host's clock. Requests and
downloads have the port from which they were made, by which the directors' lists of connections say whose they were.
A line comes in: "mark WORDS" writes a mark, and so gives an event outside its time here; "downloads N" changes how many
are under way; "patience N" changes how long the next requests may take; "finish" starts no more, lets downloads go on
at full speed, and ends. So does the end of the input.
"""

from __future__ import annotations

import asyncio
import errno
import hashlib
import itertools
import json
import socket
import sys
import time
from typing import Any

# Source ports: each request has the next one, so that nobody takes it for an earlier connection.
FIRST, LAST = 20000, 60000
# One segment that goes missing is asked for again after a second; a master that dies is silent for some.
STALLED = 30


def say(kind: str, **fields: Any) -> None:
    sys.stdout.write(json.dumps({"kind": kind, **fields}) + "\n")


class Load:
    def __init__(self, options: dict[str, Any]) -> None:
        self.targets: dict[str, tuple[str, int]] = options["targets"]
        # Hardly those of the last load, which directors still know.
        first = FIRST + time.time_ns() // 1000 % (LAST - FIRST)
        self.ports = itertools.chain(range(first, LAST), itertools.cycle(range(FIRST, LAST)))
        self.rate, self.patience, self.pace = options["rate"], options["patience"], options["pace"]
        self.downloads: int = options["downloads"]
        self.finishing = asyncio.Event()
        self.running: dict[str, set[asyncio.Task[None]]] = {name: set() for name in self.targets}

    async def run(self) -> None:
        say("mark", name="start", at=time.monotonic())
        await asyncio.gather(self.listen(), self.flush(), *(self.requests(name) for name in self.targets))
        sys.stdout.flush()

    async def listen(self) -> None:
        """Do what comes in."""
        reader = asyncio.StreamReader()
        loop = asyncio.get_running_loop()
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        while True:
            word, _space, rest = (await reader.readline()).decode().strip().partition(" ")
            if word == "mark":
                say("mark", name=rest, at=time.monotonic())
            elif word == "downloads":
                self.downloads = int(rest)
            elif word == "patience":
                self.patience = float(rest)
            else:
                self.finishing.set()
                return

    async def flush(self) -> None:
        while not self.finishing.is_set():
            await asyncio.sleep(0.1)
            sys.stdout.flush()

    async def requests(self, name: str) -> None:
        """Ask at a steady rate, whatever becomes of the requests before."""
        under_way: set[asyncio.Task[None]] = set()
        due = time.monotonic()
        while not self.finishing.is_set():
            task = asyncio.create_task(self.request(name))
            under_way.add(task)
            task.add_done_callback(under_way.discard)
            downloads = self.running[name]
            if len(downloads) < self.downloads:
                task = asyncio.create_task(self.download(name))
                downloads.add(task)
                task.add_done_callback(downloads.discard)
            due = max(due + 1 / self.rate, time.monotonic() - 1)
            await asyncio.sleep(due - time.monotonic())
        await asyncio.gather(*under_way, *self.running[name])

    async def request(self, name: str) -> None:
        start = time.monotonic()
        outcome: dict[str, Any] = {}
        try:
            head, body = await asyncio.wait_for(self.ask(name, outcome), self.patience)
            if head.startswith(b"HTTP/1.1 200 ") and body:
                outcome["by"] = body.decode(errors="replace").strip()
            else:
                outcome["error"] = "cut short"
        except asyncio.TimeoutError:
            outcome["error"] = "no answer"
        except OSError as error:
            outcome["error"] = error.strerror or type(error).__name__
        say("request", target=name, start=start, end=time.monotonic(), **outcome)

    async def ask(self, name: str, outcome: dict[str, Any]) -> tuple[bytes, bytes]:
        address, port = self.targets[name]
        connection = self.bound(address)
        outcome["port"] = connection.getsockname()[1]
        try:
            await asyncio.get_running_loop().sock_connect(connection, (address, port))
            reader, writer = await asyncio.open_connection(sock=connection)
        except BaseException:
            connection.close()
            raise
        host = f"[{address}]" if ":" in address else address
        try:
            writer.write(f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
            head, _empty, body = (await reader.read()).partition(b"\r\n\r\n")
            return head, body
        finally:
            writer.close()

    def bound(self, address: str) -> socket.socket:
        """A socket at the next source port that no other program has."""
        while True:
            connection = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
            connection.setblocking(False)
            try:
                connection.bind(("", next(self.ports)))
                return connection
            except OSError as error:
                connection.close()
                if error.errno != errno.EADDRINUSE:
                    raise

    async def download(self, name: str) -> None:
        start = time.monotonic()
        outcome: dict[str, Any] = {}
        try:
            outcome["digest"] = await self.fetch(name, outcome)
        except asyncio.TimeoutError:
            outcome["error"] = "stalled"
        except (OSError, EOFError) as error:
            outcome["error"] = getattr(error, "strerror", None) or type(error).__name__
        say("download", target=name, start=start, end=time.monotonic(), **outcome)
        if "error" in outcome:
            await asyncio.sleep(1)

    async def fetch(self, name: str, outcome: dict[str, Any]) -> str:
        """Read a file slowly, and return its digest."""
        loop, digest = asyncio.get_running_loop(), hashlib.sha256()
        with socket.socket() as connection:
            # What the kernels buffer arrives whatever happens to the director: let it be little.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
            connection.setblocking(False)
            await asyncio.wait_for(loop.sock_connect(connection, tuple(self.targets[name])), STALLED)
            outcome["port"] = connection.getsockname()[1]
            words = f"GET /files/download HTTP/1.0\r\nHost: {self.targets[name][0]}\r\n\r\n"
            await loop.sock_sendall(connection, words.encode())
            head, data = b"", b""
            while not data:
                block = await asyncio.wait_for(loop.sock_recv(connection, 4096), STALLED)
                if not block:
                    raise EOFError
                head, _empty, data = (head + block).partition(b"\r\n\r\n")
            while data:
                digest.update(data)
                if not self.finishing.is_set():
                    await asyncio.sleep(len(data) / self.pace)
                data = await asyncio.wait_for(loop.sock_recv(connection, self.pace // 4), STALLED)
        return digest.hexdigest()


async def main() -> None:
    await Load(json.loads(sys.argv[1])).run()


if __name__ == "__main__":
    asyncio.run(main())
