"""Refusals of the edge in the audit log; floods as counts, by the rule that all refusals of strangers follow."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable

from chekt_mcp.domain.audit import NewEntry
from chekt_mcp.errors import ChektError
from chekt_mcp.operations.audit.count_refusals import RefusalCounter
from chekt_mcp.operations.services import Services

FLUSH_SECONDS = 20.0
_LOG = logging.getLogger(__name__)


class RefusalLog:
    """Logs refusals. A log that cannot be written changes no answer: nobody was let in."""

    def __init__(self, services: Services) -> None:
        self._counter = RefusalCounter(services)

    async def log(self, entry: NewEntry) -> bool:
        """Write the entry, and return True once it is durable; or count it, and return False."""
        return bool(await self._tried(self._counter.refused(entry)))

    async def keep_flushing(self) -> None:
        """Write what was counted, as its minutes end, until cancelled."""
        while True:
            await asyncio.sleep(FLUSH_SECONDS)
            await self._tried(self._counter.flush())

    async def close(self) -> None:
        """Write what is counted still."""
        await self._tried(self._counter.close())

    async def _tried(self, writing: Awaitable[bool | None]) -> bool | None:
        try:
            return await writing
        except ChektError as error:
            _LOG.warning("Refusals could not be logged: %s", error.code)
            return None
