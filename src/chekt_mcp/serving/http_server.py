"""uvicorn as this server runs it: on given sockets, ended from outside, with an end to TLS handshakes too."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
from typing import Any

import uvicorn

from chekt_mcp.http.asgi import App
from chekt_mcp.serving.patience import MOST_HEAD_BYTES, fastest_protocol

IDLE_SECONDS = 30
ENDING_SECONDS = 30
HANDSHAKE_SECONDS = 10
BACKLOG = 1_024


class HttpServer(uvicorn.Server):
    """Serves an application on one socket until `end` is called; then finishes what it has begun."""

    def __init__(self, app: App, listener: socket.socket, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(_config(app))
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)  # what clients do wrong would fill the log
        self._listener, self._tls = listener, tls

    def end(self) -> None:
        """Take nothing new."""
        self.should_exit = True

    async def run_until_ended(self) -> None:
        """Serve."""
        await self.serve([self._listener])

    def capture_signals(self) -> contextlib.AbstractContextManager[None]:  # type: ignore[override]  # a generator there
        """Leave signals to whoever runs several of these."""
        return contextlib.nullcontext()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen. uvicorn's own gives a handshake 60 s and every client its version."""
        loop = asyncio.get_running_loop()
        await self.lifespan.startup()
        server = await loop.create_server(
            self._protocol,
            sock=(sockets or [self._listener])[0],
            ssl=self._tls,
            ssl_handshake_timeout=HANDSHAKE_SECONDS if self._tls else None,
            backlog=BACKLOG,
        )
        self.servers = [server]
        self.started = True

    def _protocol(self) -> asyncio.Protocol:
        made: Any = self.config.http_protocol_class
        protocol: asyncio.Protocol = made(
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )
        return protocol


def _config(app: App) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=fastest_protocol(),
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,  # the edge reads them, and believes named proxies only
        server_header=False,
        timeout_keep_alive=IDLE_SECONDS,
        timeout_graceful_shutdown=ENDING_SECONDS,
        h11_max_incomplete_event_size=MOST_HEAD_BYTES,
    )
