"""Which files the imported entries of an answer came from."""

from __future__ import annotations

from collections.abc import Sequence

from typing_extensions import TypedDict

from chekt_mcp.domain.audit import Entry
from chekt_mcp.domain.foreign_text import escaped
from chekt_mcp.domain.timespan import rfc3339
from chekt_mcp.storage.interface import Reader


class ImportedFrom(TypedDict):
    """An import: entries with its id as their `origin` came from this file, which this person brought."""

    import_id: str
    file: str
    sha256: str
    imported_by: str
    imported_at: str


async def imported_from(reader: Reader, dealer: str, entries: Sequence[Entry]) -> list[ImportedFrom]:
    """Return the imports that these entries came with, by id."""
    origins = sorted({entry.origin for entry in entries if entry.origin is not None})
    found = await reader.imports(dealer, origins) if origins else []
    return [
        {
            "import_id": one.import_id,
            "file": escaped(one.file_name, 120),
            "sha256": one.sha256,
            "imported_by": escaped(one.imported_by, 120),
            "imported_at": rfc3339(one.imported_at),
        }
        for one in sorted(found, key=lambda one: one.import_id)
    ]


def imported_words(imports: Sequence[ImportedFrom]) -> list[str]:
    """Say it in a line each."""
    return [
        f"{one['import_id']}: the file {one['file']} (SHA-256 {one['sha256'][:12]}…), imported by {one['imported_by']}"
        f" at {one['imported_at']}."
        for one in imports
    ]
