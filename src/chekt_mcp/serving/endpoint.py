"""The MCP endpoint behind the edge: both protocol eras, each the way that suits it.

2026-07-28: one request, one answer, as JSON. Before: sessions, whose answers come as events, because a form that a
person fills in has to reach the client while its call waits. Such a session lives in one process. Where several serve,
each of those requests stands for itself: no forms then, and what needs a person waits for an approver.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS

from chekt_mcp.http.asgi import Message, Receive, Scope, Send
from chekt_mcp.http.edge_answers import TOO_MANY_SESSIONS
from chekt_mcp.http.request_head import MOST_BODY_BYTES
from chekt_mcp.http.visit import Turned
from chekt_mcp.server import GatedServer

MOST_SESSIONS = 1_000
MOST_SESSIONS_EACH = 250
"""Of one client: an app, a partner, a client of the issuer. One that opens them without end leaves room for others."""
IDLE_SECONDS = 30 * 60
_VERSION = b"mcp-protocol-version"
_SESSION = b"mcp-session-id"


class Endpoint:
    """The ASGI application; `running` must be entered first, once."""

    def __init__(self, server: GatedServer, *, sessions: bool) -> None:
        self._modern = self._manager(server, json_response=True, stateless=True)
        self._legacy = self._manager(server, json_response=False, stateless=not sessions)
        self._ending = asyncio.Event()

    def end(self) -> None:
        """Let go of streams that only wait for news: a server that ends has none."""
        self._ending.set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Keep the sessions while it lasts."""
        async with self._modern.run(), self._legacy.run():
            yield

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request that the edge let through.

        Raises:
            Turned: it would open one session too many.
        """
        version = next((value.decode("latin-1") for name, value in scope["headers"] if name == _VERSION), None)
        older = version is None or version in HANDSHAKE_PROTOCOL_VERSIONS
        manager = self._legacy if older else self._modern
        if older and self._holds_too_many(scope):
            raise Turned(TOO_MANY_SESSIONS, "too_many_sessions")
        listening = scope["method"] == "GET"
        await manager.handle_request(scope, self._until_ending(receive) if listening else receive, send)

    def _holds_too_many(self, scope: Scope) -> bool:
        """Tell whether a request would open a session for a client that has its share of them."""
        if self._legacy.stateless or any(name == _SESSION for name, _ in scope["headers"]):
            return False
        client: str = scope["user"].access_token.client_id
        owners = self._legacy._session_owners  # noqa: SLF001 -- the SDK tells nobody
        return sum(owner["client_id"] == client for owner in owners.values()) >= MOST_SESSIONS_EACH

    def _until_ending(self, receive: Receive) -> Receive:
        """Return a `receive` for which the client is gone as soon as this server ends."""

        async def receive_or_end() -> Message:
            coming, ending = asyncio.ensure_future(receive()), asyncio.ensure_future(self._ending.wait())
            try:
                await asyncio.wait({coming, ending}, return_when=asyncio.FIRST_COMPLETED)
                return coming.result() if coming.done() else {"type": "http.disconnect"}
            finally:
                coming.cancel()
                ending.cancel()

        return receive_or_end

    @staticmethod
    def _manager(server: GatedServer, *, json_response: bool, stateless: bool) -> StreamableHTTPSessionManager:
        return StreamableHTTPSessionManager(
            app=server.protocol,
            json_response=json_response,
            stateless=stateless,
            session_idle_timeout=IDLE_SECONDS,
            max_request_body_size=MOST_BODY_BYTES,
            max_sessions=MOST_SESSIONS,
        )
