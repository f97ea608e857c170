"""The task beside a server that signs checkpoints as the log grows, and hands them to the anchors.

Any number of processes on one state do this: whoever finds a checkpoint due makes it, the first of a size stays, and
the same log signed twice gives the same note. Nothing here holds up an answer: a look is one quick read, and what
takes long (the key-encryption key, anchors) happens beside the event loop or awaits.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import anyio

from chekt_mcp.errors import ChektError, Conflict
from chekt_mcp.operations.audit.anchor_checkpoints import anchor_checkpoint
from chekt_mcp.operations.audit.make_checkpoint import make_checkpoint, record_refusal
from chekt_mcp.operations.services import Services
from chekt_mcp.storage.interface import Reader
from chekt_mcp.storage.records import StoredCheckpoint

LOOK_SECONDS = 5.0
"""How often to look whether a checkpoint is due."""

FINISH_SECONDS = 5.0
"""What the last checkpoints may take."""

ANCHOR_AGAIN = timedelta(minutes=1)
"""How long an anchor that failed is left alone."""

_LOG = logging.getLogger(__name__)


class CheckpointWorker:
    """Runs beside a server; once it is stopped, `finish` signs what came last."""

    def __init__(
        self, open_services: Callable[[], Services], sleep: Callable[[float], Awaitable[None]] = anyio.sleep
    ) -> None:
        self._open_services, self._sleep = open_services, sleep
        self._said = set[str]()
        self._anchor_again = dict[str, datetime]()

    async def run(self) -> None:
        """Look every few seconds, until cancelled."""
        while True:
            await self.look()
            await self._sleep(LOOK_SECONDS)

    @asynccontextmanager
    async def beside(self) -> AsyncIterator[None]:
        """Run as long as the block, and sign what came last at its end."""
        running = asyncio.create_task(self.run())  # no task group: it would wrap what the block raises
        try:
            yield
        finally:
            running.cancel()
            await asyncio.wait([running])
            with anyio.move_on_after(FINISH_SECONDS):
                await self.finish()

    async def look(self) -> None:
        """Make the checkpoints that are due, and hand out those that an anchor lacks."""
        await self._each_dealer(self._due)

    async def finish(self) -> None:
        """Sign what was logged since the last checkpoints. Anchors get it when a server runs again."""
        await self._each_dealer(self._sign)

    async def _each_dealer(self, work: Callable[[Services, str], Awaitable[object]]) -> None:
        """Do it for every dealer. What goes wrong is said once: an answer to a caller does not depend on it."""
        async with self._saying_what_goes_wrong():
            try:
                services = self._open_services()
            except ChektError:
                return  # every call says so, and better
            for dealer in await services.storage.read(lambda reader: reader.dealers()):
                async with self._saying_what_goes_wrong():
                    await work(services, dealer.name)

    @asynccontextmanager
    async def _saying_what_goes_wrong(self) -> AsyncIterator[None]:
        try:
            yield
        except ChektError as error:
            self._say(str(error))
        except Exception as error:  # noqa: BLE001 -- a mistake of ours must not end the server; it is looked at again
            self._say(f"unexpected while signing the log: {type(error).__name__}")

    async def _due(self, services: Services, dealer: str) -> None:
        last = await services.storage.read(lambda reader: _unless_due(reader, services, dealer))
        checkpoint = last or await self._sign(services, dealer)
        if checkpoint is not None:
            await self._anchor(services, dealer, checkpoint)

    async def _sign(self, services: Services, dealer: str) -> StoredCheckpoint | None:
        try:
            return await make_checkpoint(services, dealer)
        except Conflict as refusal:
            if self._say(f"{dealer}: {refusal}"):
                await record_refusal(services, dealer, refusal)
            return None

    async def _anchor(self, services: Services, dealer: str, checkpoint: StoredCheckpoint) -> None:
        now = services.clock()
        if not services.anchors() or now < self._anchor_again.get(dealer, now):
            return
        self._anchor_again[dealer] = now + ANCHOR_AGAIN
        for trouble in await anchor_checkpoint(services, dealer, checkpoint):
            self._say(f"{dealer}: not anchored: {trouble}")

    def _say(self, text: str) -> bool:
        """Log a trouble once; tell whether it is new."""
        if text in self._said:
            return False
        self._said.add(text)
        _LOG.warning("%s", text)
        return True


async def _unless_due(reader: Reader, services: Services, dealer: str) -> StoredCheckpoint | None:
    """Return the last checkpoint while it will do; None when another one is due."""
    limits, last = services.limits, await reader.checkpoint(dealer)
    if last is None:
        return None
    grown = (await reader.tree_head(dealer)).size - last.size
    age = services.clock() - last.created_at
    due = grown >= limits.checkpoint_entries or age >= timedelta(seconds=limits.checkpoint_seconds)
    return None if grown < 0 or (grown and due) else last
