"""One row of an imported log, as field names and values, to an entry or to the reason why it is none.

The fields are the platform's (seeds/platform-security.txt, "Audit logging"), in any case and with any separator:
`Request ID` is `request_id`. timestamp, action, result and request_id must be there; an actor that is not named is
`unknown`; `user_agent` and every field we do not know become details. Empty and null count as absent. What is
shaped like a credential is replaced before anything is stored, in names, too.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice

from chekt_mcp.domain.audit import NewEntry
from chekt_mcp.domain.exposure import contains_credential
from chekt_mcp.domain.imported_value import (
    RowCode,
    read_kind,
    read_result,
    read_source,
    read_time,
    refusal,
    snake_case,
    stored_text,
    without_credential,
)
from chekt_mcp.errors import InvalidInput

FIELDS = {
    **{name: name for name in ("timestamp", "app", "actor", "kind", "action", "scope", "result", "request_id")},
    **{name: name for name in ("source_ip", "key_id", "user_agent")},
    "app_name": "app",
    "actor_identifier": "actor",
    "scope_used": "scope",
}
"""Names a field may have. The first name of a row that holds a value wins; a second one becomes a detail."""

REQUIRED = ("timestamp", "action", "result", "request_id")
"""Fields without which a row is no entry."""

LIMITS = {"app": 128, "actor": 256, "action": 512, "scope": 128, "request_id": 128, "key_id": 64}
"""Characters kept of a text; longer ones are cut (`imported_value.stored_text`)."""

DETAILS_LIMIT = 24
"""Details kept of a row, `user_agent` first; `fields_dropped` counts the rest."""

DETAIL_NAME_LIMIT = 64
DETAIL_LIMIT = 512
"""Characters kept of a detail. Lists and objects are kept as JSON text."""

EXACT_NUMBER = 2**53
"""Whole numbers beyond this are kept as text: JSON readers that use floating point would change them."""

LAST_MOMENT = datetime.max.replace(tzinfo=UTC)
_LONGEST_NUMBER = 256  # bits; more is no number anybody logs
_LONGEST_NAME = 40  # characters looked at when a field's name is compared

Scalar = str | int | float | bool


@dataclass(frozen=True, slots=True)
class Import:
    """What all entries of one import share. `shift` is added to every timestamp; none may then be after `latest`."""

    dealer: str
    import_id: str
    shift: timedelta = timedelta(0)
    latest: datetime = LAST_MOMENT


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


def read_row(row: Mapping[str, object], target: Import) -> ImportedRow | Rejection:
    """Read one row. Never raises, whatever is in it."""
    try:
        known, extra = _by_field(row)
        known, details, cleared = _without_credentials(known, dict(_flat(extra)))
        return ImportedRow(_entry(known, details, target), cleared)
    except InvalidInput as why:
        return Rejection(RowCode(why.code), why.field)


def missing_fields(names: Iterable[str]) -> list[str]:
    """Return the required fields that none of these names stands for."""
    there = {_field_of(name) for name in names}
    return [field for field in REQUIRED if field not in there]


def _field_of(name: str) -> str | None:
    return FIELDS.get(name) or FIELDS.get(snake_case(name[:_LONGEST_NAME]))


def _entry(known: Mapping[str, str], extra: Mapping[str, Scalar], target: Import) -> NewEntry:
    timestamp = read_time(_needed(known, "timestamp"), target.shift, target.latest)
    outcome = read_result(_needed(known, "result"))
    return NewEntry(
        dealer=target.dealer,
        timestamp=timestamp,
        actor=_text(known, "actor") or "unknown",
        kind=read_kind(known.get("kind")),
        action=_needed_text(known, "action"),
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


def _by_field(row: Mapping[str, object]) -> tuple[dict[str, str], dict[str, object]]:
    known: dict[str, str] = {}
    extra: dict[str, object] = {}
    for name, value in row.items():
        if value is None or value == "":
            continue
        field = _field_of(name)
        if field is None or field in known:
            extra[name] = value
        elif text := _as_text(value, field):
            known[field] = text
    return known, extra


def _as_text(value: object, field: str) -> str:
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _number_text(value, field)
    raise refusal(RowCode.NOT_TEXT, field)


def _number_text(value: float, field: str) -> str:
    if isinstance(value, int) and value.bit_length() > _LONGEST_NUMBER:
        raise refusal(RowCode.NOT_TEXT, field)
    return str(value)


def _without_credentials(
    known: dict[str, str], extra: dict[str, Scalar]
) -> tuple[dict[str, str], dict[str, Scalar], int]:
    texts = [*known.values(), *extra, *(value for value in extra.values() if isinstance(value, str))]
    if not contains_credential("\n".join(texts)):  # one look at the whole row: nearly all are clean
        return known, extra, 0
    clear_known = {field: without_credential(text) for field, text in known.items()}
    clear_extra = {
        without_credential(name): without_credential(value) if isinstance(value, str) else value
        for name, value in extra.items()
    }
    return clear_known, clear_extra, sum(map(contains_credential, texts))


def _needed(known: Mapping[str, str], field: str) -> str:
    if field not in known:
        raise refusal(RowCode.MISSING_FIELD, field)
    return known[field]


def _needed_text(known: Mapping[str, str], field: str) -> str:
    return stored_text(_needed(known, field), LIMITS[field], field)


def _text(known: Mapping[str, str], field: str) -> str | None:
    value = known.get(field)
    return stored_text(value, LIMITS[field], field) if value else None


def _details(known: Mapping[str, str], extra: Mapping[str, Scalar], outcome: str) -> dict[str, object]:
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


def _flat(extra: Mapping[str, object]) -> Iterator[tuple[str, Scalar]]:
    """Yield details as scalars. A field `details` that holds an object is opened, as in a log of our own."""
    for name, value in extra.items():
        if name == "details" and isinstance(value, Mapping):
            yield from ((str(inner), _scalar(held)) for inner, held in value.items() if held not in (None, ""))
        else:
            yield name, _scalar(value)


def _scalar(value: object) -> Scalar:
    if isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        return value if abs(value) <= EXACT_NUMBER else _number_text(value, "details")
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    except (RecursionError, TypeError, ValueError):
        raise refusal(RowCode.NOT_TEXT, "details") from None
