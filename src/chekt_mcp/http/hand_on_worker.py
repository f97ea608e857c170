"""The task beside the receiver that hands accepted events on, as long as the server runs."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress

from chekt_mcp.errors import ChektError
from chekt_mcp.hand_on.interface import Target
from chekt_mcp.operations.services import Services
from chekt_mcp.operations.webhook.deliver_due import Delivered, deliver_due

POLL_SECONDS = 1.0
"""How often to look when nothing new comes in: retries fall due, and another process may have left events."""
AT_ONCE = 4
"""A target that takes long for one event should not hold up the others."""
_LOG = logging.getLogger(__name__)


class HandOnWorker:
    """Runs `deliver_due` when woken and every second, four at once; any number of processes share the work."""

    def __init__(self, services: Services, dealer: str, app: str, target: Target) -> None:
        self._services, self._dealer, self._app, self._target = services, dealer, app, target
        self._woken = asyncio.Event()
        self._stopping = False

    def wake(self) -> None:
        """Say that an event was queued."""
        self._woken.set()

    def stop(self) -> None:
        """Take nothing more; what is in hand is finished."""
        self._stopping = True
        self._woken.set()

    async def run(self) -> None:
        """Work until stopped."""
        async with asyncio.TaskGroup() as group:
            for _ in range(AT_ONCE):
                group.create_task(self._work())

    async def _work(self) -> None:
        while not self._stopping:
            self._woken.clear()
            if not (await self._round()).any:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._woken.wait(), POLL_SECONDS)

    async def _round(self) -> Delivered:
        try:
            done = await deliver_due(self._services, self._dealer, self._app, self._target, at_most=1)
        except ChektError as error:
            _LOG.error("%s", error)
            return Delivered()
        except Exception as error:  # noqa: BLE001 -- a mistake of ours must not end the work; the event comes again
            _LOG.error("unexpected while handing on: %s", type(error).__name__)
            return Delivered()
        if done.postponed or done.given_up:
            _LOG.warning("not handed on: %d to be tried again, %d given up", done.postponed, done.given_up)
        return done
