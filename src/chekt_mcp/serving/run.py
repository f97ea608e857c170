"""`chekt-mcp serve --http`: what is checked and opened before anything is served, and by how many processes."""

from __future__ import annotations

import asyncio
import os
import resource
from collections.abc import Callable
from contextlib import ExitStack

from chekt_mcp.config import Settings
from chekt_mcp.http.limits import open_rates
from chekt_mcp.http.metrics import Metrics
from chekt_mcp.logs import log_json_to_stderr
from chekt_mcp.serving.credentials import bearer_tokens
from chekt_mcp.serving.listener import listen
from chekt_mcp.serving.observed import LABELS, Observer
from chekt_mcp.serving.options import HttpOptions
from chekt_mcp.serving.process import Sockets, serve_process
from chekt_mcp.serving.tls import server_context
from chekt_mcp.serving.workers import Workers
from chekt_mcp.wiring import open_services

MOST_FILES = 65_536


def serve_http(settings: Settings, options: HttpOptions, say: Callable[[str], None]) -> int:
    """Serve until SIGINT or SIGTERM, and return the exit code.

    Raises:
        InvalidInput: a port, the certificate or a setting cannot be used.
        StateUnusable: the state cannot be used; it was left untouched.
    """
    with ExitStack() as opened:
        main = opened.enter_context(listen(options.address, options.port))
        redirect = None
        if options.redirect_port is not None:
            redirect = opened.enter_context(listen(options.address, options.redirect_port))
        url = options.resource(main.getsockname()[1])
        _try_out(settings, options, url)
        _allow_many_connections()
        log_json_to_stderr()
        say(f"Serving MCP at {url}. Ctrl-C ends it.")
        observer = Observer(Metrics(LABELS, options.workers) if options.metrics else None)
        if options.workers == 1:
            serve_process(settings, options, Sockets(main, redirect), observer)
            return 0
        return _several(settings, options, Sockets(main, redirect), observer)


def _try_out(settings: Settings, options: HttpOptions, url: str) -> None:
    """Open once what every worker will open, so that what is wrong is said here and not by each of them."""
    if options.tls:
        server_context(options.tls)
    services = open_services(settings)
    bearer_tokens(services, settings, url)
    open_rates(settings.state).close()
    asyncio.run(services.storage.close())


def _several(settings: Settings, options: HttpOptions, sockets: Sockets, observer: Observer) -> int:
    alive, held = os.pipe()  # nobody writes: when this process is gone, its children read the end

    def work(number: int) -> None:
        os.close(held)
        if observer.metrics:
            observer.metrics.be(number)
        serve_process(settings, options, Sockets(sockets.main, sockets.redirect, alive), observer)

    try:
        return Workers(options.workers, work).run()
    finally:
        os.close(alive)
        os.close(held)


def _allow_many_connections() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_FILES)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
