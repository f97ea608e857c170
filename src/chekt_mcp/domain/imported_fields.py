"""Which field of ours a name stands for, and a row's values as text or as details.

The fields are the platform's (seeds/platform-security.txt, "Audit logging"), in any case and with any separator:
`Request ID` is `request_id`. Empty and null count as absent.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

from chekt_mcp.domain.imported_value import RowCode, refusal, snake_case

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

EXACT_NUMBER = 2**53
"""Whole numbers beyond this are kept as text: JSON readers that use floating point would change them."""

_LONGEST_NUMBER = 256  # bits; more is no number anybody logs
_LONGEST_NAME = 40  # characters looked at when a field's name is compared

Scalar = str | int | float | bool
Known = dict[str, str]


def missing_fields(names: Iterable[str]) -> list[str]:
    """Return the required fields that none of these names stands for."""
    there = {_field_of(name[: _LONGEST_NAME + 1]) for name in names}
    return [field for field in REQUIRED if field not in there]


def by_field(row: Mapping[str, object]) -> tuple[Known, dict[str, Scalar]]:
    """Return the fields of a row that are ours, as text, and all others as details.

    Raises:
        InvalidInput: `not_text`.
    """
    known: Known = {}
    extra: dict[str, object] = {}
    for name, value in row.items():
        if not value and (value is None or value == ""):  # "not" first: it decides at once for nearly every value
            continue
        field = FIELDS.get(name) or _field_of(name[: _LONGEST_NAME + 1])
        if field is None or field in known:
            extra[name] = value
        elif text := value.strip() if isinstance(value, str) else _number_text(value, field):
            known[field] = text
    return known, dict(_flat(extra)) if extra else {}


@lru_cache(maxsize=1_024)
def _field_of(name: str) -> str | None:
    return FIELDS.get(name) or FIELDS.get(snake_case(name[:_LONGEST_NAME]))


def _number_text(value: object, field: str) -> str:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise refusal(RowCode.NOT_TEXT, field)
    if isinstance(value, int) and value.bit_length() > _LONGEST_NUMBER:
        raise refusal(RowCode.NOT_TEXT, field)
    return str(value)


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
