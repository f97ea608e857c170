"""Who used a key and where calls came from is told of every entry, summed up or not, whoever wrote and whoever sums."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import storage_samples as sample
from chekt_mcp.domain.audit import KeyUse, Kind, NewEntry, Traffic
from chekt_mcp.storage.interface import Reader, Storage
from chekt_mcp.storage.sqlite import log_writer

pytestmark = pytest.mark.anyio

NETWORKS = [ip_network(one) for one in ("192.0.2.0/24", "192.0.2.1/32", "2001:db8::/32", "::/0", "0.0.0.0/0")]
TIMES = [
    datetime(1969, 12, 31, 22, 10, 59, 999999, tzinfo=UTC),
    datetime(1970, 1, 1, tzinfo=UTC),
    *(sample.NOW + timedelta(minutes=23 * step) for step in range(-9, 9)),
]
ENTRIES = st.builds(
    sample.entry,
    at=st.sampled_from(TIMES),
    app=st.sampled_from(["shop", "shop", "till", None]),
    kind=st.sampled_from([Kind.API_CALL, Kind.API_CALL, Kind.TOOL_CALL]),
    source=st.sampled_from(["stdio", None]),
    source_ip=st.sampled_from(["192.0.2.1", "192.0.2.9", "2001:db8::7", "no address", None]),
    key_id=st.sampled_from(["key_1", "key_2", None]),
)
Told = dict[str, object]


def hour(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)


async def told(reader: Reader, dealer: str, since: datetime) -> Told:
    """Ask every lookup that sums hours up."""
    return {
        "traffic": {one.source_ip: one for one in await reader.traffic(dealer, "shop", since)},
        "on two days": {one.source_ip for one in await reader.traffic(dealer, "shop", since, 2)},
        "hours": list(await reader.traffic_hours(dealer, "shop", since)),
        "extent": await reader.traffic_extent(dealer, "shop"),
        "last": list(await reader.last_requests(dealer, "shop", NETWORKS, since)),
        "uses": {one.source: one for one in await reader.key_uses(dealer, "key_1", since)},
    }


def expected(entries: Sequence[NewEntry], since: datetime) -> Told:
    """Say the same by plainly looking at every entry."""
    ever = [one for one in entries if one.app == "shop" and one.kind is Kind.API_CALL and one.source_ip]
    calls = [one for one in ever if one.timestamp >= hour(since)]
    times, used = defaultdict[str, list[datetime]](list), defaultdict[str, list[datetime]](list)
    for one in calls:
        times[one.source_ip or ""].append(one.timestamp)
    for one in entries:
        if one.key_id == "key_1" and one.timestamp >= since:
            used[one.source_ip or one.source or "unknown"].append(one.timestamp)
    days = {address: {at.date() for at in when} for address, when in times.items()}
    return {
        "traffic": {one: Traffic(one, len(when), max(when), len(days[one])) for one, when in times.items()},
        "on two days": {address for address, on in days.items() if len(on) > 1},
        "hours": sorted({hour(one.timestamp) for one in calls}),
        "extent": (min(hour(one.timestamp) for one in ever), max(one.timestamp for one in ever)) if ever else None,
        "last": [
            max(
                (
                    one.timestamp
                    for one in calls
                    if one.source_ip != "no address" and ip_address(one.source_ip or "") in network
                ),
                default=None,
            )
            for network in NETWORKS
        ],
        "uses": {one: KeyUse(one, len(when), min(when), max(when)) for one, when in used.items()},
    }


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=st.lists(st.lists(ENTRIES, max_size=9), max_size=4), since=st.sampled_from(TIMES))
async def test_every_answer_counts_what_is_summed_up_and_what_is_not(
    open_same: Callable[[], Storage],
    monkeypatch: pytest.MonkeyPatch,
    batches: list[list[NewEntry]],
    since: datetime,
) -> None:
    monkeypatch.setattr(log_writer, "STRETCH", 7)
    writing, reading, summing = open_same(), open_same(), open_same()
    dealer, logged = f"dealer {id(batches)} {since}", list[NewEntry]()
    for batch in batches:
        logged += batch
        await writing.write(sample.work("append", [replace(one, dealer=dealer) for one in batch]))
        assert await reading.read(lambda reader: told(reader, dealer, since)) == expected(logged, since)
    await summing.write(sample.work("sum_up", dealer))
    assert await reading.read(lambda reader: told(reader, dealer, since)) == expected(logged, since)
    for one in (writing, reading, summing):
        await one.close()


async def test_what_was_pruned_is_not_counted_whether_it_was_summed_up_or_not(storage: Storage) -> None:
    old = [sample.entry(f"req_{days}", sample.NOW - days * sample.DAY) for days in (400, 380)]
    kept = [sample.entry("req_1"), sample.entry("req_2", source_ip="192.0.2.9")]
    await storage.write(sample.work("append", [old[0], kept[0]]))
    await storage.write(sample.work("sum_up", "acme"))
    await storage.write(sample.work("append", [old[1], kept[1]]))
    tells = sample.entry("req_3", app=None, kind=Kind.OPERATOR_ACTION, key_id=None)
    (seq,) = await storage.write(lambda writer: writer.append([tells]))
    await storage.write(sample.work("prune", "acme", sample.NOW - 300 * sample.DAY, 100, seq))
    for _ in range(2):
        assert await storage.read(lambda reader: told(reader, "acme", sample.BEGINNING)) == expected(
            kept, sample.BEGINNING
        )
        await storage.write(sample.work("sum_up", "acme"))
