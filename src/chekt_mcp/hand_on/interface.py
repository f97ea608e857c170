"""What every target of a hand-on promises. The worker knows this module and no target."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

LONGEST_SECONDS = 45
"""The most a target may take, so that it has ended before its lease of 60 s does and another attempt begins."""


class Trouble(StrEnum):
    """Why a target did not take an event."""

    NOT_STARTED = "not_started"
    ENDED_BADLY = "ended_badly"
    TIMED_OUT = "timed_out"
    UNREACHABLE = "unreachable"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class NotTaken:
    """The target did not take the event. `detail` is ours (an exit code, a status): nothing the target wrote."""

    trouble: Trouble
    detail: str = ""


@dataclass(frozen=True, slots=True)
class HandedEvent:
    """One event on its way. `queue_id` is the same at every attempt; so is `event_id`, of the signed body.

    `headers` are those the delivery came with; `attempt` counts ours, from 1.
    """

    queue_id: str
    app: str
    event_id: str | None
    attempt: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


class Target(Protocol):
    """A program or a URL."""

    async def hand_on(self, event: HandedEvent) -> NotTaken | None:
        """Hand the event on; None once the target has taken it. Ends within `LONGEST_SECONDS`, and does not raise.

        The same event can come again, for a crash may hide that it was taken.
        """
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...
