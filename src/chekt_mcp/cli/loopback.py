"""Serving an ASGI application on this machine alone, until a signal ends it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
from typing import TYPE_CHECKING

from chekt_mcp.domain.allow_list.address import read_address
from chekt_mcp.errors import InvalidInput
from chekt_mcp.http.request_limits import MOST_HEADER_BYTES

if TYPE_CHECKING:
    from chekt_mcp.http.hand_on_worker import HandOnWorker
    from chekt_mcp.http.webhook_receiver import WebhookReceiver

LARGEST_PORT = 65_535
CONNECTIONS = 256
IDLE_SECONDS = 10
ENDING_SECONDS = 30
LOOPBACK_IPV4 = 127
REQUEST_LINE_BYTES = 2_048


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket.

    Raises:
        InvalidInput: code `not_loopback`: without TLS nothing may come from another machine; `port_unavailable`.
    """
    address = read_address("127.0.0.1" if host == "localhost" else host)
    four = address is not None and address.version == 4  # noqa: PLR2004 -- the version of the protocol
    if address is None or (address.number >> 24 != LOOPBACK_IPV4 if four else address.number != 1):
        raise InvalidInput(
            "The receiver serves this machine only.",
            field="host",
            code="not_loopback",
            fix="Leave --host away, and let a TLS proxy or tunnel on this machine pass deliveries on.",
        )
    if not 0 <= port <= LARGEST_PORT:
        raise InvalidInput(f"A port is a number from 0 to {LARGEST_PORT}.", field="port", code="out_of_range")
    family = socket.AF_INET if four else socket.AF_INET6
    try:
        return socket.create_server((address.text, port), family=family)
    except OSError as error:
        raise InvalidInput(
            f"The port cannot be used: {os.strerror(error.errno or 0)}.",
            field="port",
            code="port_unavailable",
            fix="Choose another with --port.",
        ) from error


async def serve(receiver: WebhookReceiver, listener: socket.socket, worker: HandOnWorker) -> None:
    """Serve until SIGINT or SIGTERM; then finish the requests and the event in hand, and take no more."""
    import uvicorn  # noqa: PLC0415 -- start-up is measured, and one command serves

    from chekt_mcp.cli.impatient_http import ImpatientProtocol  # noqa: PLC0415 -- as above

    config = uvicorn.Config(
        receiver,
        http=ImpatientProtocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,  # a header does not say where a request comes from
        server_header=False,
        limit_concurrency=CONNECTIONS,
        timeout_keep_alive=IDLE_SECONDS,
        timeout_graceful_shutdown=ENDING_SECONDS,
        h11_max_incomplete_event_size=MOST_HEADER_BYTES + REQUEST_LINE_BYTES,
    )
    server = uvicorn.Server(config)
    server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign,assignment]  # its own would not let us finish

    def end() -> None:
        server.should_exit = True

    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, end)
    handing_on = asyncio.create_task(worker.run())
    await server.serve(sockets=[listener])
    worker.stop()
    await handing_on
