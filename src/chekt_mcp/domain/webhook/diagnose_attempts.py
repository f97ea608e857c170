"""Diagnosis: which signatures to compute, in order: other signed texts, other secrets, other bodies."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, NamedTuple

from chekt_mcp.domain.webhook.cause import Cause
from chekt_mcp.domain.webhook.defects import WELL_FORMED_BUT_WRONG
from chekt_mcp.domain.webhook.delivery import DELIVERY_ID_HEADER, EVENT_ID_HEADER
from chekt_mcp.domain.webhook.diagnose_body import body_variants
from chekt_mcp.domain.webhook.diagnose_headers import claims
from chekt_mcp.domain.webhook.diagnose_secret import configured_keys, other_keys

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from chekt_mcp.domain.webhook.diagnose_headers import Claim, Values
    from chekt_mcp.domain.webhook.diagnose_secret import Key
    from chekt_mcp.domain.webhook.signature import OtherSecret, SigningSecret

_MAX_ID = 256


class Layout(NamedTuple):
    """What is signed besides the body, before it and after it; no causes for the published way."""

    causes: tuple[Cause, ...]
    before: bytes
    after: bytes = b""


class Attempt(NamedTuple):
    """One signature to compute, and what it would mean if it fits."""

    claim: Claim
    layout: Layout
    key: Key
    body: bytes
    body_causes: tuple[Cause, ...] = ()
    note: str = ""

    def fits(self) -> bool:
        """Whether the claimed signature (or its first half at least) is the one computed."""
        digest = hmac.digest(self.key.value, self.layout.before + self.body + self.layout.after, "sha256").hex()
        return hmac.compare_digest(digest[: len(self.claim.signature)], self.claim.signature)

    @property
    def causes(self) -> list[Cause]:
        """What is wrong, first things first: an unreadable header, then what was signed, its notation last."""
        notation = [cause for cause in self.claim.causes if cause in WELL_FORMED_BUT_WRONG]
        blocking = [cause for cause in self.claim.causes if cause not in WELL_FORMED_BUT_WRONG]
        return [*blocking, *self.layout.causes, *self.key.causes, *self.body_causes, *notation]


def attempts(
    values: Values, body: bytes, secrets: Sequence[SigningSecret], others: Sequence[OtherSecret]
) -> Iterator[Attempt]:
    """Yield what to compute for these headers (see `headers_by_name`) and this body, the likeliest first."""
    readings, configured = list(claims(values)), configured_keys(secrets)
    for claim in readings:
        for key in configured:
            yield from (Attempt(claim, layout, key, body) for layout in _layouts(claim, values))
    for key in other_keys(secrets, others):
        yield from (Attempt(claim, layout, key, body) for claim in readings for layout in _usual_layouts(claim))
    for cause, other, note in body_variants(body) if readings and configured else ():
        for claim in readings:
            for layout in _usual_layouts(claim):
                yield from (Attempt(claim, layout, key, other, (cause,), note) for key in configured)


def _usual_layouts(claim: Claim) -> list[Layout]:
    alone = () if Cause.OLDER_SIGNATURE_HEADER in claim.causes else (Cause.TIMESTAMP_NOT_SIGNED,)
    published = [] if claim.body_alone else [Layout((), claim.timestamp + b".")]
    return [*published, Layout(alone, b"")]


def _layouts(claim: Claim, values: Values) -> Iterator[Layout]:
    yield from _usual_layouts(claim)
    if claim.body_alone:
        return
    yield Layout((Cause.SEPARATOR_NOT_SIGNED,), claim.timestamp)
    yield from (Layout((Cause.SIGNED_TEXT_REORDERED,), b"", dot + claim.timestamp) for dot in (b".", b""))
    yield Layout((Cause.MILLISECONDS_SIGNED,), claim.timestamp + b"000.")
    for identifier in _ids(values):
        yield Layout((Cause.EVENT_ID_SIGNED,), identifier + b"." + claim.timestamp + b".")


def _ids(values: Values) -> Iterator[bytes]:
    for name in (EVENT_ID_HEADER, DELIVERY_ID_HEADER):
        for value in values.get(name.lower(), [])[:1]:
            if isinstance(value, str) and len(value) <= _MAX_ID and value.isascii():
                yield value.encode("ascii")
