"""A document that others publish: what came of asking for it, and the copy that is kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from chekt_mcp.domain.wording import counted

LARGEST: Final = 16 * 1024 * 1024
"""Most bytes of a document that are read; the largest known one has less than a third of it."""


class FetchCode(StrEnum):
    """Why a document was not had; programs may rely on these."""

    UNREACHABLE = "unreachable"
    UNTRUSTED_CERTIFICATE = "untrusted_certificate"
    TOO_SLOW = "too_slow"
    TOO_LARGE = "too_large"
    BROKEN_OFF = "broken_off"
    REDIRECTED = "redirected"
    BAD_STATUS = "bad_status"
    ENCODED = "encoded"
    NO_LENGTH = "no_length"


@dataclass(frozen=True, slots=True)
class Fetched:
    """The document, whole, and its entity tag (RFC 9110 section 8.8.3), where it has one."""

    content: bytes = field(repr=False)
    etag: str | None = None


@dataclass(frozen=True, slots=True)
class Unchanged:
    """The copy with the entity tag that was named is still the document."""


@dataclass(frozen=True, slots=True)
class NotFetched:
    """Why there is no document.

    Attributes:
        code: which kind of trouble.
        message: what happened, in a sentence.
        fix: what to do, or "".
        detail: what the server said, escaped and cut, or "".
    """

    code: FetchCode
    message: str
    fix: str = ""
    detail: str = ""


Answer = Fetched | Unchanged | NotFetched


@dataclass(frozen=True, slots=True)
class KeptCopy:
    """A document that was fetched before; `at` is when the server last said that this is it."""

    content: bytes = field(repr=False)
    etag: str | None
    at: datetime


def age(at: datetime, now: datetime) -> str:
    """Say how old something of `at` is, in whole days, hours or minutes."""
    past = now - at
    if past < timedelta(0):
        return "dated in the future (a clock is wrong)"
    for unit, span in (("day", timedelta(days=1)), ("hour", timedelta(hours=1)), ("minute", timedelta(minutes=1))):
        if count := past // span:
            return f"{counted(count, unit, f'{unit}s')} old"
    return "less than a minute old"
