"""Whose log is analysed, and when."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from chekt_mcp.domain.analysis.facts import Frame
from chekt_mcp.domain.analysis.thresholds import Thresholds
from chekt_mcp.domain.timespan import Window, parse_moment, parse_window
from chekt_mcp.errors import InvalidInput
from chekt_mcp.storage.interface import Reader

EARLIEST, LATEST = datetime(1900, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, tzinfo=UTC)
"""Between these an hour or a day can be added to any moment; what lies beyond, no clock ever meant."""

LONGEST_WINDOW = timedelta(days=100)
LONGEST_BASELINE = timedelta(days=400)


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be analysed: apps of one dealer (None: what belongs to no app), a window, and what it is held against.

    `since`, `until` and `baseline` as people write them; `baseline` counts back from the window's beginning.
    """

    dealer: str
    apps: tuple[str | None, ...]
    since: str = "24h"
    until: str | None = None
    baseline: str = "30d"

    @property
    def named(self) -> tuple[str, ...]:
        """The apps proper."""
        return tuple(app for app in self.apps if app is not None)

    @property
    def dealer_wide(self) -> bool:
        """Whether what belongs to no app is part of it."""
        return None in self.apps


async def frame(reader: Reader, asked: Asked, now: datetime, thresholds: Thresholds) -> Frame:
    """Read the window and the baseline, and how far back the log goes.

    Raises:
        InvalidInput: codes `bad_time`, `empty_window`, `empty_baseline`, `window_too_long`, `baseline_too_long`.
    """
    window = _within_reason(parse_window(asked.since, asked.until, now))
    if window.until - window.since > LONGEST_WINDOW:
        raise InvalidInput(
            f"A window has at most {LONGEST_WINDOW.days} days.",
            field="since",
            code="window_too_long",
            fix="Analyse a long time in several windows.",
        )
    past = _baseline(asked.baseline, window.since)
    extent = await reader.log_extent(asked.dealer, asked.named, dealer_wide=asked.dealer_wide)
    counted = await reader.countable(asked.dealer, asked.apps, window)
    past = replace(past, until=counted.since)
    return Frame(counted, past, extent.oldest, now, thresholds, widened=counted != window)


def _within_reason(window: Window) -> Window:
    if window.since < EARLIEST or window.since >= LATEST:
        raise InvalidInput("No log is from that time.", field="since", code="bad_time")
    return replace(window, until=min(window.until, LATEST))


def _baseline(text: str, until: datetime) -> Window:
    since = parse_moment(text, until, field="baseline")
    if since < EARLIEST:
        raise InvalidInput("No log is from that time.", field="baseline", code="bad_time")
    if since >= until:
        raise InvalidInput("The baseline must begin before the window.", field="baseline", code="empty_baseline")
    if until - since > LONGEST_BASELINE:
        message = f"A baseline has at most {LONGEST_BASELINE.days} days."
        raise InvalidInput(message, field="baseline", code="baseline_too_long")
    return Window(since, until)
