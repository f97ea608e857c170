"""Each rule on its own: what it takes to be told, what it takes not to be, and what the message compares."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chekt_mcp.domain.analysis.addresses import new_addresses
from chekt_mcp.domain.analysis.allow_lists import Span, outside_lists
from chekt_mcp.domain.analysis.clock import clock_steps
from chekt_mcp.domain.analysis.facts import (
    Activity,
    ClockStep,
    Frame,
    HourCount,
    MinuteCount,
    Newcomer,
    ScopeUse,
    SourceUse,
    Turnover,
)
from chekt_mcp.domain.analysis.finding import Code, Finding, Severity, in_order
from chekt_mcp.domain.analysis.hours import gaps, unusual_hours
from chekt_mcp.domain.analysis.keys import RetiredUse, ended_at, retired_keys
from chekt_mcp.domain.analysis.minutes import Limits, limits, spikes
from chekt_mcp.domain.analysis.refusals import denied_then_allowed
from chekt_mcp.domain.analysis.scopes import not_granted, unused
from chekt_mcp.domain.analysis.thresholds import Thresholds
from chekt_mcp.domain.api_key import Key, KeyKind, KeyState
from chekt_mcp.domain.audit import Kind, Result
from chekt_mcp.domain.timespan import Window

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)  # a Wednesday
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
WINDOW = Window(NOW - DAY, NOW)
SHOP = ("shop", Kind.API_CALL)


def frame(days: float = 30, **thresholds: int) -> Frame:
    """Return a frame whose log reaches back so many days before the window."""
    baseline = Window(WINDOW.since - 30 * DAY, WINDOW.since)
    return Frame(WINDOW, baseline, WINDOW.since - days * DAY, NOW, Thresholds(**thresholds))


def source(address: str = "192.0.2.1", **changes: Any) -> SourceUse:
    use = SourceUse("shop", Kind.API_CALL, "app:shop", address, None, 10, 0, 10, None, NOW - HOUR)
    return use._replace(**changes)


def hour(at: datetime, **changes: Any) -> HourCount:
    return HourCount("shop", Kind.API_CALL, at, 5, 0, 0, 1, 0)._replace(**changes)


def every_hour(days: int, hours: range, *, until: datetime = WINDOW.since) -> list[HourCount]:
    midnight = until.replace(hour=0)
    return [hour(midnight - day * DAY + at * HOUR) for day in range(1, days + 1) for at in hours]


def newcomer(address: str = "192.0.2.1", *, nearby: bool = False) -> Newcomer:
    return Newcomer("shop", "app:shop", address, NOW - 3 * HOUR, nearby)


def codes(findings: Any) -> list[tuple[Code, Severity]]:
    return [(one.code, one.severity) for one in findings]


def test_a_new_address_of_a_steady_actor_is_told() -> None:
    (one,) = new_addresses(frame(), [newcomer()], [], [source()])
    assert (one.code, one.severity, one.count) == (Code.FIRST_SEEN_ADDRESS, Severity.WARNING, 10)
    assert one.about.source_ips == ("192.0.2.1",)
    assert "192.0.2.1" not in one.message


def test_a_new_address_of_a_known_network_is_told_for_information() -> None:
    assert codes(new_addresses(frame(), [newcomer(nearby=True)], [], [source()])) == [
        (Code.FIRST_SEEN_ADDRESS, Severity.INFO)
    ]


@pytest.mark.parametrize(("addresses", "told"), [(4, True), (5, False)])
def test_actors_whose_addresses_change_anyway_are_not_told(addresses: int, told: bool) -> None:  # noqa: FBT001 -- a case
    usual = Turnover("shop", "app:shop", addresses, WINDOW.since - 31 * DAY)
    assert bool(list(new_addresses(frame(), [newcomer()], [usual], [source()]))) is told


def test_far_more_new_addresses_than_usual_are_told_together() -> None:
    usual = Turnover("shop", "app:shop", 31, WINDOW.since - 32 * DAY)
    came = [newcomer(f"192.0.2.{number}") for number in range(12)]
    calls = [source(one.source_ip) for one in came]
    assert list(new_addresses(frame(), came[:11], [usual], calls)) == []
    (one,) = new_addresses(frame(), came, [usual], calls)
    assert (one.code, one.count, len(one.about.source_ips), one.about.others) == (Code.MANY_NEW_ADDRESSES, 120, 10, 2)


def test_a_new_address_that_did_not_call_in_the_window_is_not_told() -> None:
    assert list(new_addresses(frame(), [newcomer()], [], [source("192.0.2.9")])) == []


@pytest.mark.parametrize(("days", "told"), [(6.9, False), (7, True)])
def test_without_a_baseline_nothing_is_new(days: float, told: bool) -> None:  # noqa: FBT001 -- a case
    assert bool(list(new_addresses(frame(days), [newcomer()], [], [source()]))) is told


@pytest.mark.parametrize(
    ("off", "served", "expected"),
    [
        (False, 10, (Code.OUTSIDE_ALLOW_LIST, Severity.CRITICAL)),
        (False, 0, (Code.OUTSIDE_ALLOW_LIST, Severity.WARNING)),
        (True, 10, (Code.OUTSIDE_LIST_WHILE_OFF, Severity.WARNING)),
    ],
)
def test_calls_from_outside_a_list_are_judged_by_whether_it_was_in_force_and_enforced(
    off: bool,  # noqa: FBT001 -- a case
    served: int,
    expected: tuple[Code, Severity],
) -> None:
    assert codes(outside_lists([Span("shop", WINDOW, 3, off, (source(served=served),))])) == [expected]


def test_no_call_from_outside_is_no_finding() -> None:
    assert list(outside_lists([Span("shop", WINDOW, 3, off=False, outside=())])) == []


def activity(scope: str, result: Result = Result.DENIED, kind: Kind = Kind.API_CALL) -> Activity:
    return Activity("shop", NOW - HOUR, kind, "app:shop", scope, result, "key_1", 3)


@pytest.mark.parametrize(
    ("result", "first", "severity"),
    [
        (Result.DENIED, NOW - HOUR, Severity.WARNING),
        (Result.OK, NOW - HOUR, Severity.CRITICAL),
        (Result.DENIED, NOW - 9 * DAY, Severity.INFO),
        (Result.OK, NOW - 9 * DAY, Severity.INFO),
    ],
)
def test_a_scope_that_is_not_held_matters_when_it_is_asked_for_the_first_time(
    result: Result, first: datetime, severity: Severity
) -> None:
    uses = [ScopeUse("shop", "alarms:write", result, first, NOW - HOUR)]
    found = not_granted(frame(), "shop", frozenset({"devices:read"}), [activity("alarms:write", result)], uses)
    assert codes(found) == [(Code.SCOPE_NOT_GRANTED, severity)]


def test_held_scopes_deliveries_and_operators_are_no_misuse_of_scopes() -> None:
    rows = [
        activity("devices:read"),
        activity("events:read", kind=Kind.WEBHOOK_DELIVERY),
        activity("keys:write", kind=Kind.OPERATOR_ACTION),
    ]
    assert list(not_granted(frame(), "shop", frozenset({"devices:read"}), rows, [])) == []


@pytest.mark.parametrize(
    ("granted", "last", "oldest", "told"),
    [
        (100, None, 400, True),
        (100, 91, 400, True),
        (100, 89, 400, False),
        (89, None, 400, False),
        (100, None, 89, False),
    ],
)
def test_a_grant_is_unused_only_if_it_and_the_log_are_old_enough(
    granted: int,
    last: int | None,
    oldest: int,
    told: bool,  # noqa: FBT001 -- a case
) -> None:
    uses = [] if last is None else [ScopeUse("shop", "a", Result.OK, NOW - 300 * DAY, NOW - last * DAY)]
    found = unused(frame(), "shop", {"a": NOW - granted * DAY}, uses, NOW - oldest * DAY)
    assert codes(found) == [(Code.SCOPE_UNUSED, Severity.INFO)] * told


def test_limits_are_a_multiple_of_the_busiest_minute_and_have_a_floor() -> None:
    past = every_hour(10, range(24))
    assert limits(frame(), past) == Limits(10, 5, 1, 0)
    assert limits(frame(), [*past, hour(WINDOW.since - DAY, peak=30, peak_failed=7)]) == Limits(60, 14, 30, 7)
    assert limits(frame(), every_hour(5, range(24))) is None


def test_bursts_and_error_spikes_are_told_with_their_minutes() -> None:
    held = Limits(10, 5, 4, 0)
    minutes = [MinuteCount(NOW - HOUR + number * timedelta(minutes=1), 10, 0) for number in range(3)]
    assert codes(spikes(frame(), SHOP, held, minutes[:1])) == [(Code.BURST, Severity.INFO)]
    assert codes(spikes(frame(), SHOP, held, minutes)) == [(Code.BURST, Severity.WARNING)]
    assert codes(spikes(frame(), SHOP, held, [MinuteCount(NOW, 9, 4)])) == []
    (one,) = spikes(frame(), SHOP, held, [MinuteCount(NOW - HOUR, 9, 9)])
    assert (one.code, one.count, one.about.times) == (Code.ERROR_SPIKE, 9, (NOW - HOUR,))


def refused(times: int, served: datetime | None = NOW, **changes: Any) -> SourceUse:
    return source(refused=times, served=1, first_refused_hour=NOW - HOUR, last_served_hour=served, **changes)


@pytest.mark.parametrize(
    ("use", "told"),
    [
        (refused(3), True),
        (refused(2), False),
        (refused(3, NOW - 2 * HOUR), False),
        (refused(3, None), False),
    ],
)
def test_refusals_that_end_in_a_success_are_told(use: SourceUse, told: bool) -> None:  # noqa: FBT001 -- a case
    assert (
        codes(denied_then_allowed(frame(), "shop", [use], [])) == [(Code.DENIED_THEN_ALLOWED, Severity.WARNING)] * told
    )


def test_refusals_that_are_ordinary_for_the_app_are_not_told() -> None:
    past = [hour(WINDOW.since - DAY, refused=3)]
    assert list(denied_then_allowed(frame(), "shop", [refused(6)], past)) == []
    assert len(list(denied_then_allowed(frame(), "shop", [refused(7)], past))) == 1
    assert list(denied_then_allowed(frame(1), "shop", [refused(8)], [])) == []


def test_an_actor_that_tries_from_many_addresses_is_told_once() -> None:
    uses = [refused(1, source_ip=f"192.0.2.{number}") for number in range(3)]
    (one,) = denied_then_allowed(frame(), "shop", uses, [])
    assert (one.count, one.about.actors, one.about.source_ips) == (3, ("app:shop",), ())


def key(state: KeyState, **changes: Any) -> Key:
    made = Key("key_1", "acme", "shop", KeyKind.API_KEY, state, "chekt_live_…a1B2", NOW - 99 * DAY)
    return replace(made, **changes)


@pytest.mark.parametrize(
    ("ended", "served", "severity"),
    [(False, 5, Severity.INFO), (True, 0, Severity.WARNING), (True, 1, Severity.CRITICAL)],
)
def test_a_retired_key_matters_more_once_it_has_ended_and_still_opens(
    ended: bool,  # noqa: FBT001 -- a case
    served: int,
    severity: Severity,
) -> None:
    use = RetiredUse(key(KeyState.REVOKED, revoked_at=NOW - DAY), WINDOW, ended, 5, served, ("192.0.2.1",))
    assert codes(retired_keys([use, replace(use, calls=0)])) == [(Code.RETIRED_KEY_USED, severity)]


def test_a_key_ends_when_it_is_revoked_or_its_grace_is_over() -> None:
    assert ended_at(key(KeyState.REVOKED, revoked_at=NOW)) == NOW
    assert ended_at(key(KeyState.PREVIOUS, valid_until=NOW)) == NOW
    assert ended_at(key(KeyState.CURRENT)) is None


@pytest.mark.parametrize(("at", "told"), [(5, True), (6, False), (7, False), (19, False), (20, True), (23, True)])
def test_hours_next_to_usual_ones_are_usual(at: int, told: bool) -> None:  # noqa: FBT001 -- a case
    past = [*every_hour(10, range(7, 19)), hour((WINDOW.since - DAY).replace(hour=22))]
    found = list(unusual_hours(frame(), SHOP, [hour(NOW.replace(hour=at) - DAY)], past))
    assert codes(found) == [(Code.UNUSUAL_HOUR, Severity.WARNING)] * told


def test_an_app_with_few_days_behind_it_has_no_unusual_hours() -> None:
    assert list(unusual_hours(frame(), SHOP, [hour(NOW - HOUR)], every_hour(6, range(2)))) == []


def silence(*missing: int) -> list[HourCount]:
    """Return the window's hours without those that begin so many hours after its beginning."""
    return [hour(WINDOW.since + number * HOUR) for number in range(24) if number not in missing]


@pytest.mark.parametrize(("missing", "told"), [((), 0), ((3,), 0), ((3, 4), 1), ((3, 5), 0), ((3, 4, 9, 10, 11), 2)])
def test_hours_in_a_row_that_are_silent_as_never_before_are_a_gap(missing: tuple[int, ...], told: int) -> None:
    past = every_hour(29, range(24))
    found = list(gaps(frame(), {"shop": silence(*missing)}, {"shop": past}))
    assert codes(found) == [(Code.GAP, Severity.INFO)] * told


def test_silence_of_all_apps_is_one_gap_in_the_log_and_hours_that_were_ever_silent_are_none() -> None:
    past = every_hour(29, range(24))
    apps: dict[str | None, list[HourCount]] = {"shop": past, "till": [one._replace(app="till") for one in past]}
    window: dict[str | None, list[HourCount]] = {
        "shop": silence(3, 4),
        "till": [one._replace(app="till") for one in silence(3, 4)],
    }
    (one,) = gaps(frame(), window, apps)
    assert (one.app, one.severity, one.about.times) == (
        None,
        Severity.WARNING,
        (WINDOW.since + 3 * HOUR, WINDOW.since + 5 * HOUR),
    )
    holed = [one for one in past if one.hour != WINDOW.since + 3 * HOUR - 7 * DAY]
    assert list(gaps(frame(), {"shop": silence(3, 4)}, {"shop": holed})) == []


def test_what_lies_before_the_logs_beginning_is_no_gap() -> None:
    short = replace(frame(), oldest=WINDOW.since + 6 * HOUR)
    assert list(gaps(short, {"shop": silence(*range(6))}, {"shop": every_hour(29, range(24))})) == []


def test_steps_of_the_clock_are_told_with_the_furthest() -> None:
    steps = [ClockStep(NOW, NOW - number * HOUR, "shop", f"req_{number}") for number in (1, 2)]
    (one,) = clock_steps(steps, 7)
    assert (one.code, one.count, one.request_ids, one.about.others) == (Code.CLOCK_WENT_BACK, 7, ("req_1", "req_2"), 5)
    assert "120 minutes" in one.message
    assert list(clock_steps([], 0)) == []


def test_the_gravest_findings_come_first() -> None:
    made = [Finding(code, severity, None, 0, "") for code in (Code.GAP, Code.BURST) for severity in Severity]
    assert codes(in_order(made))[:3] == [
        (Code.BURST, Severity.CRITICAL),
        (Code.GAP, Severity.CRITICAL),
        (Code.BURST, Severity.WARNING),
    ]
