"""`chekt-mcp serve --http`: open the state, listen, serve, and end in order."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import socket
from collections.abc import Callable
from typing import Any

from chekt_mcp.config import Settings
from chekt_mcp.http.limits import open_rates
from chekt_mcp.logs import log_to_stderr
from chekt_mcp.operations.keys.recovery import recover
from chekt_mcp.operations.services import Services
from chekt_mcp.serving.assembled import Surroundings, assemble
from chekt_mcp.serving.credentials import bearer_tokens
from chekt_mcp.serving.credentials import bearer_tokens
from chekt_mcp.serving.http_server import HttpServer
from chekt_mcp.serving.listener import listen
from chekt_mcp.serving.options import HttpOptions
from chekt_mcp.serving.tls import server_context
from chekt_mcp.wiring import open_services

_LOG = logging.getLogger(__name__)


def serve_http(settings: Settings, options: HttpOptions, say: Callable[[str], None]) -> None:
    """Serve until SIGINT or SIGTERM; then finish the calls in hand, and their entries in the log.

    Raises:
        InvalidInput: the port or the certificate cannot be used.
        StateUnusable: the state cannot be used; it was left untouched.
    """
    with listen(options.address, options.port) as listener:
        port = listener.getsockname()[1]
        log_to_stderr()
        services = open_services(settings)
        say(f"Serving MCP at {options.resource(port)}. Ctrl-C ends it.")
        gc.freeze()  # what import built lives as long as the process
        gc.enable()
        with asyncio.Runner(loop_factory=fastest_loop()) as runner:
            runner.run(_serve(services, settings, options, listener))


def fastest_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return the event loop written in C where it is installed (the extra `fast`), else None for Python's own."""
    try:
        import uvloop  # noqa: PLC0415 -- an extra
    except ImportError:
        return None
    made: Any = uvloop.new_event_loop
    return made  # type: ignore[no-any-return]  # uvloop is typed, where it is installed


async def _serve(services: Services, settings: Settings, options: HttpOptions, listener: socket.socket) -> None:
    rates, port = open_rates(settings.state), listener.getsockname()[1]
    verifier = bearer_tokens(services, settings, options.resource(port))
    assembled = await assemble(Surroundings(services, rates, verifier, settings.ask_timeout), options, port)
    tls = server_context(options.tls) if options.tls else None
    server = HttpServer(assembled.site, listener, tls)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, server.end)
    try:
        for trouble in await recover(services):
            _LOG.warning("%s", trouble)
        async with assembled.running():
            await server.run_until_ended()
    finally:
        rates.close()
        await services.storage.close()
