"""Single values of somebody else's log: a time, a result, an address, a text, read strictly or refused.

Every refusal is an `InvalidInput` whose code is a `RowCode`; it names the field and never holds the value.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from enum import StrEnum
from functools import lru_cache
from typing import Any

from chekt_mcp.domain.allow_list.address import read_address
from chekt_mcp.domain.audit import Kind, Result
from chekt_mcp.domain.cursor import EPOCH
from chekt_mcp.domain.exposure import MARK, contains_credential, redacted
from chekt_mcp.domain.timespan import RFC_3339
from chekt_mcp.errors import InvalidInput

NAIVE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}([Tt ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.,][0-9]+)?)?)?")
UNIX = re.compile(r"([0-9]{1,15})(?:\.([0-9]{1,9}))?")
MILLISECONDS_FROM = 100_000_000_000
"""A unix time below this is in seconds (until the year 5138), from here on in milliseconds (since 1973)."""

RESULTS = {
    **dict.fromkeys(("ok", "success", "successful", "succeeded", "allowed"), Result.OK),
    **dict.fromkeys(("denied", "forbidden", "unauthorized", "unauthorised", "refused", "blocked"), Result.DENIED),
    **dict.fromkeys(("error", "fail", "failed", "failure", "timeout"), Result.ERROR),
    **dict.fromkeys(map(str, range(200, 400)), Result.OK),
    **dict.fromkeys(map(str, range(400, 600)), Result.ERROR),
    **dict.fromkeys(("401", "403"), Result.DENIED),
}
"""What counts as done, refused and failed, in any case: words, and HTTP statuses (2xx and 3xx, 401 and 403, rest)."""

NO_WORDS: Mapping[str, Any] = {}
KINDS = {kind.value: kind for kind in Kind}
LAST_MOMENT = datetime.max.replace(tzinfo=UTC)
DIGEST_LENGTH = 12
ADDRESSES_REMEMBERED = 4_096
DATE_ONLY = len("2026-06-30")
WORD_BREAK = re.compile(r"[^a-z0-9]+")


class RowCode(StrEnum):
    """Why a row that could be read as a row is no entry."""

    MISSING_FIELD = "missing_field"
    NAIVE_TIME = "naive_time"
    BAD_TIME = "bad_time"
    AMBIGUOUS_TIME = "ambiguous_time"
    FUTURE_TIME = "future_time"
    PAST_RETENTION = "past_retention"
    BAD_RESULT = "bad_result"
    BAD_KIND = "bad_kind"
    BAD_ADDRESS = "bad_address"
    NOT_TEXT = "not_text"
    NUL_CHARACTER = "nul_character"


def refusal(code: RowCode, field: str) -> InvalidInput:
    """Return the refusal of a row for one of its fields."""
    return InvalidInput("This row cannot be taken into the log.", field=field, code=code)


def snake_case(name: str) -> str:
    """Write a name as fields are named: `Request ID` is `request_id`."""
    return WORD_BREAK.sub("_", name.lower()).strip("_")


@dataclass(frozen=True, slots=True)
class Times:
    """Which times are taken. `shift` is added to each; the sum must be from `oldest` to `latest`.

    `zone` is that of times that name none; without it they are refused.
    """

    shift: timedelta = timedelta(0)
    latest: datetime = LAST_MOMENT
    oldest: datetime = EPOCH
    zone: tzinfo | None = None


def read_time(text: str, times: Times) -> datetime:
    """Read RFC 3339 with an offset, or a unix time in seconds or milliseconds.

    Raises:
        InvalidInput: `naive_time` when there is no offset and no zone to read it in; `ambiguous_time` when a clock was
            set back or forward then, so that the zone has two such times or none; `bad_time` for anything else, for a
            time before 1970 and for one after 9999; `future_time` and `past_retention` for one out of bounds.
    """
    try:
        moment = _moment(text, times.zone) + times.shift
    except (OverflowError, ValueError):
        raise refusal(RowCode.BAD_TIME, "timestamp") from None
    if times.oldest <= moment <= times.latest:
        return moment
    if moment < EPOCH:
        raise refusal(RowCode.BAD_TIME, "timestamp")
    raise refusal(RowCode.FUTURE_TIME if moment > times.latest else RowCode.PAST_RETENTION, "timestamp")


def read_result(text: str, words: Mapping[str, Result] = NO_WORDS) -> Result:
    """Read a word or HTTP status, in any case: one of `words`, or else of `RESULTS`.

    Raises:
        InvalidInput: `bad_result`.
    """
    found = (words and words.get(text.lower())) or RESULTS.get(text) or RESULTS.get(text.lower())
    if found is None:
        raise refusal(RowCode.BAD_RESULT, "result")
    return found


def read_kind(text: str | None, words: Mapping[str, Kind] = NO_WORDS) -> Kind:
    """Read a kind: one of `words`, or ours, also as words (`API call`). A log that names none is one of API calls.

    Raises:
        InvalidInput: `bad_kind`.
    """
    if text is None:
        return Kind.API_CALL
    found = (words and words.get(text.lower())) or KINDS.get(text) or KINDS.get(snake_case(text))
    if found is None:
        raise refusal(RowCode.BAD_KIND, "kind")
    return found


def read_source(text: str | None) -> str | None:
    """Return a source address as it is written here: RFC 5952, IPv4-mapped IPv6 as IPv4.

    Raises:
        InvalidInput: `bad_address`, also for one with a port.
    """
    return None if text is None else _address(text)


def stored_text(text: str, limit: int, field: str) -> str:
    r"""Return text that every engine can hold: no NUL, lone surrogates as `\ud800`, at most `limit` characters.

    Too long a text is cut, not refused, since whoever wrote it could otherwise keep their row out of the log.
    The cut ends in `…` and a digest of the whole, so that two long texts stay two.

    Raises:
        InvalidInput: `nul_character`.
    """
    if "\0" in text:
        raise refusal(RowCode.NUL_CHARACTER, field)
    if len(text) <= limit and text.isascii():
        return text
    if not text.isascii():
        text = text.encode("utf-8", "backslashreplace").decode()
    if len(text) <= limit:
        return text
    digest = hashlib.sha256(text.encode()).hexdigest()[:DIGEST_LENGTH]
    return f"{text[: limit - DIGEST_LENGTH - 1]}…{digest}"


def without_credential(text: str) -> str:
    """Return text without what is shaped like a credential; one that is hidden by an encoding takes all with it."""
    cleared = redacted(text)
    return MARK if contains_credential(cleared) else cleared


@lru_cache(ADDRESSES_REMEMBERED)
def _address(text: str) -> str:
    found = read_address(text)
    if found is None:
        raise refusal(RowCode.BAD_ADDRESS, "source_ip")
    return found.text


def _moment(text: str, zone: tzinfo | None) -> datetime:
    if RFC_3339.fullmatch(text):
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    number = UNIX.fullmatch(text)
    if number:
        return EPOCH + timedelta(microseconds=_microseconds(number[1], number[2] or ""))
    if not NAIVE.fullmatch(text):
        raise refusal(RowCode.BAD_TIME, "timestamp")
    if zone is None or len(text) == DATE_ONLY:
        raise refusal(RowCode.NAIVE_TIME if zone is None else RowCode.BAD_TIME, "timestamp")
    return _in_zone(datetime.fromisoformat(text.replace(",", ".").upper()), zone)


def _in_zone(naive: datetime, zone: tzinfo) -> datetime:
    """Read a clock's time; the hour that a change of the clock gives twice or not at all cannot be told."""
    first, second = (naive.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if first != second:
        raise refusal(RowCode.AMBIGUOUS_TIME, "timestamp")
    return first


def _microseconds(whole: str, fraction: str) -> int:
    places = 3 if int(whole) >= MILLISECONDS_FROM else 6
    return int(whole + fraction[:places].ljust(places, "0"))
