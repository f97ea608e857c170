"""What every sink promises. Operations know this module and no sink.

A sink is the place where a new key goes, so that neither a model nor its chat log ever sees it. Operations prove
the sink, mint, record `name` and `target` with the sealed key, then deliver; after a crash `sinks.restore` finds
the same sink again and the same key is delivered once more. Delivering the same value twice is harmless.
"""

from __future__ import annotations

import json
from typing import Protocol

from chekt_mcp.errors import DeliveryFailed

DELIVERY_UNKNOWN = "delivery_unknown"
"""Code of a `DeliveryFailed` after which nobody can tell whether the value arrived: a lost answer, a time limit."""


class Sink(Protocol):
    """One place for one key. Neither `name`, `target` nor `reference` ever holds a secret."""

    @property
    def name(self) -> str:
        """Which kind: `file`, `command` or `vault`."""
        ...

    @property
    def target(self) -> str:
        """JSON, enough for `sinks.restore` to find the same place again; it is stored in the database."""
        ...

    @property
    def reference(self) -> str:
        """Where the key went, in words for a tool result: never a path that a model could open."""
        ...

    async def prove(self) -> None:
        """Find out whether a value could be delivered now, and leave nothing behind.

        Raises:
            DeliveryFailed: it could not; says why and what to do.
        """
        ...

    async def deliver(self, value: str) -> None:
        """Hand over `value`, whole and durable or not at all.

        Raises:
            DeliveryFailed: it did not arrive; with code `delivery_unknown`, it may have.
        """
        ...


def target_of(**fields: object) -> str:
    """Return a sink's fields as the JSON that `sinks.restore` reads; ASCII, so that any file name survives."""
    return json.dumps(fields, sort_keys=True, default=str)


def not_delivered(reference: str, reason: str, fix: str, *, code: str | None = None) -> DeliveryFailed:
    """Build the refusal of a sink: `reason` continues "The new key could not be put into <reference>:"."""
    return DeliveryFailed(f"The new key could not be put into {reference}: {reason}.", code=code, fix=fix)
