"""`chekt-mcp serve` over stdio: one caller, whose key comes from a file or the environment."""

from __future__ import annotations

import gc
import logging
import signal
from typing import TYPE_CHECKING

import anyio

from chekt_mcp.auth.caller import by_key
from chekt_mcp.auth.credential import KeySource
from chekt_mcp.config import Settings
from chekt_mcp.errors import ChektError, InvalidInput, Unavailable
from chekt_mcp.logs import log_to_stderr
from chekt_mcp.operations.keys.recovery import recover
from chekt_mcp.operations.services import Services
from chekt_mcp.secrets.file import read_key_file
from chekt_mcp.server import build_server
from chekt_mcp.tools.gateway import Gateway, OpenServices
from chekt_mcp.wiring import open_services

if TYPE_CHECKING:
    from chekt_mcp.operations.audit.checkpoint_worker import CheckpointWorker

FIRST_LOOK_SECONDS = 5.0
"""When the log is looked at first: until then a client that only starts and asks should have us to itself."""
LAST_CHECKPOINT_SECONDS = 1.0
"""What the last checkpoints may take: clients kill a server that does not end soon."""


class OpenOnce:
    """Opens the services at the first use, and tries again after a failure."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._services: Services | None = None

    def __call__(self) -> Services:
        """Return the services; see `wiring.open_services` for what it raises."""
        if self._services is None:
            self._services = open_services(self._settings, one_caller=True)
        return self._services


def serve_stdio(settings: Settings) -> None:
    """Serve until the client goes away. Nothing but protocol reaches stdout; logs go to stderr."""
    keys = KeySource(file=settings.api_key_file, value=settings.api_key, read_file=read_key_file)
    _serve(Gateway(OpenOnce(settings), by_key(keys), "stdio", settings.ask_timeout))


def serve_problem(error: InvalidInput) -> None:
    """Serve `whoami` alone, which says what is wrong: a client shows nobody why a server ended before it answered."""

    def unsettled() -> Services:
        raise Unavailable(error.message, code=error.code, fix=error.fix)

    no_key = KeySource(file=None, value=None, read_file=read_key_file)
    _serve(Gateway(unsettled, by_key(no_key), "stdio"))


def _serve(gateway: Gateway) -> None:
    log_to_stderr()
    server = build_server(gateway)

    async def run() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(_recover, gateway.open_services)
            group.start_soon(_sign_checkpoints, gateway.open_services)
            group.start_soon(_end_when_interrupted, gateway.open_services)
            await server.run_stdio_async()
            group.cancel_scope.cancel()
        await _sign_the_last(gateway.open_services)

    gc.freeze()  # what import built lives as long as the process: no collection needs to look at it again
    gc.enable()
    anyio.run(run)


async def _sign_checkpoints(opened: OpenServices) -> None:
    await anyio.sleep(FIRST_LOOK_SECONDS)
    await _checkpoint_worker(opened).run()


async def _end_when_interrupted(opened: OpenServices) -> None:
    """End at the first Ctrl-C: the thread that waits for a line of standard input would hold up an orderly end."""
    with anyio.open_signal_receiver(signal.SIGINT) as interrupts:
        async for interrupt in interrupts:
            await _sign_the_last(opened)
            signal.signal(interrupt, signal.SIG_DFL)
            signal.raise_signal(interrupt)


async def _sign_the_last(opened: OpenServices) -> None:
    with anyio.move_on_after(LAST_CHECKPOINT_SECONDS):
        await _checkpoint_worker(opened).finish()


def _checkpoint_worker(opened: OpenServices) -> CheckpointWorker:
    from chekt_mcp.operations.audit.checkpoint_worker import CheckpointWorker  # noqa: PLC0415 -- start-up is measured

    return CheckpointWorker(opened)


async def _recover(opened: OpenServices) -> None:
    try:
        trouble = await recover(opened())
    except ChektError as error:
        trouble = [str(error)]
    for sentence in trouble:
        logging.getLogger(__name__).warning("%s", sentence)
