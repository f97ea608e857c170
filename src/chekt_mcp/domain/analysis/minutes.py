"""Minutes that are busier, or fail more, than any of the same app in the baseline."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from chekt_mcp.domain.analysis.facts import Frame, HourCount, MinuteCount
from chekt_mcp.domain.analysis.finding import LISTED, SELECTED, About, Code, Finding, Selector, Severity
from chekt_mcp.domain.audit import Kind
from chekt_mcp.domain.wording import counted

MINUTE = timedelta(minutes=1)
LASTING = 3
"""A burst of so many minutes, or of twice its limit, is more than a hiccup."""


@dataclass(frozen=True, slots=True)
class Limits:
    """From how many calls in a minute on there is a burst or an error spike; and the baseline's busiest minutes."""

    calls: int
    failed: int
    peak: int
    peak_failed: int


def limits(frame: Frame, baseline: Sequence[HourCount]) -> Limits | None:
    """Return the limits of one app and kind; None when its own past is too short to judge."""
    if not baseline or frame.days_since(min(one.hour for one in baseline)) < frame.thresholds.baseline_days:
        return None
    peak, peak_failed = max(one.peak for one in baseline), max(one.peak_failed for one in baseline)
    factor = frame.thresholds.burst_factor
    return Limits(
        max(frame.thresholds.burst_calls, factor * peak),
        max(frame.thresholds.failed_calls, factor * peak_failed),
        peak,
        peak_failed,
    )


def spikes(
    frame: Frame, of: tuple[str | None, Kind], held: Limits, minutes: Sequence[MinuteCount]
) -> Iterator[Finding]:
    """Judge minutes of one app and kind; those below both limits are passed over."""
    busy = [(one.calls, one) for one in minutes if one.calls >= held.calls]
    if busy:
        compared = f"the baseline's busiest has {held.peak:,}; {_limit(frame, held.calls, 'burst_calls')}"
        yield _finding(Code.BURST, of, busy, held.calls, f"of up to {{most}} calls: {compared}")
    failing = [(one.failed, one) for one in minutes if one.failed >= held.failed]
    if failing:
        compared = f"the baseline's worst has {held.peak_failed:,}; {_limit(frame, held.failed, 'failed_calls')}"
        yield _finding(
            Code.ERROR_SPIKE, of, failing, held.failed, f"with up to {{most}} calls failed or refused: {compared}"
        )


def _limit(frame: Frame, limit: int, name: str) -> str:
    return f"from {limit:,} on it is unusual ({name}, or {frame.thresholds.burst_factor} times the baseline)."


def _finding(
    code: Code, of: tuple[str | None, Kind], found: list[tuple[int, MinuteCount]], limit: int, words: str
) -> Finding:
    app, kind = of
    worst = sorted(found, key=lambda one: (-one[0], one[1].minute))
    most, minutes = worst[0][0], [minute for _, minute in worst]
    lasting = len(found) >= LASTING or most >= 2 * limit
    message = f"{counted(len(found), 'minute', 'minutes')} {words.format(most=f'{most:,}')}"
    return Finding(
        code,
        Severity.WARNING if lasting else Severity.INFO,
        app,
        sum(number for number, _ in found),
        message,
        About(times=tuple(one.minute for one in minutes[:LISTED]), others=max(0, len(minutes) - LISTED)),
        tuple(Selector(app, one.minute, one.minute + MINUTE, kind=kind) for one in minutes[:SELECTED]),
    )
