"""What a single process remembers of the deliveries it has dealt with; for several processes use a database."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from chekt_mcp.domain.webhook import EVENT_ID_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from chekt_mcp.domain.webhook import Verification


class RecentDeliveries:
    """The deliveries of the last 48 hours, by what the signature covers. Only genuine ones take up room (0.3 KiB).

    48 hours outlast the platform's retries (24 h) and any time in which a digest must be remembered. A restart
    forgets: a replay within the window, or a late retry, would then count as new.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._until: dict[bytes | str, float] = {}

    def seen(self, verification: Verification) -> bool:
        """Whether this delivery, or the event in it under another timestamp, has been remembered."""
        self._forget()
        return any(key in self._until for key in delivery_keys(verification))

    def remember(self, verification: Verification) -> None:
        """Remember a delivery that has been dealt with."""
        for key in delivery_keys(verification):
            self._until.pop(key, None)  # to the end: the order is the order of forgetting
            self._until[key] = self._clock() + EVENT_ID_SECONDS

    def _forget(self) -> None:
        now = self._clock()
        while self._until and next(iter(self._until.values())) < now:
            del self._until[next(iter(self._until))]


def delivery_keys(verification: Verification) -> list[bytes | str]:
    """Return what tells this delivery from others: the digest of timestamp and body, and the event's id if any."""
    return [key for key in (verification.body_digest, verification.event_id) if key is not None]
