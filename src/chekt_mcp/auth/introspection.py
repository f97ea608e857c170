"""Tokens that only their issuer can read: it is asked about each (RFC 7662), and its answer kept for a short while.

| what | limit |
| --- | --- |
| an answer is kept | 30 s, and never beyond the token's own end |
| answers kept | 1,000; the oldest goes first |
| questions to the issuer | 600 a minute, or it is not asked and the token refused |

The answer's claims are held to the rules of signed tokens: resource, times, subject. Only a hash of a token is kept.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from chekt_mcp.auth.strict_json import read_object
from chekt_mcp.auth.token_claims import Checked, Expected, check_claims
from chekt_mcp.auth.token_problem import Fault
from chekt_mcp.domain.token_bucket import Rate, full, take

KEPT = timedelta(seconds=30)
MOST_KEPT = 1_000
ASKED = Rate(600, timedelta(minutes=1))

Ask = Callable[[str], Awaitable[bytes | None]]
"""Asks the issuer about one token, with this server's own credentials; None when there was no whole answer."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the issuer said of a token, and until when that is gone by."""

    said: tuple[Mapping[str, object], Checked] | Fault
    until: datetime


class Introspection:
    """See the module. One for each process; its state is a cache and nothing else."""

    def __init__(self, ask: Ask, now: datetime) -> None:
        self._ask = ask
        self._answers: dict[bytes, Answer] = {}
        self._bucket = full(ASKED, now)

    async def claims(
        self, token: str, expected: Expected, now: datetime
    ) -> tuple[Mapping[str, object], Checked] | Fault:
        """Return a token's claims and what was checked of them, or why it is refused."""
        mark = hashlib.sha256(token.encode()).digest()
        known = self._answers.get(mark)
        if known is not None and now < known.until and now > known.until - KEPT - KEPT:
            return known.said
        left = take(self._bucket, ASKED, now)
        if isinstance(left, timedelta):
            return Fault.ISSUER_BUSY
        self._bucket = left
        raw = await self._ask(token)
        answer = None if raw is None else read_object(raw)
        return Fault.ISSUER_UNAVAILABLE if answer is None else self._kept(mark, answer, expected, now)

    def _kept(
        self, mark: bytes, answer: Mapping[str, object], expected: Expected, now: datetime
    ) -> tuple[Mapping[str, object], Checked] | Fault:
        said = _read(answer, expected, now)
        until = now + KEPT if isinstance(said, Fault) else min(now + KEPT, said[1].expires_at)
        while len(self._answers) >= MOST_KEPT:
            del self._answers[next(iter(self._answers))]
        self._answers[mark] = Answer(said, until)
        return said


def _read(
    answer: Mapping[str, object], expected: Expected, now: datetime
) -> tuple[Mapping[str, object], Checked] | Fault:
    if answer.get("active") is not True:
        return Fault.NOT_ACTIVE
    claims = {"iss": expected.issuer, **answer}
    checked = check_claims(claims, expected, now)
    return checked if isinstance(checked, Fault) else (claims, checked)
