"""What every storage engine promises of the age of a log's entries. Part of `interface.Reader`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from chekt_mcp.storage.records import AgedEntries


class RetentionLookups(Protocol):
    """What can be asked about age. See `interface.Reader`."""

    async def aged_entries(self, dealer: str, before: datetime) -> Sequence[AgedEntries]:
        """What a prune of everything before a moment removes, by app: apps by name, entries of no app first."""
        ...

    async def pruned_before(self, dealer: str) -> datetime | None:
        """Before which moment entries were removed by age; None when none ever were."""
        ...
