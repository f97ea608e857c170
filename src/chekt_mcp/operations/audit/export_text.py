"""The values of exported entries as text: moments, JSON strings, and details that are JSON whatever was stored."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from json.encoder import encode_basestring_ascii
from typing import NoReturn

from chekt_mcp.domain.canonical_json import quoted
from chekt_mcp.domain.foreign_text import ALSO_INVISIBLE
from chekt_mcp.domain.log_block import LogBlock

FIELDS = (
    "seq",
    "timestamp",
    "app",
    "actor",
    "kind",
    "action",
    "scope",
    "result",
    "request_id",
    "source",
    "source_ip",
    "key_id",
    "origin",
    "details",
)
"""Every field of an entry, in the order in which it is exported."""

MOST_REMEMBERED = 20_000
"""Texts whose written form is kept; they come from outside, so there is no end to them."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MINUTES = [f":{second // 60:02}:{second % 60:02}." for second in range(3600)]
_LONGEST_REMEMBERED = 512
_NO_DETAILS = "{}"


def moments(block: LogBlock, before: str = "", after: str = "") -> list[str]:
    """Return the timestamps as RFC 3339 in UTC with six digits of a second (none is rounded), between two texts."""
    hours, minutes = _Hours(), _MINUTES
    return [
        f"{before}{hours[at // 3_600_000_000]}{minutes[at // 1_000_000 % 3600]}{at % 1_000_000:06}Z{after}"
        for at in block.timestamp
    ]


def moment_text(moment: datetime) -> str:
    """Return one moment in the same form."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def json_string(text: str) -> str:
    """Return a text as a JSON string; what could hide or reorder what a person reads stands in it as an escape."""
    return quoted(text) if _visible(text) else encode_basestring_ascii(text)


def details(block: LogBlock) -> list[str]:
    """Return the details as JSON objects on one line each; what is stored and is no object reads as an empty one."""
    return list(map(_known_details.__getitem__, block.details))


def _visible(text: str) -> bool:
    return text.isprintable() and (text.isascii() or ALSO_INVISIBLE.search(text) is None)


class _Hours(dict[int, str]):
    """Hours since 1970 as text, each written once."""

    def __missing__(self, hour: int) -> str:
        text = self[hour] = (_EPOCH + timedelta(hours=hour)).isoformat(timespec="hours")[:13]
        return text


class _Details(dict[str | None, str]):
    """Stored details to what is exported of them; short ones are remembered, for a program repeats itself."""

    def __missing__(self, text: str | None) -> str:
        if not text:
            return _NO_DETAILS
        if len(text) > _LONGEST_REMEMBERED:
            return _read_details(text)
        if len(self) >= MOST_REMEMBERED:
            self.clear()
        read = self[text] = _read_details(text)
        return read


def _read_details(text: str) -> str:
    """Check stored details; SQLite and whoever else wrote them promise nothing about line breaks or NaN."""
    try:
        value = json.loads(text, parse_constant=_refuse)
        if not isinstance(value, dict):
            return _NO_DETAILS
        return text if _visible(text) else json.dumps(value, separators=(",", ":"))
    except (ValueError, RecursionError):
        return _NO_DETAILS


_known_details = _Details()


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)
