"""Refusals of callers nobody knows, in the audit log: one counted entry per source and minute."""

from __future__ import annotations

from chekt_mcp.domain.audit import NewEntry
from chekt_mcp.domain.flood import MOST_SOURCES, RefusalMinute
from chekt_mcp.operations.services import Services


class RefusalCounter:
    """Logs refusals by the rule of `domain.flood`. Its owner calls `flush` now and then, and `close` at the end."""

    def __init__(self, services: Services, most_sources: int = MOST_SOURCES) -> None:
        self._services = services
        self._minute = RefusalMinute(most_sources)

    async def refused(self, entry: NewEntry) -> bool:
        """Write the entry, and return True once it is durable; or count it, and return False.

        Raises:
            StateUnusable: the log cannot be written; what was counted before is counted no more.
        """
        due = self._minute.refused(entry)
        await self._write(due)
        return bool(due) and due[-1].request_id == entry.request_id

    async def flush(self) -> None:
        """Write the counts of a minute that is over. Raises as `refused`."""
        await self._write(self._minute.over(self._services.clock()))

    async def close(self) -> None:
        """Write what is counted, whether its minute is over or not. Raises as `refused`."""
        await self._write(self._minute.rest())

    async def _write(self, entries: list[NewEntry]) -> None:
        if entries:
            await self._services.storage.write(lambda writer: writer.append(entries))
