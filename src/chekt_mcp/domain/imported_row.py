"""Rows of an imported log, as field names and values, to entries or to the reasons why they are none.

Which names stand for our fields is said in `imported_fields` and, for a log of another make, in `import_mapping`.
timestamp, action, result and request_id must be there; an actor that is not named is `unknown`; `user_agent` and
every field we do not know become details. What is shaped like a credential is replaced before anything is stored, in
names, too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import NamedTuple

from chekt_mcp.domain.audit import NewEntry
from chekt_mcp.domain.exposure import contain_credentials, contains_credential
from chekt_mcp.domain.import_mapping import NO_MAPPING, ImportMapping
from chekt_mcp.domain.imported_fields import LIMITS, Known, Scalar, by_field
from chekt_mcp.domain.imported_value import (
    RowCode,
    Times,
    read_kind,
    read_result,
    read_source,
    read_time,
    refusal,
    stored_text,
    without_credential,
)
from chekt_mcp.errors import InvalidInput

DETAILS_LIMIT = 24
"""Details kept of a row, `user_agent` first; `fields_dropped` counts the rest."""

DETAIL_NAME_LIMIT = 64
DETAIL_LIMIT = 512
"""Characters kept of a detail. Lists and objects are kept as JSON text."""

SHORT = 128
TEXTS_REMEMBERED = 4_096
"""Apps, actors, actions, scopes and keys repeat: short ones are judged once."""

ANY_TIME = Times()


@dataclass(frozen=True, slots=True)
class Import:
    """What all entries of one import share."""

    dealer: str
    import_id: str
    times: Times = ANY_TIME
    mapping: ImportMapping = NO_MAPPING


@dataclass(frozen=True, slots=True)
class ImportedRow:
    """An entry, and how many of its values held something shaped like a credential."""

    entry: NewEntry
    redacted: int


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why a row is no entry: a stable code and our name of the field (`details` for one we do not know)."""

    code: RowCode
    field: str


class _Parts(NamedTuple):
    known: Known
    extra: dict[str, Scalar]

    @property
    def texts(self) -> list[str]:
        """Everything in it that is text, names included."""
        values = (value for value in self.extra.values() if isinstance(value, str))
        return [*self.known.values(), *self.extra, *values]


def read_rows(rows: Sequence[Mapping[str, object]], target: Import) -> list[ImportedRow | Rejection]:
    """Read rows, some hundreds at best: they are looked through for credentials together. Never raises."""
    parts = [_parts(row, target.mapping) for row in rows]
    texts = ["\n".join(one.texts) if isinstance(one, _Parts) else "" for one in parts]
    return [_row(one, target, exposed) for one, exposed in zip(parts, contain_credentials(texts), strict=True)]


def _parts(row: Mapping[str, object], mapping: ImportMapping) -> _Parts | Rejection:
    try:
        return _Parts(*by_field(row if mapping is NO_MAPPING else mapping.applied(row)))
    except InvalidInput as why:
        return Rejection(RowCode(why.code), why.field)


def _row(parts: _Parts | Rejection, target: Import, exposed: bool) -> ImportedRow | Rejection:  # noqa: FBT001 -- as it comes from zip
    if isinstance(parts, Rejection):
        return parts
    try:
        if exposed:
            return ImportedRow(_entry(*_without_credentials(parts), target), sum(map(contains_credential, parts.texts)))
        return ImportedRow(_entry(*parts, target), 0)
    except InvalidInput as why:
        return Rejection(RowCode(why.code), why.field)


def _entry(known: Known, extra: Mapping[str, Scalar], target: Import) -> NewEntry:
    timestamp = read_time(_needed(known, "timestamp"), target.times)
    outcome = read_result(_needed(known, "result"), target.mapping.results)
    return NewEntry(
        dealer=target.dealer,
        timestamp=timestamp,
        actor=_text(known, "actor") or "unknown",
        kind=read_kind(known.get("kind"), target.mapping.kinds),
        action=_text(known, "action") or _needed(known, "action"),
        result=outcome,
        request_id=_needed_text(known, "request_id"),
        app=_text(known, "app"),
        scope=_text(known, "scope"),
        source="import",
        source_ip=read_source(known.get("source_ip")),
        key_id=_text(known, "key_id"),
        origin=target.import_id,
        details=_details(known, extra, outcome),
    )


def _without_credentials(parts: _Parts) -> _Parts:
    known = {field: without_credential(text) for field, text in parts.known.items()}
    extra = {
        without_credential(name): without_credential(value) if isinstance(value, str) else value
        for name, value in parts.extra.items()
    }
    return _Parts(known, extra)


def _needed(known: Known, field: str) -> str:
    if field not in known:
        raise refusal(RowCode.MISSING_FIELD, field)
    return known[field]


def _needed_text(known: Known, field: str) -> str:
    return stored_text(_needed(known, field), LIMITS[field], field)


def _text(known: Known, field: str) -> str | None:
    value = known.get(field)
    if not value:
        return None
    return _short_text(value, field) if len(value) <= SHORT else stored_text(value, LIMITS[field], field)


@lru_cache(TEXTS_REMEMBERED)
def _short_text(value: str, field: str) -> str:
    return stored_text(value, LIMITS[field], field)


def _details(known: Known, extra: Mapping[str, Scalar], outcome: str) -> dict[str, object]:
    details: dict[str, object] = {}
    if known["result"].lower() != outcome:
        details["result_given"] = stored_text(known["result"], DETAIL_LIMIT, "result")
    if "user_agent" in known:
        details["user_agent"] = stored_text(known["user_agent"], DETAIL_LIMIT, "user_agent")
    room = DETAILS_LIMIT - len(details)
    for name, value in islice(extra.items(), room):
        kept = stored_text(value, DETAIL_LIMIT, "details") if isinstance(value, str) else value
        details.setdefault(stored_text(name, DETAIL_NAME_LIMIT, "details"), kept)
    if len(extra) > room:
        details["fields_dropped"] = len(extra) - room
    return details
