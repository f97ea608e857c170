from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_network
from typing import Any

import pytest

import storage_samples as sample
from chekt_mcp.domain.audit import Kind, Position, Result
from chekt_mcp.domain.choice import Choice, any_of, none_of
from chekt_mcp.errors import InvalidInput
from chekt_mcp.storage.interface import Storage

pytestmark = pytest.mark.anyio


async def append(storage: Storage, *entries: Any) -> None:
    await storage.write(lambda writer: writer.append(entries))


async def test_newest_first_and_of_equal_moments_the_later_written_first(storage: Storage) -> None:
    later = sample.NOW + sample.MINUTE
    await append(
        storage, sample.entry("a", at=later), sample.entry("b"), sample.entry("c", at=later), sample.entry("d")
    )
    assert await sample.request_ids(storage) == ["c", "a", "d", "b"]


async def test_since_is_inside_and_until_is_not(storage: Storage) -> None:
    await append(storage, *(sample.entry(str(step), at=sample.NOW + step * sample.TICK) for step in range(4)))
    assert await sample.request_ids(storage, since=sample.NOW + sample.TICK, until=sample.NOW + 3 * sample.TICK) == [
        "2",
        "1",
    ]


async def test_only_the_named_apps_of_the_named_dealer_are_seen(storage: Storage) -> None:
    await append(
        storage,
        sample.entry("mine"),
        sample.entry("till", app="till"),
        sample.entry("third", app="third"),
        sample.entry("nobody's", app=None),
        sample.entry("foreign", dealer="other"),
    )
    assert await sample.request_ids(storage) == ["mine"]
    assert await sample.request_ids(storage, apps=("till", "shop", "never-heard-of")) == ["till", "mine"]
    assert await sample.request_ids(storage, apps=()) == []
    assert await sample.request_ids(storage, dealer="never-heard-of") == []


FILTERS: list[dict[str, Any]] = [
    {"actor": "operator"},
    {"action": "key.rotate"},
    {"kind": Kind.WEBHOOK_DELIVERY},
    {"scope": "keys:write"},
    {"result": Result.DENIED},
    {"request_id": "wanted"},
    {"key_id": "key_9"},
]


@pytest.mark.parametrize("wanted", FILTERS, ids=lambda wanted: next(iter(wanted)))
async def test_each_filter_keeps_what_it_names(storage: Storage, wanted: dict[str, Any]) -> None:
    await append(storage, sample.entry("a"), replace(sample.entry("b"), **wanted), sample.entry("c", app="till"))
    assert [entry.seq for entry in await sample.search(storage, **wanted)] == [2]
    assert [entry.seq for entry in await sample.search(storage, **wanted, apps=("till",))] == []


@pytest.mark.parametrize("wanted", FILTERS, ids=lambda wanted: next(iter(wanted)))
async def test_a_filter_for_what_the_log_never_held_finds_nothing(storage: Storage, wanted: dict[str, Any]) -> None:
    await append(storage, sample.entry("a"))
    assert await sample.search(storage, **wanted) == []


CHOICES: dict[str, tuple[Choice[Any], list[str]]] = {
    "several": (any_of("GET /v1/devices", "key.rotate"), ["rotate", "get"]),
    "several, one unknown": (any_of("key.rotate", "never heard of"), ["rotate"]),
    "none of one": (none_of("key.rotate"), ["post", "get"]),
    "none of several": (none_of("key.rotate", "POST /v1/alarms"), ["get"]),
    "none of what is unknown": (none_of("never heard of"), ["rotate", "post", "get"]),
}


@pytest.mark.parametrize(("actions", "found"), CHOICES.values(), ids=CHOICES)
async def test_a_filter_takes_several_values_and_can_be_negated(
    storage: Storage, actions: Choice[str], found: list[str]
) -> None:
    await append(
        storage,
        sample.entry("get"),
        sample.entry("post", action="POST /v1/alarms"),
        sample.entry("rotate", action="key.rotate"),
    )
    assert await sample.request_ids(storage, action=actions) == found


@pytest.mark.parametrize("field", ["scope", "key_id", "source_network"])
async def test_what_has_no_value_fits_a_negated_filter_only(storage: Storage, field: str) -> None:
    column = "source_ip" if field == "source_network" else field
    without: dict[str, Any] = {column: None}
    await append(storage, sample.entry("with"), sample.entry("without", **without))
    named = ip_network("198.51.100.20/32") if field == "source_network" else getattr(sample.entry(), field)
    assert await sample.request_ids(storage, **{field: any_of(named)}) == ["with"]
    assert await sample.request_ids(storage, **{field: none_of(named)}) == ["without"]


NETWORKS = {
    "198.51.100.20/32": ["v4"],
    "198.51.100.0/24": ["v4-last", "v4"],
    "0.0.0.0/0": ["v4-other", "v4-last", "v4"],
    "2001:db8::/32": ["v6"],
    "2001:db8::1/128": ["v6"],
    "::/0": ["v6"],
    "::ffff:198.51.100.0/120": ["v4-last", "v4"],
    "192.0.2.0/24": [],
}


@pytest.mark.parametrize(("network", "found"), NETWORKS.items(), ids=NETWORKS)
async def test_a_network_holds_its_addresses_of_its_own_family(
    storage: Storage, network: str, found: list[str]
) -> None:
    await append(
        storage,
        sample.entry("v4", source_ip="198.51.100.20"),
        sample.entry("v4-last", source_ip="198.51.100.255"),
        sample.entry("v4-other", source_ip="203.0.113.7"),
        sample.entry("v6", source_ip="2001:db8::1"),
        sample.entry("none", source_ip=None),
        sample.entry("no-address", source_ip="what is this"),
    )
    assert await sample.request_ids(storage, source_network=ip_network(network)) == found


async def test_a_network_with_very_many_addresses_is_searched_too(storage: Storage) -> None:
    await append(storage, *(sample.entry(str(n), source_ip=f"10.0.{n // 250}.{n % 250}") for n in range(500)))
    found = await sample.request_ids(storage, source_network=ip_network("10.0.0.0/8"))
    assert found == [str(n) for n in reversed(range(500))]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("NIGHT-watch", ["agent"]),
        ("rotate", ["action"]),
        ("jane", ["actor"]),
        ("100%", ["percent"]),
        ("a_b", ["underscore"]),
        ("back\\slash", ["backslash"]),
        ('say "hi"', ["quote"]),
        ("Büro", ["umlaut"]),
        ("line\nbreak", ["newline"]),
        ("\udc80", ["surrogate"]),
        ("lone \udc80", ["surrogate"]),
        ("nowhere", []),
    ],
)
async def test_text_is_found_in_actor_action_and_details(storage: Storage, text: str, found: list[str]) -> None:
    await append(
        storage,
        sample.entry("agent"),
        sample.entry("action", action="key.rotate", details={}),
        sample.entry("actor", actor="Jane", details={}),
        sample.entry("percent", details={"disk": "at 100% now"}),
        sample.entry("almost percent", details={"disk": "at 1000 now"}),
        sample.entry("underscore", details={"name": "a_b"}),
        sample.entry("almost underscore", details={"name": "axb"}),
        sample.entry("backslash", details={"path": "back\\slash"}),
        sample.entry("quote", details={"said": 'say "hi"'}),
        sample.entry("umlaut", actor="Büro", details={}),
        sample.entry("newline", details={"text": "line\nbreak"}),
        sample.entry("surrogate", details={"text": "a lone \udc80"}),
    )
    assert await sample.request_ids(storage, text=text) == found


async def test_text_too_long_to_search_for_is_refused_by_name(storage: Storage) -> None:
    await append(storage, sample.entry())
    with pytest.raises(InvalidInput) as refused:
        await sample.search(storage, text="x" * 100_000)
    assert refused.value.field == "text"


@pytest.mark.parametrize(
    "hostile", ["' OR 1=1 --", "%", "_", "\\", "'; DROP TABLE entries; --", "\0", "\ud800", "null"]
)
async def test_what_is_asked_for_is_data(storage: Storage, hostile: str) -> None:
    await append(storage, sample.entry())
    for field in ("actor", "action", "scope", "request_id", "key_id", "dealer"):
        changes: dict[str, Any] = {field: hostile}
        assert await sample.search(storage, **changes) == []
    assert await sample.search(storage, apps=(hostile,)) == []
    await sample.search(storage, text=hostile)
    assert len(await sample.search(storage)) == 1


@pytest.mark.parametrize("forged", [Position(2**70, 2**70), Position(-(2**70), -(2**70)), Position(0, 0)])
async def test_a_position_from_nowhere_is_survived(storage: Storage, forged: Position) -> None:
    await append(storage, sample.entry())
    assert len(await sample.search(storage, before=forged)) == (1 if forged.microseconds > 0 else 0)


async def test_count_stops_at_its_limit(storage: Storage) -> None:
    await append(storage, *(sample.entry(str(n), app=("shop", "till")[n % 2]) for n in range(20)))
    both = sample.query(apps=("shop", "till"))
    assert await storage.read(lambda reader: reader.count(both, 100)) == 20
    assert await storage.read(lambda reader: reader.count(both, 15)) == 15
    assert await storage.read(lambda reader: reader.count(sample.query(), 15)) == 10


async def test_a_request_is_found_in_every_app_and_without_one(storage: Storage) -> None:
    await append(
        storage,
        sample.entry("same"),
        sample.entry("same", app=None, at=sample.NOW + sample.MINUTE),
        sample.entry("same", app="till"),
        sample.entry("same", dealer="other"),
        sample.entry("else"),
    )
    found = await storage.read(lambda reader: reader.entries_by_request_id("acme", "same", 10))
    assert [entry.app for entry in found] == [None, "till", "shop"]
    assert len(await storage.read(lambda reader: reader.entries_by_request_id("acme", "same", 2))) == 2
