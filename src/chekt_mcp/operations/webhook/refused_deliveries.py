"""Refused deliveries in the audit log: one entry each while they are few, counted entries when they flood."""

from __future__ import annotations

from datetime import timedelta

from chekt_mcp.domain.token_bucket import Bucket, Rate, full, take
from chekt_mcp.domain.webhook import Verification
from chekt_mcp.operations.services import Services
from chekt_mcp.operations.webhook.receive_delivery import Arrival, refused_entry

OWN_ENTRIES = Rate(60, timedelta(minutes=1))
"""Anybody can send nonsense; the log must not grow as fast as they can send it."""


class RefusedDeliveries:
    """Logs refusals. One beyond the rate is counted, and the count is in the next entry that is written."""

    def __init__(self, services: Services, rate: Rate = OWN_ENTRIES) -> None:
        self._services = services
        self._rate = rate
        self._bucket: Bucket | None = None
        self._uncounted = 0

    async def log(self, arrival: Arrival, verification: Verification, *, known: bool) -> None:
        """Write the entry, or count it; returns once that is durable.

        Raises:
            StateUnusable: the log cannot be written.
        """
        left = take(self._bucket or full(self._rate, arrival.at), self._rate, arrival.at)
        if isinstance(left, timedelta):
            self._uncounted += 1
            return
        self._bucket, uncounted, self._uncounted = left, self._uncounted, 0
        entry = refused_entry(arrival, verification, known=known, uncounted=uncounted)
        await self._services.storage.write(lambda writer: writer.append([entry]))
