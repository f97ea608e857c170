"""Moments and windows as people write them: RFC 3339, or `15m`, `24h`, `90d` before now."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from chekt_mcp.errors import InvalidInput

RELATIVE = re.compile(r"([0-9]{1,6})([mhd])")
UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
RFC_3339 = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ](?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,9})?"
    r"([Zz]|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])"
)
"""RFC 3339, section 5.6, with a space allowed for the `T`, and without leap seconds (there is none in sight)."""


@dataclass(frozen=True, slots=True)
class Window:
    """A span of time; `since` is inside, `until` is not."""

    since: datetime
    until: datetime


def rfc3339(moment: datetime) -> str:
    """Write a moment as RFC 3339 in UTC, with milliseconds where it has any; what is finer is left out."""
    text = moment.astimezone(UTC).isoformat(timespec="milliseconds" if moment.microsecond >= 1000 else "seconds")  # noqa: PLR2004 -- microseconds in one
    return text.replace("+00:00", "Z")


def parse_moment(text: str, now: datetime, *, field: str) -> datetime:
    """Read RFC 3339 with an offset, or a span before `now`. A time without an offset is refused, not guessed.

    Raises:
        InvalidInput: code `bad_time`.
    """
    relative = RELATIVE.fullmatch(text)
    try:
        if relative:
            return now - int(relative.group(1)) * UNITS[relative.group(2)]
        if RFC_3339.fullmatch(text):
            return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (OverflowError, ValueError):
        pass
    if RFC_3339.fullmatch(text + "Z"):
        raise InvalidInput(
            "That time does not say in which time zone it is.",
            field=field,
            code="bad_time",
            fix="Add the offset from UTC: 2026-05-26T09:00:00Z, or 2026-05-26T11:00:00+02:00 for the same moment.",
        )
    raise InvalidInput(
        "That is not a time.",
        field=field,
        code="bad_time",
        fix="Write RFC 3339 with an offset (2026-05-26T09:00:00Z) or a span before now (15m, 24h, 90d).",
    )


def parse_window(since: str, until: str | None, now: datetime) -> Window:
    """Read both ends; `until` defaults to just after `now`, so that what happened this instant is inside.

    Raises:
        InvalidInput: code `bad_time`, or `empty_window` when `since` is not before `until`.
    """
    start = parse_moment(since, now, field="since")
    end = parse_moment(until, now, field="until") if until is not None else now + timedelta(milliseconds=1)
    if start >= end:
        raise InvalidInput("`since` must be before `until`.", field="since", code="empty_window")
    return Window(start, end)
