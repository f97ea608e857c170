"""What every storage engine promises of imported files. Part of `interface.Reader` and `interface.Writer`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from chekt_mcp.domain.audit import NewEntry
from chekt_mcp.storage.records import ImportFile


class ImportLookups(Protocol):
    """What can be asked of imports. See `interface.Reader`."""

    async def import_file(self, dealer: str, sha256: str, reading: str = "") -> ImportFile | None:
        """The newest import of a file with these very bytes, read this way, that is finished or under way."""
        ...

    async def imports(self, dealer: str, import_ids: Sequence[str]) -> Sequence[ImportFile]:
        """Those of these imports that there are: where entries with such an `origin` come from. In no order."""
        ...


class ImportChanges(Protocol):
    """What can be changed by an import. See `interface.Writer`."""

    async def append_imported(self, entries: Sequence[NewEntry]) -> int:
        """Append those whose (request id, timestamp, action, actor, app) the dealer's log lacks; how many were new."""
        ...

    async def add_import_file(self, file: ImportFile) -> None:
        """Record an import, begun or finished."""
        ...

    async def advance_import(self, file: ImportFile, rows_before: int) -> bool:
        """Store an import's counts, times and state; False, and nothing stored, unless it stood at `rows_before`."""
        ...
