"""The answer to "is this delivery really from CHeKT, fresh and new": a value that is true only when it is."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property, partial
from typing import TYPE_CHECKING, NamedTuple, cast

from chekt_mcp.domain.webhook.cause import Cause
from chekt_mcp.domain.webhook.event import Event, parse_event

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from chekt_mcp.domain.webhook.signature import Label


class Verdict(StrEnum):
    """Precedence: malformed, invalid, stale or future, replayed, valid. No secret, no verdict on the delivery."""

    VALID = "valid"
    INVALID = "invalid"
    STALE = "stale"
    FUTURE = "future"
    REPLAYED = "replayed"
    MALFORMED = "malformed"
    NO_SIGNING_SECRET = "no_signing_secret"  # noqa: S105  the name of a verdict


@dataclass(frozen=True, slots=True)
class Seen:
    """How often this very delivery (timestamp and body) has been seen, this time included, and when first."""

    times: int
    first_at: datetime | None


class _Fields(NamedTuple):
    """A named tuple, not a dataclass: a frozen dataclass takes three times as long to make, on every delivery."""

    verdict: Verdict
    explanation: str
    timestamp: int | None = None
    body: bytes = b""
    signed_with: Label | None = None
    fresh_when_received: bool | None = None
    cause: Cause | None = None
    fix: str | None = None
    duplicate: bool = False
    seen: Seen | None = None


class Verification(_Fields):
    """A verdict with its reasons. It is true (`if verification:`) only when the verdict is `valid`.

    Attributes:
        verdict: see `Verdict`. `verify` never says `replayed`; that takes a memory, see `with_replay`.
        explanation: a sentence for a person; nothing in it comes from the delivery.
        timestamp: the header as unix seconds; None when it is missing or malformed. Claimed, unless authentic.
        body: what was checked. Not shown by repr.
        signed_with: the label of the secret that fits, or None.
        fresh_when_received: the same at `received_at`; None when that was not given or it is not authentic.
        cause: a code (see `Cause`), or None when there is nothing to explain.
        fix: what to do, or None.
        duplicate: the delivery or its event was seen before; set by `with_replay`.
        seen: how often; None until looked up.
    """

    def __bool__(self) -> bool:
        """Only a valid delivery counts as true, so `if verify(...)` cannot let another one through."""
        return self.verdict is Verdict.VALID

    def __repr__(self) -> str:
        """Without the body, which belongs in no log."""
        return f"Verification(verdict={self.verdict.value!r}, cause={self.cause!r}, signed_with={self.signed_with!r})"

    @property
    def authentic(self) -> bool:
        """Whether a live secret of this app made the signature; says nothing about when."""
        return self.signed_with is not None

    @property
    def fresh(self) -> bool:
        """Whether it is authentic and its timestamp within the window by the clock given."""
        return self.verdict in (Verdict.VALID, Verdict.REPLAYED)

    @cached_property
    def event(self) -> Event | None:
        """The event's id, type and time, parsed at first use; None unless authentic: nobody vouches for others."""
        return parse_event(self.body) if self.authentic else None

    @property
    def event_id(self) -> str | None:
        """The id inside the signed body, by which a retry that was signed afresh is recognised."""
        return self.event.id if self.event else None

    @cached_property
    def body_digest(self) -> bytes | None:
        """SHA-256 of `{timestamp}.{body}`, just what the signature covers; None unless authentic."""
        if not self.authentic:
            return None
        digest = hashlib.sha256(b"%d." % (self.timestamp or 0))
        digest.update(self.body)
        return digest.digest()


assembled = cast("Callable[[tuple[object, ...]], Verification]", partial(tuple.__new__, Verification))
"""Make one from all its fields in order: half the time of the call with names, for the genuine delivery's path."""
