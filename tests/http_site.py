"""The whole HTTP application over a test's world, under the server we ship, on loopback; and real SDK clients of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import httpx2
from mcp import Client
from mcp.client.session import ElicitationFnT
from mcp.client.streamable_http import streamable_http_client

from chekt_mcp.auth.bearer import BearerTokens, BearerVerifier
from chekt_mcp.domain.allow_list.address import ParsedAddress
from chekt_mcp.http.limits import open_rates
from chekt_mcp.http.metrics import Metrics
from chekt_mcp.http.pages.issuer_login import IssuerLogin
from chekt_mcp.operations.services import Services
from chekt_mcp.serving.approval_site import approvals_url
from chekt_mcp.serving.assembled import Surroundings, assemble
from chekt_mcp.serving.http_server import HttpServer
from chekt_mcp.serving.listener import listen
from chekt_mcp.serving.observed import LABELS, Observer
from chekt_mcp.serving.options import HttpOptions, checked
from http_server import exchanged
from world import MODES, Era, World

LOOPBACK = ParsedAddress(4, 0x7F000001, "127.0.0.1")


@dataclass(frozen=True, slots=True)
class Served:
    """A server that runs: its endpoint, and the server itself to be ended."""

    url: str
    server: HttpServer

    @property
    def base(self) -> str:
        return self.url.removesuffix("/mcp")

    @property
    def port(self) -> int:
        return int(self.base.rpartition(":")[2])

    @asynccontextmanager
    async def client(
        self, key: str, era: Era = "modern", *, person: ElicitationFnT | None = None
    ) -> AsyncIterator[Client]:
        """Connect a real client with a key."""
        async with (
            httpx2.AsyncClient(headers={"Authorization": f"Bearer {key}"}, timeout=30, trust_env=False) as http,
            self.client_over(http, era, person=person) as client,
        ):
            yield client

    @asynccontextmanager
    async def client_over(
        self, http: httpx2.AsyncClient, era: Era = "modern", *, person: ElicitationFnT | None = None
    ) -> AsyncIterator[Client]:
        """Connect a real client whose requests are authorised its own way."""
        transport = streamable_http_client(self.url, http_client=http)
        async with Client(transport, mode=MODES[era], elicitation_callback=person) as client:
            yield client

    async def raw(self, request: bytes) -> bytes:
        """Send bytes as they are, and return what comes until the server hangs up."""
        return await exchanged(self.base, request)

    async def post(self, key: str | None, message: Any, headers: dict[str, str] | None = None) -> httpx.Response:
        """Post one message without a client of the protocol."""
        given = {"Accept": "application/json, text/event-stream", **(headers or {})}
        if key is not None:
            given["Authorization"] = f"Bearer {key}"
        async with httpx.AsyncClient(timeout=30, trust_env=False) as http:
            return await http.post(self.url, json=message, headers=given)


def options(**settings: Any) -> HttpOptions:
    return checked(HttpOptions(LOOPBACK, 0, **settings))


@asynccontextmanager
async def serving(
    world: World,
    verifier_for: Callable[[str], BearerVerifier] | None = None,
    services: Services | None = None,
    login_for: Callable[[str], IssuerLogin | None] = lambda _pages: None,
    **settings: Any,
) -> AsyncIterator[Served]:
    """Serve in this event loop; the endpoint's URL, which tokens are made for, is known only then."""
    chosen = options(**settings)
    with listen(chosen.address, 0) as listener:
        port = listener.getsockname()[1]
        rates = open_rates(world.directory)
        resource = chosen.resource(port)
        judge = verifier_for(resource) if verifier_for else BearerTokens(world.storage, world.clock)
        observer = Observer(Metrics(LABELS) if chosen.metrics else None)
        login = login_for(approvals_url(chosen, port))
        around = Surroundings(services or world.services(), rates, judge, 5.0, observer, login=login)
        assembled = await assemble(around, chosen, port)
        server = HttpServer(assembled.site, listener)
        async with assembled.running():
            running = asyncio.create_task(server.run_until_ended())
            try:
                yield Served(f"http://127.0.0.1:{port}/mcp", server)
            finally:
                server.end()
                await running
                rates.close()


def call(name: str, arguments: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return a legacy call of a tool as it is posted."""
    return {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": name, "arguments": arguments or {}}}
