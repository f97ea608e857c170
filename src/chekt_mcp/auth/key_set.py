"""The keys of one issuer, kept for a while: fetched when old or when a token names one that is not there.

| what | how long |
| --- | --- |
| keys are taken as they are | 10 minutes from the fetch |
| an unknown `kid` makes us look again | once a minute at most, however many there are |
| the issuer does not answer: old keys still count | an hour from the fetch; asked again every half minute |
| after that | every token is refused, saying so |

A fetch replaces all that was there. Nobody waits for a fetch while the key they need is at hand.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta

import anyio

from chekt_mcp.auth.signing_keys import SigningKey, choose, read_keys
from chekt_mcp.auth.token_problem import Fault

FRESH = timedelta(minutes=10)
KEPT = timedelta(hours=1)
LOOK_AGAIN = timedelta(minutes=1)
TRY_AGAIN = timedelta(seconds=30)

Fetch = Callable[[], Awaitable[bytes | None]]
"""Asks the issuer for its key set once, within seconds; None when there was no whole answer."""


class KeySet:
    """See the module. One for each issuer and process; its state is a cache and nothing else."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self._keys: Sequence[SigningKey] = ()
        self._fetched_at: datetime | None = None
        self._tried_at: datetime | None = None
        self._fetching = anyio.Lock()

    async def key(self, algorithm: str, key_id: str | None, now: datetime) -> SigningKey | Fault:
        """Return the key that a token names, or why there is none."""
        if not _within(self._fetched_at, FRESH, now) and not _within(self._tried_at, TRY_AGAIN, now):
            await self._look(algorithm, key_id, now)
        found = self._found(algorithm, key_id, now)
        if found is Fault.UNKNOWN_SIGNING_KEY and not _within(self._tried_at, LOOK_AGAIN, now):
            await self._look_again(now)
            found = self._found(algorithm, key_id, now)
        return found

    def _found(self, algorithm: str, key_id: str | None, now: datetime) -> SigningKey | Fault:
        if not _within(self._fetched_at, KEPT, now):
            return Fault.ISSUER_UNAVAILABLE
        return choose(self._keys, algorithm, key_id)

    async def _look(self, algorithm: str, key_id: str | None, now: datetime) -> None:
        """Fetch, unless somebody is at it already and the old key will do meanwhile."""
        if not self._fetching.locked() or not isinstance(self._found(algorithm, key_id, now), SigningKey):
            await self._look_again(now)

    async def _look_again(self, now: datetime) -> None:
        """Fetch once for all who came together. A client that goes away does not end it, or it could hold it up."""
        before = self._tried_at
        with anyio.CancelScope(shield=True):
            async with self._fetching:
                if self._tried_at is before:
                    await self._fetch_keys(now)

    async def _fetch_keys(self, now: datetime) -> None:
        document = await self._fetch()
        self._tried_at = now
        keys = None if document is None else read_keys(document)
        if keys is not None:
            self._keys, self._fetched_at = keys, now


def _within(moment: datetime | None, span: timedelta, now: datetime) -> bool:
    """Tell whether a moment is less than `span` ago; after a clock was put back nothing is."""
    return moment is not None and timedelta() <= now - moment < span
