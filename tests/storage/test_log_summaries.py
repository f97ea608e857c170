from __future__ import annotations

from datetime import datetime
from ipaddress import ip_network
from typing import Any

import pytest

import storage_samples as sample
from chekt_mcp.domain.audit import AddressUse, KeyUse, Kind, LogExtent, Result, Traffic
from chekt_mcp.storage.interface import Storage

pytestmark = pytest.mark.anyio
NOTHING = LogExtent(None, None, 0)


async def append(storage: Storage, *entries: Any) -> None:
    await storage.write(lambda writer: writer.append(entries))


async def test_an_empty_log_says_so(storage: Storage) -> None:
    assert await storage.read(lambda reader: reader.log_extent("acme")) == NOTHING
    assert await storage.read(lambda reader: reader.log_extent("acme", ["shop"])) == NOTHING
    assert await storage.read(lambda reader: reader.log_extent("never-heard-of")) == NOTHING
    assert await storage.read(lambda reader: reader.last_use("acme", "key_1")) is None
    assert list(await storage.read(lambda reader: reader.key_uses("acme", "key_1", sample.BEGINNING))) == []
    assert list(await storage.read(lambda reader: reader.traffic("acme", "shop", sample.BEGINNING))) == []


async def test_the_extent_tells_ends_and_number_of_what_was_asked_for(storage: Storage) -> None:
    await append(
        storage,
        sample.entry(at=sample.NOW),
        sample.entry(at=sample.NOW - sample.DAY),
        sample.entry(at=sample.NOW + sample.DAY, app="till"),
        sample.entry(at=sample.NOW - 9 * sample.DAY, app=None),
        sample.entry(at=sample.NOW - 30 * sample.DAY, dealer="other"),
    )
    extent = {
        apps: await storage.read(sample.work("log_extent", "acme", apps))
        for apps in [("shop",), ("shop", "till"), (), None]
    }
    assert extent == {
        ("shop",): LogExtent(sample.NOW - sample.DAY, sample.NOW, 2),
        ("shop", "till"): LogExtent(sample.NOW - sample.DAY, sample.NOW + sample.DAY, 3),
        (): NOTHING,
        None: LogExtent(sample.NOW - 9 * sample.DAY, sample.NOW + sample.DAY, 4),
    }
    with_no_app = await storage.read(lambda reader: reader.log_extent("acme", ["shop"], dealer_wide=True))
    assert with_no_app == LogExtent(sample.NOW - 9 * sample.DAY, sample.NOW, 3)


async def test_imported_entries_count_like_any_other(storage: Storage) -> None:
    rows = [sample.entry(), sample.entry("req_2", at=sample.NOW + sample.MINUTE)]
    for _ in range(2):
        await storage.write(lambda writer: writer.append_imported(rows))
    assert await storage.read(lambda reader: reader.log_extent("acme", ["shop"])) == LogExtent(
        sample.NOW, sample.NOW + sample.MINUTE, 2
    )
    assert list(await storage.read(lambda reader: reader.traffic("acme", "shop", sample.NOW))) == [
        Traffic("198.51.100.20", 2, sample.NOW + sample.MINUTE, 1)
    ]


async def test_uses_of_a_key_are_told_by_address_or_else_by_source(storage: Storage) -> None:
    minutes = [sample.NOW + step * sample.MINUTE for step in range(6)]
    await append(
        storage,
        sample.entry(at=minutes[0]),
        sample.entry(at=minutes[1], source="http"),
        sample.entry(at=minutes[2], source_ip="203.0.113.7"),
        sample.entry(at=minutes[3], source_ip=None, source="stdio"),
        sample.entry(at=minutes[4], source_ip=None, source=None),
        sample.entry(at=minutes[5], key_id="key_2"),
        sample.entry(at=minutes[5], dealer="other"),
        sample.entry(at=sample.NOW - sample.HOUR),
    )
    assert list(await storage.read(lambda reader: reader.key_uses("acme", "key_1", sample.NOW))) == [
        KeyUse("unknown", 1, minutes[4], minutes[4]),
        KeyUse("stdio", 1, minutes[3], minutes[3]),
        KeyUse("203.0.113.7", 1, minutes[2], minutes[2]),
        KeyUse("198.51.100.20", 2, minutes[0], minutes[1]),
    ]


async def test_the_last_use_is_the_latest_moment_not_the_latest_entry(storage: Storage) -> None:
    await append(storage, sample.entry(at=sample.NOW + sample.HOUR), sample.entry(at=sample.NOW))
    assert await storage.read(lambda reader: reader.last_use("acme", "key_1")) == sample.NOW + sample.HOUR
    assert await storage.read(lambda reader: reader.last_use("acme", "key_2")) is None
    assert await storage.read(lambda reader: reader.last_use("other", "key_1")) is None


async def test_traffic_counts_requests_by_address_most_first(storage: Storage) -> None:
    await append(
        storage,
        sample.entry(source_ip="203.0.113.7"),
        *(sample.entry(at=sample.NOW + step * sample.HOUR) for step in range(3)),
        sample.entry(app="till"),
        sample.entry(dealer="other"),
        sample.entry(source_ip=None),
    )
    assert list(await storage.read(lambda reader: reader.traffic("acme", "shop", sample.NOW))) == [
        Traffic("198.51.100.20", 3, sample.NOW + 2 * sample.HOUR, 1),
        Traffic("203.0.113.7", 1, sample.NOW, 1),
    ]


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind is not Kind.API_CALL])
async def test_only_api_calls_are_traffic(storage: Storage, kind: Kind) -> None:
    await append(storage, sample.entry(kind=kind))
    assert list(await storage.read(lambda reader: reader.traffic("acme", "shop", sample.NOW))) == []


async def test_traffic_since_a_moment_includes_the_whole_of_its_hour(storage: Storage) -> None:
    hour = sample.NOW.replace(minute=0, second=0, microsecond=0)
    await append(storage, sample.entry(at=hour), sample.entry(at=hour - sample.TICK))
    late = hour + 59 * sample.MINUTE
    assert list(await storage.read(lambda reader: reader.traffic("acme", "shop", late))) == [
        Traffic("198.51.100.20", 1, hour, 1)
    ]


async def test_traffic_tells_on_how_many_days_an_address_called(storage: Storage) -> None:
    moments = [sample.NOW, sample.NOW + sample.MINUTE, sample.NOW + sample.DAY, sample.NOW + 5 * sample.DAY]
    await append(storage, *(sample.entry(at=moment) for moment in moments))
    (source,) = await storage.read(lambda reader: reader.traffic("acme", "shop", sample.NOW))
    assert (source.requests, source.days) == (4, 3)


async def test_the_extent_of_traffic_runs_from_its_first_hour_to_its_newest_request(storage: Storage) -> None:
    assert await storage.read(lambda reader: reader.traffic_extent("acme", "shop")) is None
    first = sample.NOW - 40 * sample.DAY
    await append(
        storage,
        sample.entry(at=first),
        sample.entry(at=sample.NOW, source_ip="203.0.113.7"),
        sample.entry(at=sample.NOW - sample.MINUTE),
        sample.entry(at=sample.NOW + sample.DAY, kind=Kind.TOOL_CALL),
        sample.entry(at=sample.NOW + sample.DAY, app="till"),
        sample.entry(at=sample.NOW + sample.DAY, dealer="other"),
    )
    hour = first.replace(minute=0, second=0, microsecond=0)
    assert await storage.read(lambda reader: reader.traffic_extent("acme", "shop")) == (hour, sample.NOW)


async def test_the_use_of_an_address_names_who_called_this_app_and_what_was_served(storage: Storage) -> None:
    await append(
        storage,
        sample.entry(actor="app:shop"),
        sample.entry(actor="app:shop", at=sample.NOW + sample.HOUR),
        sample.entry(actor="stranger", result=Result.DENIED),
        sample.entry(actor="earlier", at=sample.NOW - sample.DAY),
        sample.entry(actor="of another kind", kind=Kind.TOOL_CALL),
        sample.entry(actor="of another app", app="till"),
        sample.entry(actor="from elsewhere", source_ip="203.0.113.7"),
        sample.entry(actor="of another dealer", dealer="other"),
    )
    use = sample.work("address_use", "acme", "shop", "198.51.100.20", sample.NOW, 100)
    assert await storage.read(use) == AddressUse(("app:shop", "stranger"), 2)
    for nothing in [
        ("acme", "shop", "192.0.2.1"),
        ("acme", "none", "198.51.100.20"),
        ("none", "shop", "198.51.100.20"),
    ]:
        assert await storage.read(sample.work("address_use", *nothing, sample.NOW, 100)) == AddressUse((), 0)


async def test_the_use_of_an_address_looks_at_its_newest_entries_only(storage: Storage) -> None:
    await append(
        storage,
        sample.entry(actor="long ago"),
        sample.entry(actor="newer", at=sample.NOW + sample.HOUR),
        sample.entry(actor="newest", at=sample.NOW + sample.DAY, app="till"),
    )
    use = sample.work("address_use", "acme", "shop", "198.51.100.20", sample.NOW, 2)
    assert await storage.read(use) == AddressUse(("newer",), 1)


async def test_traffic_can_be_limited_to_addresses_that_called_on_several_days(storage: Storage) -> None:
    await append(
        storage,
        *(sample.entry(at=sample.NOW + step * sample.DAY) for step in range(3)),
        *(sample.entry(at=sample.NOW + step * sample.MINUTE, source_ip="203.0.113.7") for step in range(9)),
    )
    traffic = await storage.read(lambda reader: reader.traffic("acme", "shop", sample.NOW, 3))
    assert [one.source_ip for one in traffic] == ["198.51.100.20"]


@pytest.mark.parametrize(
    ("network", "last"),
    [
        ("198.51.100.20/32", sample.NOW + 30 * sample.HOUR),
        ("198.51.100.0/24", sample.NOW + 30 * sample.HOUR),
        ("0.0.0.0/0", sample.NOW + 40 * sample.HOUR),
        ("2001:db8::/32", sample.NOW),
        ("::/0", sample.NOW),
        ("198.51.100.21/32", None),
        ("192.0.2.0/24", None),
    ],
)
async def test_the_last_request_from_a_network_is_found(storage: Storage, network: str, last: datetime | None) -> None:
    await append(
        storage,
        sample.entry(at=sample.NOW + 30 * sample.HOUR),
        sample.entry(at=sample.NOW),
        sample.entry(at=sample.NOW + 40 * sample.HOUR, source_ip="203.0.113.7"),
        sample.entry(source_ip="2001:db8::7"),
        sample.entry(source_ip="192.0.2.1", app="till"),
        sample.entry(source_ip="192.0.2.2", dealer="other"),
        sample.entry(source_ip="192.0.2.3", kind=Kind.TOOL_CALL),
        sample.entry(source_ip="192.0.2.4", at=sample.NOW - sample.DAY),
    )
    found = sample.work("last_requests", "acme", "shop", [ip_network(network)], sample.NOW)
    assert await storage.read(found) == [last]
