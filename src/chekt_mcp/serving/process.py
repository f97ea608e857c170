"""One process that serves: its state, its application, its sockets, and their end."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import socket
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

from chekt_mcp.config import Settings
from chekt_mcp.http.limits import open_rates
from chekt_mcp.http.redirect import Redirect
from chekt_mcp.operations.audit.checkpoint_worker import CheckpointWorker
from chekt_mcp.operations.keys.recovery import recover
from chekt_mcp.operations.services import Services
from chekt_mcp.serving.approval_site import approvals_url
from chekt_mcp.serving.assembled import Assembled, Surroundings, assemble
from chekt_mcp.serving.credentials import bearer_tokens, issuer_login
from chekt_mcp.serving.http_server import HttpServer
from chekt_mcp.serving.observed import Observer
from chekt_mcp.serving.options import HttpOptions
from chekt_mcp.serving.receiving import BELOW, receiving
from chekt_mcp.serving.tls import server_context
from chekt_mcp.wiring import open_services

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Sockets:
    """What is listened on; `alive` is readable once the process that began this one is gone."""

    main: socket.socket
    redirect: socket.socket | None = None
    alive: int | None = None


def serve_process(settings: Settings, options: HttpOptions, sockets: Sockets, observer: Observer) -> None:
    """Serve until SIGINT or SIGTERM; then finish the calls in hand, and their entries in the log."""
    gc.freeze()  # what import built lives as long as the process
    gc.enable()
    with asyncio.Runner(loop_factory=fastest_loop()) as runner:
        runner.run(_serve(settings, options, sockets, observer))


def fastest_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return the event loop written in C where it is installed (the extra `fast`), else None for Python's own."""
    try:
        import uvloop  # noqa: PLC0415 -- an extra
    except ImportError:
        return None
    made: Any = uvloop.new_event_loop
    return made  # type: ignore[no-any-return]  # uvloop is typed, where it is installed


async def _serve(settings: Settings, options: HttpOptions, sockets: Sockets, observer: Observer) -> None:
    port = sockets.main.getsockname()[1]
    async with AsyncExitStack() as opened:
        services = open_services(settings)
        opened.push_async_callback(services.storage.close)
        rates = open_rates(settings.state)
        opened.callback(rates.close)
        verifier = bearer_tokens(services, settings, options.resource(port))
        login = issuer_login(settings, approvals_url(options, port))
        below = {}
        if options.receive:
            below[BELOW] = await opened.enter_async_context(receiving(services, options.receive, options.client_of))
        around = Surroundings(services, rates, verifier, settings.ask_timeout, observer, below, login)
        assembled = await assemble(around, options, port)
        for trouble in await recover(services):
            _LOG.warning("%s", trouble)
        await opened.enter_async_context(CheckpointWorker(lambda: services).beside())
        await opened.enter_async_context(assembled.running())
        servers = _servers(services, assembled, options, sockets)
        _end_on_signal(assembled, servers, sockets.alive)
        await asyncio.gather(*(server.run_until_ended() for server in servers))


def _servers(services: Services, assembled: Assembled, options: HttpOptions, sockets: Sockets) -> list[HttpServer]:
    tls = server_context(options.tls) if options.tls else None
    servers = [HttpServer(assembled.site, sockets.main, tls)]
    if sockets.redirect is not None:
        public = options.resource(sockets.main.getsockname()[1])
        servers.append(HttpServer(Redirect(services, public), sockets.redirect))
    return servers


def _end_on_signal(assembled: Assembled, servers: list[HttpServer], alive: int | None) -> None:
    loop = asyncio.get_running_loop()

    def end() -> None:
        assembled.endpoint.end()
        for server in servers:
            server.end()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, end)
    if alive is not None:
        os.set_blocking(alive, False)
        loop.add_reader(alive, _ended, loop, alive, end)


def _ended(loop: asyncio.AbstractEventLoop, alive: int, end: Callable[[], None]) -> None:
    loop.remove_reader(alive)
    end()
