"""How values of the domain are kept in columns, and read back."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from chekt_mcp.domain.canonical_json import details_from

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
LARGE_NUMBER = re.compile(r"[0-9]{16}")
DECODER = json.JSONDecoder()
NOT_KEPT = '{"not_kept":"these details cannot be written as JSON"}'


def microseconds(moment: datetime) -> int:
    """Return whole microseconds since 1970, exactly. A moment without a time zone is a TypeError, never a guess."""
    return (moment - EPOCH) // MICROSECOND


def moment(value: int) -> datetime:
    """Reverse `microseconds`."""
    return EPOCH + MICROSECOND * value  # a quarter of the time that a new timedelta takes


def optional_microseconds(value: datetime | None) -> int | None:
    """`microseconds` of what may be absent."""
    return None if value is None else microseconds(value)


def optional_moment(value: int | None) -> datetime | None:
    """`moment` of what may be absent."""
    return None if value is None else moment(value)


def storable(text: str) -> str:
    r"""Return `text` as a column can keep and search it: lone surrogates and NUL become `\udc80` and `\x00`."""
    if text.isascii() and "\0" not in text:
        return text
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")


def json_text(value: object) -> str:
    """Write compact JSON whatever it is given.

    A lone surrogate becomes its JSON escape, a key that is no text is skipped, and a value that JSON does not
    know is written as text: the log entry that carries it must not be lost.
    """
    try:
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), skipkeys=True, default=str)
    except (ValueError, RecursionError):  # circular, or deeper than can be walked
        return NOT_KEPT
    return text.encode("utf-8", "backslashreplace").decode()


def logged_details(text: object) -> Mapping[str, object]:
    """`json_object` of an entry's details, whose numbers are doubles: what was hashed is what is read."""
    if isinstance(text, str) and LARGE_NUMBER.search(text):
        try:
            return details_from(text)
        except (ValueError, RecursionError):
            return {}
    return json_object(text)


def json_object(text: object) -> Mapping[str, object]:
    """Read a JSON object; anything else reads as an empty one, so that one odd row hides no other."""
    if not isinstance(text, str | bytes):
        return {}
    try:
        value = _read(text) if isinstance(text, str) else json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _read(text: str) -> object:
    """Do as `json.loads`, which takes twice as long for an entry's details: it looks for spaces around them."""
    try:
        value, end = DECODER.raw_decode(text)
    except ValueError:
        return json.loads(text)
    return value if end == len(text) else json.loads(text)
