"""The application put together from an open state: the gateway, both protocol eras, the edge, and the small paths."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from mcp.server.request_state import RequestStateSecurity

from chekt_mcp.auth.bearer import BearerVerifier
from chekt_mcp.auth.current_caller import by_request
from chekt_mcp.http.asgi import App
from chekt_mcp.http.challenge import Needed
from chekt_mcp.http.edge import Edge
from chekt_mcp.http.edge_parts import EdgeParts, EdgeSettings
from chekt_mcp.http.limits import EdgeRates
from chekt_mcp.http.metrics_page import exposition
from chekt_mcp.http.pages.issuer_login import IssuerLogin
from chekt_mcp.http.pages.watch import Watch
from chekt_mcp.http.refusal_log import RefusalLog
from chekt_mcp.http.resource_metadata import WELL_KNOWN, metadata, metadata_url
from chekt_mcp.http.site import Site, document, readiness
from chekt_mcp.http.visit import SOURCE
from chekt_mcp.operations.services import Services
from chekt_mcp.server import build_server
from chekt_mcp.serving.approval_site import BASE, approval_site, approvals_url, page_settings
from chekt_mcp.serving.endpoint import Endpoint
from chekt_mcp.serving.observed import Observer
from chekt_mcp.serving.options import HttpOptions
from chekt_mcp.serving.tls import HSTS
from chekt_mcp.storage.interface import Writer
from chekt_mcp.tools.catalog import tool_scopes
from chekt_mcp.tools.gateway import Gateway
from chekt_mcp.tools.resource_gate import SCOPE as RESOURCE_SCOPE

STATE_KEY = "request_state"
KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a process opened: the state, the rates it shares with others, and who can tell a credential."""

    services: Services
    rates: EdgeRates
    verifier: BearerVerifier
    ask_timeout: float = 50.0
    observer: Observer = field(default_factory=Observer)
    below: Mapping[str, App] = field(default_factory=dict)
    login: IssuerLogin | None = None


@dataclass(frozen=True, slots=True)
class Assembled:
    """One process's application, and the endpoint that keeps sessions while it serves."""

    site: Site
    endpoint: Endpoint
    refusals: RefusalLog

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Keep sessions, and write counted refusals, while it lasts; what was counted is written at its end."""
        async with self.endpoint.running():
            flushing = asyncio.create_task(self.refusals.keep_flushing())
            try:
                yield
            finally:
                flushing.cancel()
                await self.refusals.close()


async def assemble(around: Surroundings, options: HttpOptions, port: int) -> Assembled:
    """Put the application together, listening on `port`.

    Raises:
        Unavailable: the state cannot be read or written.
    """
    services = replace(around.services, approvals_url=approvals_url(options, port))
    gateway = Gateway(lambda: services, by_request, SOURCE, around.ask_timeout, observe=around.observer.call)
    server = build_server(gateway, RequestStateSecurity(keys=[await request_state_key(services)]))
    endpoint = Endpoint(server, sessions=options.workers == 1)
    resource = options.resource(port)
    client_of = options.client_of
    own, challenge = options.own_names(port), options.challenge
    settings = EdgeSettings(own, metadata_url(resource), client_of, challenge, options.body_seconds)
    refusals = RefusalLog(services)
    needed = Needed(tool_scopes(), RESOURCE_SCOPE)
    parts = EdgeParts(around.verifier, needed, around.rates, refusals, gateway.compiled, around.observer)
    edge = Edge(services, parts, settings, endpoint)
    place = page_settings(options, port, client_of)
    pages = approval_site(services, place, Watch(around.rates.addresses, refusals), around.verifier, around.login)
    exact = {**_exact(around, options, resource, edge), BASE: pages}
    headers = ((b"strict-transport-security", HSTS),) if options.https else ()
    return Assembled(Site(services, exact, {f"{BASE}/": pages, **around.below}, headers), endpoint, refusals)


async def request_state_key(services: Services) -> bytes:
    """Return the key that seals what clients carry between rounds: every process of this state has the same."""
    fresh = services.random(KEY_BYTES)

    async def work(writer: Writer) -> bytes:
        return await writer.make_server_secret(STATE_KEY, fresh)

    return await services.storage.write(work)


def _exact(around: Surroundings, options: HttpOptions, resource: str, edge: Edge) -> Mapping[str, App]:
    described = document(metadata(resource, around.verifier.issuers), cached=True)
    exact: dict[str, App] = {
        options.path: edge,
        WELL_KNOWN: described,
        f"{WELL_KNOWN}{options.path}": described,
        "/healthz": document({"status": "ok"}),
        "/readyz": readiness(around.services),
    }
    if around.observer.metrics:
        exact["/metrics"] = exposition(around.services, around.observer.metrics)
    return exact
