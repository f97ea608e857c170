"""How a log of somebody else's making is read: which of its names stand for our fields, and what its words mean.

A mapping is a JSON object with any of these members:

    {"fields": {"timestamp": "time", "request_id": "http.reqId"},
     "constants": {"app": "night-watch", "kind": "api_call"},
     "results": {"SUCCESS": "ok", "THROTTLED": "denied"},
     "kinds": {"hook": "webhook_delivery"}}

`fields`: our field, and the name it has there; a name with dots that no row has as it stands looks into objects.
`constants`: fields that are the same in every row, whatever the row says. `results` and `kinds`: words of theirs for
words of ours, in any case. Names that the mapping does not mention are understood as they are without one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import tzinfo

from chekt_mcp.domain.audit import Kind, Result

Row = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class ImportMapping:
    """A mapping that was checked (`import_mapping_text.read_mapping`). Their words are in lower case."""

    fields: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, str] = field(default_factory=dict)
    results: Mapping[str, Result] = field(default_factory=dict)
    kinds: Mapping[str, Kind] = field(default_factory=dict)

    def applied(self, row: Row) -> Row:
        """Return the row under our names. What was mapped comes first, because the first name of a field wins.

        A name of theirs that is one of ours for something else is kept as `their_…`.
        """
        mapped = {**self.constants, **{ours: _value(row, theirs) for ours, theirs in self.fields.items()}}
        used = set(self.fields.values())
        rest = {f"their_{name}" if name in mapped else name: value for name, value in row.items() if name not in used}
        return {**mapped, **rest}

    def names(self, columns: Iterable[str]) -> list[str]:
        """Return the names that a table's columns have under the mapping."""
        used = set(self.fields.values())
        return [*self.constants, *self.fields, *(name for name in columns if name not in used)]

    def absent(self, columns: Iterable[str]) -> list[str]:
        """Return the names of theirs that a table should have and does not."""
        there = set(columns)
        return [name for name in self.fields.values() if name not in there]


NO_MAPPING = ImportMapping()


@dataclass(frozen=True, slots=True)
class Reading:
    """How a file is read. `zone` is that of times which name none; without it such times are refused.

    `zone_name` is how the zone was given.
    """

    mapping: ImportMapping = NO_MAPPING
    zone: tzinfo | None = None
    zone_name: str = ""

    @property
    def digest(self) -> str:
        """What tells this reading from others of the same file; "" for the plain one."""
        if self.mapping == NO_MAPPING and self.zone is None:
            return ""
        parts = (self.mapping.fields, self.mapping.constants, self.mapping.results, self.mapping.kinds)
        written = json.dumps([*(dict(part) for part in parts), self.zone_name], sort_keys=True)
        return hashlib.sha256(written.encode()).hexdigest()


def _value(row: Row, name: str) -> object:
    if name in row or "." not in name:
        return row.get(name)
    value: object = row
    for part in name.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value
