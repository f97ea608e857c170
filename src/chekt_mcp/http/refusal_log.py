"""Refusals of the edge in the audit log: an entry each while they are few, counted entries when they flood.

Whoever calls with no good credential shares one allowance, so that an unknown key costs what an ended one does and the
log grows no faster than its operator can read. Each app that is known has an allowance of its own.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from datetime import timedelta

from chekt_mcp.domain.audit import NewEntry
from chekt_mcp.domain.token_bucket import Rate
from chekt_mcp.errors import ChektError
from chekt_mcp.http.rates import Rates
from chekt_mcp.operations.services import Services

OWN_ENTRIES = Rate(60, timedelta(minutes=1))
FLUSH_SECONDS = 60.0
MOST_COUNTS = 1_024
"""Kinds of refusals counted apart; what is beyond is left to the metrics."""
_LOG = logging.getLogger(__name__)


class RefusalLog:
    """Logs refusals. Those beyond the allowance are counted, and written once a minute and at the end."""

    def __init__(self, services: Services, rate: Rate = OWN_ENTRIES) -> None:
        self._services = services
        self._allowances = Rates(rate)
        self._counted: dict[tuple[str, str | None, object], tuple[NewEntry, int]] = {}

    async def log(self, entry: NewEntry, *, authenticated: bool) -> bool:
        """Write the entry, and return True once it is durable; or count it, and return False.

        A log that cannot be written does not change what is answered: nothing was let in.
        """
        allowance = f"{entry.dealer}/{entry.actor}" if authenticated else ""
        if self._allowances.spend(allowance, entry.timestamp) is None:
            await self._write([entry])
            return True
        kind = (entry.dealer, entry.app, entry.details.get("outcome"))
        _, times = self._counted.get(kind, (entry, 0))
        if times or len(self._counted) < MOST_COUNTS:
            self._counted[kind] = (entry, times + 1)
        return False

    async def flush(self) -> None:
        """Write what was counted: the newest refusal of each kind, and how many there were."""
        counted, self._counted = self._counted, {}
        if counted:
            await self._write(
                [replace(entry, details={**entry.details, "times": times}) for entry, times in counted.values()]
            )

    async def keep_flushing(self) -> None:
        """Flush once a minute until cancelled."""
        while True:
            await asyncio.sleep(FLUSH_SECONDS)
            await self.flush()

    async def _write(self, entries: list[NewEntry]) -> None:
        try:
            await self._services.storage.write(lambda writer: writer.append(entries))
        except ChektError as error:
            _LOG.warning("%d refusals could not be logged: %s", len(entries), error.code)
