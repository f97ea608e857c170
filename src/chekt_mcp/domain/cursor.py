"""Cursors: where a page ended, bound to the query it came from and sealed against invention."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from chekt_mcp.domain.audit import Position
from chekt_mcp.domain.timespan import Window
from chekt_mcp.errors import InvalidInput

FORMAT = "c2"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Cursor:
    """The frozen window of a search and the position its next page starts after."""

    window: Window
    position: Position


def microseconds(moment: datetime) -> int:
    """Return whole microseconds since 1970, exactly (no floating point)."""
    return (moment - EPOCH) // timedelta(microseconds=1)


def seal(cursor: Cursor, query: Mapping[str, object], secret: bytes) -> str:
    """Return the cursor as text: payload and HMAC-SHA256 over it and the query it belongs to."""
    window, position = cursor.window, cursor.position
    numbers = [microseconds(window.since), microseconds(window.until), position.microseconds, position.seq]
    payload = base64.urlsafe_b64encode(json.dumps(numbers, separators=(",", ":")).encode()).decode().rstrip("=")
    return f"{FORMAT}.{payload}.{_tag(payload, query, secret)}"


def unseal(text: str, query: Mapping[str, object], secret: bytes) -> Cursor:
    """Reverse `seal` for the same query.

    Raises:
        InvalidInput: code `bad_cursor`, for a cursor of another query, an old format, or an invented one.
    """
    parts = text.split(".")
    if len(parts) == 3 and parts[0] == FORMAT and _genuine(parts[1], parts[2], query, secret):  # noqa: PLR2004 -- format, payload, tag
        try:
            since, until, at, seq = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
            window = Window(EPOCH + timedelta(microseconds=since), EPOCH + timedelta(microseconds=until))
            return Cursor(window, Position(at, seq))
        except (ValueError, TypeError):
            pass
    raise InvalidInput(
        "That cursor does not belong to this query.",
        field="cursor",
        code="bad_cursor",
        fix="Repeat the query exactly as it was when it gave the cursor, or leave the cursor out to start over.",
    )


def _genuine(payload: str, tag: str, query: Mapping[str, object], secret: bytes) -> bool:
    return hmac.compare_digest(tag.encode("utf-8", "surrogatepass"), _tag(payload, query, secret).encode())


def _tag(payload: str, query: Mapping[str, object], secret: bytes) -> str:
    question = json.dumps(query, sort_keys=True, default=str)
    sealed = f"{FORMAT}.{payload}.{question}".encode("utf-8", "surrogatepass")
    digest = hmac.new(secret, sealed, hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest[:16]).decode().rstrip("=")
