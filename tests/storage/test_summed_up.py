"""Summaries tell what the entries tell: whatever is appended, in whatever order and pieces, and after pruning."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import storage_samples as sample
from chekt_mcp.domain.analysis.facts import Turnover
from chekt_mcp.domain.audit import Kind, NewEntry, Result
from chekt_mcp.domain.timespan import Window
from chekt_mcp.storage.interface import Storage
from chekt_mcp.storage.sqlite import log_writer

pytestmark = pytest.mark.anyio

APPS = ("shop", "till", None)
DEALERS = itertools.count()
"""Each example has a log of its own."""

TIMES = [
    datetime(1970, 1, 1, tzinfo=UTC),
    datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
    datetime(9999, 12, 31, 23, 30, tzinfo=UTC),
    *(sample.NOW + timedelta(minutes=17 * step) for step in range(-12, 12)),
]
ENTRIES = st.builds(
    sample.entry,
    request_id=st.integers(0, 10**9).map(lambda number: f"req_{number}"),
    at=st.sampled_from(TIMES),
    app=st.sampled_from(APPS),
    actor=st.sampled_from(["app:shop", "operator:mä\udc80x"]),
    kind=st.sampled_from(Kind),
    action=st.sampled_from(["GET /v1/devices", "login"]),
    scope=st.sampled_from(["devices:read", None]),
    result=st.sampled_from(Result),
    source=st.sampled_from(["stdio", None]),
    source_ip=st.sampled_from(["192.0.2.1", "2001:db8::7", "no address", None]),
    key_id=st.sampled_from(["key_1", None]),
    origin=st.sampled_from(["imp_1", None]),
)
WINDOWS = st.tuples(st.sampled_from(TIMES), st.sampled_from(TIMES), st.integers(-9, 9)).map(
    lambda one: Window(min(one[:2]), max(one[:2]) + timedelta(minutes=20 + one[2]))
)


async def append(storage: Storage, entries: Sequence[NewEntry]) -> None:
    await storage.write(lambda writer: writer.append(entries))


async def summed(storage: Storage, name: str, *arguments: Any) -> Any:
    await storage.write(lambda writer: writer.sum_up("acme"))
    return await storage.read(sample.work(name, "acme", *arguments))


def text(value: str | None) -> str | None:
    return value and value.encode("utf-8", "backslashreplace").decode()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(logged=st.lists(st.lists(ENTRIES, max_size=12), max_size=4), late=st.lists(ENTRIES, max_size=6), window=WINDOWS)
async def test_summaries_equal_a_plain_count(
    open_same: Callable[[], Storage],
    monkeypatch: pytest.MonkeyPatch,
    logged: list[list[NewEntry]],
    late: list[NewEntry],
    window: Window,
) -> None:
    monkeypatch.setattr(log_writer, "STRETCH", 5)
    storage, dealer = open_same(), f"dealer {next(DEALERS)}"
    everything = [replace(one, dealer=dealer) for batch in logged for one in batch]
    for batch in logged:
        await append(storage, [replace(one, dealer=dealer) for one in batch])
    imported = list({one.request_id: replace(one, dealer=dealer, origin="imp_2") for one in late}.values())
    await storage.write(lambda writer: writer.append_imported(imported))
    await storage.write(lambda writer: writer.sum_up(dealer))
    held = await storage.read(lambda reader: reader.log_extent(dealer))
    if held.entries == len(everything) + len(imported):  # else an imported one was there already
        everything += imported
        await compare(storage, dealer, everything, window)
    await storage.close()


def hour(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)


async def compare(storage: Storage, dealer: str, everything: list[NewEntry], window: Window) -> None:
    inside = [one for one in everything if window.since <= one.timestamp < window.until]
    activity = await storage.read(lambda reader: reader.activity(dealer, APPS, window))
    assert Counter({one[:-1]: one.calls for one in activity}) == Counter(
        (one.app, hour(one.timestamp), one.kind, text(one.actor), one.scope, one.result, one.key_id) for one in inside
    )
    sources = await storage.read(lambda reader: reader.source_uses(dealer, APPS, window, 1_000))
    assert Counter({one[:5]: one.calls for one in sources}) == Counter(
        (one.app, one.kind, text(one.actor), one.source_ip, None if one.source_ip else one.source) for one in inside
    )
    assert sum(one.refused for one in sources) == sum(one.result is Result.DENIED for one in inside)
    ranked = await storage.read(lambda reader: reader.actions(dealer, APPS, window, 1))
    assert sum(calls for _, calls in ranked.listed) + ranked.others_calls == len(inside)
    whole = await storage.read(lambda reader: reader.hour_counts(dealer, APPS, Window(TIMES[1], TIMES[2])))
    minutes = Counter((one.app, one.kind, one.timestamp.replace(second=0, microsecond=0)) for one in everything)
    for counted in whole:
        same = [
            e for e in everything if (e.app, e.kind, hour(e.timestamp)) == (counted.app, counted.kind, counted.hour)
        ]
        peak = max(
            n
            for (app, kind, at), n in minutes.items()
            if (app, kind, hour(at)) == (counted.app, counted.kind, counted.hour)
        )
        assert (counted.calls, counted.peak) == (len(same), peak)
        assert counted.failed == sum(e.result is not Result.OK for e in same)
    first: dict[Any, datetime] = {}
    for one in sorted(everything, key=lambda e: e.timestamp):
        if one.source_ip is not None:
            first.setdefault((one.app, text(one.actor), one.source_ip), hour(one.timestamp))
    ever = Window(datetime(1900, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, tzinfo=UTC))
    came = await storage.read(lambda reader: reader.newcomers(dealer, APPS, ever))
    elsewhere = {(actor, address) for (_, actor, address) in first}
    assert {(one.actor, one.source_ip) for one in came} <= elsewhere
    assert all(first[one.app, one.actor, one.source_ip] == one.first_hour for one in came)


async def test_a_few_entries_wait_to_be_summed_up_and_many_do_not(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_writer, "STRETCH", 5)
    window = Window(sample.NOW - sample.DAY, sample.NOW + sample.DAY)
    for count, expected in ((4, 0), (1, 5), (3, 5)):
        await append(storage, [sample.entry() for _ in range(count)])
        found = await storage.read(lambda reader: reader.hour_counts("acme", ["shop"], window))
        assert sum(one.calls for one in found) == expected
    assert sum(one.calls for one in await summed(storage, "hour_counts", ["shop"], window)) == 8


async def test_a_busy_hour_that_the_window_cuts_is_counted_whole(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chekt_mcp.storage.sqlite.log_summaries.MOST_READ", 3)
    begins = hour(sample.NOW)
    await append(storage, [sample.entry(at=begins + sample.MINUTE * step) for step in range(4)])
    window = Window(begins + sample.MINUTE, begins + 5 * sample.HOUR + sample.MINUTE)
    assert await summed(storage, "countable", ["shop"], window) == Window(begins, window.until)
    assert await summed(storage, "countable", ["till"], window) == window


async def test_busy_minutes_are_told_by_calls_or_by_failures(storage: Storage) -> None:
    await append(
        storage,
        [
            *(sample.entry(at=sample.NOW) for _ in range(3)),
            *(sample.entry(at=sample.NOW + sample.MINUTE, result=Result.DENIED) for _ in range(2)),
            sample.entry(at=sample.NOW + 2 * sample.MINUTE),
        ],
    )
    minute, window = sample.NOW.replace(second=0, microsecond=0), Window(sample.NOW, sample.NOW + sample.HOUR)
    found = await summed(storage, "busy_minutes", ("shop", Kind.API_CALL), window, (3, 2))
    assert [tuple(one) for one in found] == [(minute, 3, 0), (minute + sample.MINUTE, 2, 2)]
    assert await summed(storage, "busy_minutes", ("never", Kind.API_CALL), window, (1, 1)) == []


async def test_newcomers_know_their_neighbours_and_other_apps(storage: Storage) -> None:
    old, new = sample.NOW - 9 * sample.DAY, sample.NOW
    await append(
        storage,
        [
            sample.entry(at=old, source_ip="192.0.2.1"),
            sample.entry(at=old, source_ip="203.0.113.1", app="till"),
            sample.entry(at=new, source_ip="192.0.2.99"),
            sample.entry(at=new, source_ip="198.51.100.1"),
            sample.entry(at=new, source_ip="203.0.113.1"),
            sample.entry(at=new, source_ip="192.0.2.1"),
        ],
    )
    found = await summed(storage, "newcomers", ["shop"], Window(new - sample.DAY, new + sample.HOUR))
    assert {(one.source_ip, one.nearby) for one in found} == {("192.0.2.99", True), ("198.51.100.1", False)}
    turnover = await summed(storage, "turnover", ["shop"], Window(old, new + sample.DAY))
    began = hour(old) + timedelta(days=7)
    assert turnover == [Turnover("shop", "app:shop", 3, began)]


async def test_scopes_are_told_with_their_first_and_last_hour(storage: Storage) -> None:
    begins = hour(sample.NOW)
    await append(
        storage,
        [
            sample.entry(),
            sample.entry(at=sample.NOW + sample.DAY, kind=Kind.TOOL_CALL),
            sample.entry(at=sample.NOW + 9 * sample.DAY, kind=Kind.OPERATOR_ACTION),
            sample.entry(scope="alarms:write", result=Result.DENIED),
            sample.entry(scope=None),
        ],
    )
    found = await summed(storage, "scope_uses", ["shop"])
    assert {tuple(one) for one in found} == {
        ("shop", "devices:read", Result.OK, begins, begins + sample.DAY),
        ("shop", "alarms:write", Result.DENIED, begins, begins),
    }


async def test_our_own_clock_going_back_is_noted_and_imports_are_not(storage: Storage) -> None:
    back = sample.NOW - 6 * sample.MINUTE
    await append(storage, [sample.entry(at=sample.NOW), sample.entry("req_back", at=back)])
    await append(storage, [sample.entry(at=back - 4 * sample.MINUTE)])
    await append(storage, [sample.entry("req_again", at=back - sample.HOUR)])
    await append(storage, [sample.entry(at=back - sample.DAY, origin="imp_1")])
    await append(storage, [sample.entry(at=back - 2 * sample.DAY)])
    window = Window(sample.NOW - sample.DAY, sample.NOW + sample.DAY)
    steps, total = await summed(storage, "clock_steps", window, 1)
    assert total == 2
    assert [(one.request_id, one.at, one.written_after) for one in steps] == [("req_back", back, sample.NOW)]


async def test_a_scope_is_held_since_it_was_last_granted(storage: Storage) -> None:
    app = await storage.read(lambda reader: reader.app("acme", "shop"))
    assert app is not None
    granted = await storage.read(lambda reader: reader.scope_grants("acme", "shop"))
    assert granted == dict.fromkeys(map(str, app.scopes), app.created_at)
    kept, dropped = sorted(app.scopes)
    later = sample.NOW + sample.DAY
    await storage.write(sample.work("update_app", replace(app, scopes=frozenset({kept})), sample.NOW + sample.HOUR))
    await storage.write(sample.work("update_app", app, later))
    granted = await storage.read(lambda reader: reader.scope_grants("acme", "shop"))
    assert granted == {str(kept): app.created_at, str(dropped): later}


async def test_apps_that_the_log_holds_are_told(storage: Storage) -> None:
    assert list(await summed(storage, "logged_apps")) == []
    await append(storage, [sample.entry(app="till"), sample.entry(app=None), sample.entry()])
    assert list(await summed(storage, "logged_apps")) == ["shop", "till", None]


async def test_what_is_pruned_leaves_the_summaries_and_a_known_address_stays_known(storage: Storage) -> None:
    old = sample.NOW - 40 * sample.DAY
    await append(
        storage,
        [
            sample.entry(at=old),
            sample.entry(at=old, source_ip="192.0.2.9", scope="sites:read"),
            sample.entry(at=sample.NOW),
        ],
    )
    (told,) = await storage.write(lambda writer: writer.append([sample.entry(at=sample.NOW, action="prune")]))
    await storage.write(lambda writer: writer.sum_up("acme"))
    await storage.write(lambda writer: writer.prune("acme", sample.NOW - sample.DAY, 100, told))
    ever = Window(old - sample.DAY, sample.NOW + sample.DAY)
    assert sum(one.calls for one in await summed(storage, "activity", ["shop"], ever)) == 2
    assert sum(one.calls for one in await summed(storage, "hour_counts", ["shop"], ever)) == 2
    minutes = await summed(storage, "busy_minutes", ("shop", Kind.API_CALL), ever, (1, 1))
    assert [(one.minute, one.calls) for one in minutes] == [(sample.NOW.replace(second=0, microsecond=0), 2)]
    assert [one.source_ip for one in await summed(storage, "newcomers", ["shop"], ever)] == ["198.51.100.20"]
    assert await summed(storage, "newcomers", ["shop"], Window(sample.NOW - sample.DAY, ever.until)) == []
    assert {one.scope for one in await summed(storage, "scope_uses", ["shop"])} == {"devices:read"}
