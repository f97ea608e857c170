"""What the log's summaries tell of a window and its baseline: the rows that the rules judge."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from chekt_mcp.domain.analysis.thresholds import Thresholds
from chekt_mcp.domain.audit import Kind, Result
from chekt_mcp.domain.timespan import Window


class Activity(NamedTuple):
    """Entries of one app in one hour that are alike in all of these, whatever they did and wherever they came from."""

    app: str | None
    hour: datetime
    kind: Kind
    actor: str
    scope: str | None
    result: Result
    key_id: str | None
    calls: int


class SourceUse(NamedTuple):
    """Entries of one app, kind and actor from one place: an address, else a named source, else neither."""

    app: str | None
    kind: Kind
    actor: str
    source_ip: str | None
    source: str | None
    calls: int
    refused: int
    served: int
    first_refused_hour: datetime | None
    last_served_hour: datetime | None


class HourCount(NamedTuple):
    """One hour of one app and kind; `peak` and `peak_failed` are its busiest minutes, refusals count as failed."""

    app: str | None
    kind: Kind
    hour: datetime
    calls: int
    refused: int
    failed: int
    peak: int
    peak_failed: int


class MinuteCount(NamedTuple):
    """One minute of one app and kind."""

    minute: datetime
    calls: int
    failed: int


class Newcomer(NamedTuple):
    """An address that an actor first came from within a span; `nearby`: it had come from the same network before.

    One from which the same actor had worked on another app of the dealer is none.

    The same network is the same /24, or the same /48 of IPv6: what one site or one pool of workers gets.
    """

    app: str | None
    actor: str
    source_ip: str
    first_hour: datetime
    nearby: bool


class Turnover(NamedTuple):
    """How many addresses an actor first came from since a moment: that of the span, or a week after its own first."""

    app: str | None
    actor: str
    addresses: int
    since: datetime


class ScopeUse(NamedTuple):
    """The first and last hour in which an app's own calls named a scope, and how these ended."""

    app: str | None
    scope: str
    result: Result
    first_hour: datetime
    last_hour: datetime


class ClockStep(NamedTuple):
    """An entry of our own that was written after one of a later moment."""

    written_after: datetime
    at: datetime
    app: str | None
    request_id: str


class Ranked(NamedTuple):
    """The most frequent values of a column, and what is left out."""

    listed: tuple[tuple[str | None, int], ...]
    others: int
    others_calls: int


@dataclass(frozen=True, slots=True)
class Frame:
    """What is judged: the window, the past it is held against, and how much of that past the log holds.

    Attributes:
        window: what is looked at; its end is not after `now`, but for a moment.
        baseline: the span asked for, which ends where the window begins.
        oldest: the log's oldest entry, None for an empty log.
        widened: whether the window was moved out to whole hours.
    """

    window: Window
    baseline: Window
    oldest: datetime | None
    now: datetime
    thresholds: Thresholds
    widened: bool = False

    @property
    def covered_since(self) -> datetime:
        """Where the part of the baseline begins that the log holds; the window's beginning if it holds none."""
        if self.oldest is None:
            return self.window.since
        return min(max(self.baseline.since, self.oldest), self.window.since)

    def days_since(self, moment: datetime) -> float:
        """Return the days from a moment to the window."""
        return (self.window.since - moment) / timedelta(days=1)

    @property
    def covered_days(self) -> float:
        """How many days of the baseline the log holds."""
        return self.days_since(self.covered_since)

    @property
    def sufficient(self) -> bool:
        """Whether the log's past is long enough to hold anything against it."""
        return self.covered_days >= self.thresholds.baseline_days
