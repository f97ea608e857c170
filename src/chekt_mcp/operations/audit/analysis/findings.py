"""Reads what each rule needs, and asks it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from chekt_mcp.domain.analysis.addresses import STILL_NEW, new_addresses
from chekt_mcp.domain.analysis.allow_lists import outside_lists
from chekt_mcp.domain.analysis.clock import clock_steps
from chekt_mcp.domain.analysis.facts import Activity, Frame, HourCount, SourceUse
from chekt_mcp.domain.analysis.finding import HOUR, LISTED, Finding, Selector, in_order
from chekt_mcp.domain.analysis.hours import gaps, unusual_hours
from chekt_mcp.domain.analysis.keys import retired_keys
from chekt_mcp.domain.analysis.minutes import limits, spikes
from chekt_mcp.domain.analysis.refusals import denied_then_allowed
from chekt_mcp.domain.analysis.scopes import not_granted, unused
from chekt_mcp.domain.audit import Kind, Result
from chekt_mcp.domain.timespan import Window
from chekt_mcp.operations.allow_list.compiled_lists import CompiledLists
from chekt_mcp.operations.audit.analysis.evidence import select
from chekt_mcp.operations.audit.analysis.list_spans import spans
from chekt_mcp.operations.audit.analysis.retired_keys import retired_uses
from chekt_mcp.operations.audit.analysis.subject import Asked
from chekt_mcp.storage.interface import Reader

REFUSALS = 200
"""Newest refusals that are looked at to tell whether a success came after one."""

Place = tuple[str | None, Kind]


@dataclass(frozen=True, slots=True)
class Counted:
    """What was counted: the window's entries in two ways, and the hours of window and baseline."""

    activity: Sequence[Activity]
    sources: Sequence[SourceUse]
    window: Sequence[HourCount]
    baseline: Sequence[HourCount]

    @classmethod
    async def read(cls, reader: Reader, asked: Asked, frame: Frame, most_sources: int) -> Counted:
        """Read it all from the summaries."""
        dealer, apps, window = asked.dealer, asked.apps, frame.window
        hours = await reader.hour_counts(dealer, apps, Window(frame.covered_since, window.until))
        return cls(
            await reader.activity(dealer, apps, window),
            await reader.source_uses(dealer, apps, window, most_sources),
            [one for one in hours if one.hour + HOUR > window.since],
            [one for one in hours if one.hour + HOUR <= window.since],
        )


@dataclass(frozen=True, slots=True)
class Judges:
    """Everything that the rules are asked with."""

    reader: Reader
    compiled: CompiledLists
    asked: Asked
    frame: Frame
    counted: Counted
    grace: timedelta

    async def all(self) -> list[Finding]:
        """Return every finding, gravest first."""
        found = [*await self._addresses(), *await self._minutes(), *self._hours(), *await self._refusals()]
        if self.asked.dealer_wide:
            found += clock_steps(*await self.reader.clock_steps(self.asked.dealer, self.frame.window, LISTED))
        for app in self.asked.named:
            found += await self._app(app)
        return in_order(found)

    async def _addresses(self) -> Iterable[Finding]:
        dealer, apps, window = self.asked.dealer, self.asked.apps, self.frame.window
        began = window.since - STILL_NEW
        came = await self.reader.newcomers(dealer, apps, Window(began, window.until))
        before = await self.reader.turnover(
            dealer, apps, Window(self.frame.covered_since, max(began, self.frame.covered_since))
        )
        return new_addresses(self.frame, came, before, self.counted.sources)

    async def _minutes(self) -> list[Finding]:
        window, baseline = _by_place(self.counted.window), _by_place(self.counted.baseline)
        found: list[Finding] = []
        for place, hours in window.items():
            held = limits(self.frame, baseline.get(place, ()))
            if held and any(one.peak >= held.calls or one.peak_failed >= held.failed for one in hours):
                limit = (held.calls, held.failed)
                minutes = await self.reader.busy_minutes(self.asked.dealer, place, self.frame.window, limit)
                found += spikes(self.frame, place, held, minutes)
        return found

    def _hours(self) -> Iterator[Finding]:
        baseline = _by_place(self.counted.baseline)
        for place, hours in _by_place(_exact_hours(self.counted.activity)).items():
            if place[1] is not Kind.WEBHOOK_DELIVERY:
                yield from unusual_hours(self.frame, place, hours, baseline.get(place, ()))
        if self.frame.sufficient:
            yield from gaps(self.frame, _by_app(self.counted.window), _by_app(self.counted.baseline))

    async def _refusals(self) -> list[Finding]:
        uses, baseline = defaultdict(list), _by_app(self.counted.baseline)
        for use in self.counted.sources:
            uses[use.app].append(use)
        found = [
            one
            for app, rows in uses.items()
            for one in denied_then_allowed(self.frame, app, rows, baseline.get(app, ()))
        ]
        return [one for one in found if await self._served_after(one.evidence[0])]

    async def _served_after(self, refused: Selector) -> bool:
        """Tell whether there is a success behind a refusal: counts by the hour leave that open."""
        served = Selector(refused.app, refused.since, refused.until, refused.source_ip, refused.actor, result=Result.OK)
        refusals = await select(self.reader, self.asked.dealer, refused, REFUSALS)
        newest = await select(self.reader, self.asked.dealer, served, 1)
        return bool(refusals and newest) and refusals[-1].timestamp < newest[0].timestamp

    async def _app(self, name: str) -> list[Finding]:
        dealer, frame = self.asked.dealer, self.frame
        app = await self.reader.app(dealer, name)
        if app is None:
            return []
        uses = await self.reader.scope_uses(dealer, [name])
        extent = await self.reader.log_extent(dealer, [name])
        granted_at = await self.reader.scope_grants(dealer, name)
        return [
            *outside_lists(await spans(self.reader, self.compiled, dealer, name, frame.window)),
            *retired_keys(await retired_uses(self.reader, dealer, name, frame, self.grace)),
            *not_granted(frame, name, frozenset(map(str, app.scopes)), self.counted.activity, uses),
            *unused(frame, name, granted_at, uses, extent.oldest),
        ]


def _exact_hours(activity: Sequence[Activity]) -> list[HourCount]:
    """Return the window's own hours; those at its ends without what lies beyond."""
    calls: dict[tuple[str | None, Kind, datetime], int] = defaultdict(int)
    for one in activity:
        calls[one.app, one.kind, one.hour] += one.calls
    return [HourCount(*place, number, 0, 0, 0, 0) for place, number in calls.items()]


def _by_place(hours: Sequence[HourCount]) -> Mapping[Place, list[HourCount]]:
    places: dict[Place, list[HourCount]] = defaultdict(list)
    for one in hours:
        places[one.app, one.kind].append(one)
    return places


def _by_app(hours: Sequence[HourCount]) -> Mapping[str | None, list[HourCount]]:
    apps: dict[str | None, list[HourCount]] = defaultdict(list)
    for one in hours:
        apps[one.app].append(one)
    return apps
