"""The values of exported entries as text: moments, JSON strings, and details that are JSON whatever was stored."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from json.encoder import encode_basestring_ascii
from typing import NoReturn, TypeVar

from chekt_mcp.domain.canonical_json import quoted
from chekt_mcp.domain.foreign_text import ALSO_INVISIBLE
from chekt_mcp.domain.log_block import LogBlock, Texts

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

K = TypeVar("K")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MINUTE = 60_000_000
_DAY = 24 * 60
_MINUTES = [f"T{minute // 60:02}:{minute % 60:02}:" for minute in range(_DAY)]
_SECONDS = [f"{second:02}." for second in range(60)]
_THOUSANDTHS = [f"{number:03}" for number in range(1000)]
_LONGEST_REMEMBERED = 512
_NO_DETAILS = "{}"
_PLAIN_TEXT = r'"[ !#-\[\]-~]*"'
_PLAIN_MEMBER = rf"{_PLAIN_TEXT}:(?:{_PLAIN_TEXT}|-?(?:0|[1-9][0-9]{{0,15}})|true|false|null)"
PLAIN_DETAILS = re.compile(rf"\{{{_PLAIN_MEMBER}(?:,{_PLAIN_MEMBER})*\}}")
"""Objects of what nearly all entries have, seen to be such in an eighth of the time that reading them takes."""


def moments(block: LogBlock) -> list[str]:
    """Return the timestamps as RFC 3339 in UTC with six digits of a second (none is rounded)."""
    days, minutes, seconds, thousandths = _Days(), _MINUTES, _SECONDS, _THOUSANDTHS
    return [
        f"{days[(minute := at // _MINUTE) // _DAY]}{minutes[minute % _DAY]}"
        f"{seconds[(within := at % _MINUTE) // 1_000_000]}"
        f"{thousandths[within // 1000 % 1000]}{thousandths[within % 1000]}Z"
        for at in block.timestamp
    ]


def moment_text(moment: datetime) -> str:
    """Return one moment in the same form."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def json_string(text: str) -> str:
    """Return a text as a JSON string; what could hide or reorder what a person reads stands in it as an escape."""
    return quoted(text) if _visible(text) else encode_basestring_ascii(text)


def details_text(stored: str | None) -> str:
    """Return details as a JSON object on one line; what is stored and is no object reads as an empty one.

    SQLite and whoever else wrote them promise nothing about line breaks or NaN.
    """
    if not isinstance(stored, str):
        return _NO_DETAILS
    if PLAIN_DETAILS.fullmatch(stored):
        return stored
    try:
        value = json.loads(stored, parse_constant=_refuse)
        if not isinstance(value, dict):
            return _NO_DETAILS
        return stored if _visible(stored) else json.dumps(value, separators=(",", ":"))
    except (ValueError, RecursionError):
        return _NO_DETAILS


class Written(dict[K, str]):
    """What repeats to how it is written. Short ones are remembered, and not too many: they come from outside."""

    def __init__(self, write: Callable[[K], str]) -> None:
        super().__init__()
        self._write = write

    def __missing__(self, key: K) -> str:
        """Write one."""
        written = self._write(key)
        if len(written) <= _LONGEST_REMEMBERED:
            if len(self) >= MOST_REMEMBERED:
                self.clear()
            self[key] = written
        return written


class WrittenNumbers(Written[int | None]):
    """Numbers that stand for texts to how these are written; `meaning` has to know those that are asked for."""

    def __init__(self, write: Callable[[str | None], str]) -> None:
        super().__init__(lambda number: write(self.meaning[number]))
        self.meaning: Texts = {}


def _visible(text: str) -> bool:
    return text.isprintable() and (text.isascii() or ALSO_INVISIBLE.search(text) is None)


class _Days(dict[int, str]):
    """Days since 1970 as text, each written once."""

    def __missing__(self, day: int) -> str:
        text = self[day] = (_EPOCH + timedelta(days=day)).date().isoformat()
        return text


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)
