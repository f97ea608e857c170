"""A proxy for tests only: it adds a credential to each request, for a suite that has no option for one.

One request per connection. What is asked of the proxy's own name is asked of the server's; any other Host or Origin
goes on as it came, so that a suite can try those too.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

MOST_HEAD_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class CredentialProxy:
    """Listens on loopback and adds `Authorization: Bearer` for the server on `target`."""

    target: int
    credential: str
    serving: set[asyncio.Task[None]] = field(default_factory=set)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[int]:
        """Serve while it lasts, and end what is still open; gives the port."""
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0, limit=MOST_HEAD_BYTES)
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()
            for task in self.serving:
                task.cancel()
            await asyncio.gather(*self.serving, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self.serving.add(task)
        task.add_done_callback(self.serving.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with _closing(writer):
            head = await reader.readuntil(b"\r\n\r\n")
            server_reader, server_writer = await asyncio.open_connection("127.0.0.1", self.target)
            async with _closing(server_writer):
                server_writer.write(self._with_credential(head, writer.get_extra_info("sockname")[1]))
                there = asyncio.create_task(_pump(reader, server_writer))
                try:
                    await _pump(server_reader, writer)
                finally:
                    there.cancel()
                    await asyncio.gather(there, return_exceptions=True)

    def _with_credential(self, head: bytes, own: int) -> bytes:
        head = re.sub(rb"(?i)\r\n(?:connection|authorization):[^\r]*", b"", head)
        head = re.sub(rb"(127\.0\.0\.1|localhost):%d\b" % own, rb"\g<1>:%d" % self.target, head)
        added = f"\r\nAuthorization: Bearer {self.credential}\r\nConnection: close\r\n\r\n"
        return head.removesuffix(b"\r\n\r\n") + added.encode()


@asynccontextmanager
async def _closing(writer: asyncio.StreamWriter) -> AsyncIterator[None]:
    """Close a connection however its use ended; that the other side left is no fault."""
    try:
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            yield
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while piece := await reader.read(64 * 1024):
        writer.write(piece)
        await writer.drain()
