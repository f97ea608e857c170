"""Hours of the day in which an app was never active, and hours in a row without the traffic they always had."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta

from chekt_mcp.domain.analysis.facts import Frame, HourCount
from chekt_mcp.domain.analysis.finding import HOUR, LISTED, SELECTED, About, Code, Finding, Selector, Severity
from chekt_mcp.domain.audit import Kind
from chekt_mcp.domain.timespan import rfc3339
from chekt_mcp.domain.wording import counted

DAY = 24
SATURDAY = 5
FEWEST = {False: 5, True: 4}
"""Days of a kind (weekend or not) that it takes to say "always"."""

Silence = tuple[datetime, datetime]


def unusual_hours(
    frame: Frame, of: tuple[str | None, Kind], window: Sequence[HourCount], baseline: Sequence[HourCount]
) -> Iterator[Finding]:
    """Judge the hours of the day (UTC) in which one app was active: against those of the baseline, one hour either way.

    That hour of slack is for overtime and for the clock's change in spring and autumn.
    """
    days: dict[int, set[date]] = defaultdict(set)
    for one in baseline:
        days[one.hour.hour].add(one.hour.date())
    if len(set().union(*days.values())) < frame.thresholds.baseline_days:
        return
    usual = {hour for hour, seen in days.items() if len(seen) >= frame.thresholds.usual_days}
    usual = {(hour + away) % DAY for hour in usual for away in (-1, 0, 1)}
    odd = sorted((one for one in window if one.hour.hour not in usual), key=lambda one: one.hour, reverse=True)
    if odd:
        yield _unusual(frame, of, odd)


def _unusual(frame: Frame, of: tuple[str | None, Kind], odd: Sequence[HourCount]) -> Finding:
    app, kind = of
    calls = sum(one.calls for one in odd)
    names = ", ".join(f"{hour:02}" for hour in sorted({one.hour.hour for one in odd}))
    message = (
        f"{counted(calls, 'entry', 'entries')} in the hours {names} UTC, in which (or next to which) the baseline has "
        f"entries on fewer than {counted(frame.thresholds.usual_days, 'day', 'days')} (usual_days)."
    )
    times = tuple(one.hour for one in odd)
    window = frame.window
    return Finding(
        Code.UNUSUAL_HOUR,
        Severity.WARNING,
        app,
        calls,
        message,
        About(times=times[:LISTED], others=max(0, len(times) - LISTED)),
        tuple(
            Selector(app, max(hour, window.since), min(hour + HOUR, window.until), kind=kind)
            for hour in times[:SELECTED]
        ),
    )


def gaps(
    frame: Frame,
    window: Mapping[str | None, Sequence[HourCount]],
    baseline: Mapping[str | None, Sequence[HourCount]],
) -> Iterator[Finding]:
    """Judge hours without entries: of each app, and of all apps at once, which is a gap in the log itself."""
    silent = {app: _silences(frame, window.get(app, ()), baseline[app]) for app in baseline}
    everything = [one for rows in window.values() for one in rows]
    together = _silences(frame, everything, [one for rows in baseline.values() for one in rows])
    if len(baseline) > 1:
        yield from (_gap(frame, None, silence) for silence in together)
    for app, silences in silent.items():
        own = [one for one in silences if len(baseline) == 1 or not any(_within(one, whole) for whole in together)]
        yield from (_gap(frame, app, silence) for silence in own)


def _within(one: Silence, whole: Silence) -> bool:
    return whole[0] <= one[0] and one[1] <= whole[1]


def _silences(frame: Frame, window: Sequence[HourCount], baseline: Sequence[HourCount]) -> list[Silence]:
    always = _always(frame, baseline)
    active = {one.hour for one in window}
    missing = [hour for hour in _whole_hours(frame) if (_is_weekend(hour), hour.hour) in always and hour not in active]
    return [one for one in _runs(missing) if one[1] - one[0] >= frame.thresholds.silent_hours * HOUR]


def _always(frame: Frame, baseline: Sequence[HourCount]) -> set[tuple[bool, int]]:
    """Return the hours of a weekday or weekend day that had entries on every such day since the app began."""
    if not baseline:
        return set()
    active = {one.hour for one in baseline}
    begins = max(min(active), frame.covered_since)
    possible: dict[tuple[bool, int], int] = defaultdict(int)
    missed: set[tuple[bool, int]] = set()
    for hour in _hours(begins + HOUR, frame.window.since - HOUR):
        place = (_is_weekend(hour), hour.hour)
        possible[place] += 1
        if hour not in active:
            missed.add(place)
    return {place for place, days in possible.items() if days >= FEWEST[place[0]] and place not in missed}


def _whole_hours(frame: Frame) -> Iterable[datetime]:
    since = frame.window.since if frame.oldest is None else max(frame.window.since, frame.oldest)
    return _hours(since, min(frame.window.until, frame.now))


def _hours(since: datetime, until: datetime) -> Iterator[datetime]:
    """Yield the beginnings of the whole hours in a span."""
    hour = since.replace(minute=0, second=0, microsecond=0)
    hour += HOUR if hour < since else timedelta(0)
    while hour + HOUR <= until:
        yield hour
        hour += HOUR


def _runs(hours: Iterable[datetime]) -> Iterator[Silence]:
    begin = end = None
    for hour in hours:
        if begin is not None and end is not None and hour != end:
            yield begin, end
            begin = None
        begin, end = begin or hour, hour + HOUR
    if begin is not None and end is not None:
        yield begin, end


def _is_weekend(hour: datetime) -> bool:
    return hour.weekday() >= SATURDAY


def _gap(frame: Frame, app: str | None, silence: Silence) -> Finding:
    since, until = silence
    whose = "No entry of any app" if app is None else "No entry of this app"
    message = (
        f"{whose} from {rfc3339(since)} to {rfc3339(until)}, hours that always had some in the baseline; "
        f"{counted(frame.thresholds.silent_hours, 'hour', 'hours')} or more in a row are told (silent_hours)."
    )
    severity = Severity.WARNING if app is None else Severity.INFO
    return Finding(Code.GAP, severity, app, 0, message, About(times=(since, until)))
