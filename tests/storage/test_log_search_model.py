"""Any combination of filters finds what a plain filter in Python finds, page by page, while the log goes on growing."""

from __future__ import annotations

import json
import random
from dataclasses import fields, replace
from ipaddress import ip_address, ip_network
from typing import Any

import pytest

import storage_samples as sample
from chekt_mcp.domain.audit import Entry, Kind, NewEntry, Query, Result
from chekt_mcp.domain.choice import Choice
from chekt_mcp.storage.interface import Storage
from chekt_mcp.storage.sqlite import log_pages, log_sifting, log_stretches, request_key

pytestmark = pytest.mark.anyio

VALUES: dict[str, list[Any]] = {
    "app": ["shop", "till", None],
    "actor": ["app:shop", "Jane", "Ja%ne, the 2nd"],
    "action": ["GET /v1/devices", "key.rotate", "POST /v1/alarms"],
    "kind": list(Kind),
    "scope": ["devices:read", "alarms:write", None],
    "result": list(Result),
    "request_id": ["req_1", "req_2", "req_3"],
    "key_id": ["key_1", "key_2", None],
    "source_ip": ["198.51.100.20", "198.51.100.21", "203.0.113.9", "2001:db8::1", "not an address", None],
    "details": [{"user_agent": "night-watch"}, {"note": 'say "hi"'}, {}],
}
NAMED = ("actor", "action", "kind", "scope", "result", "request_id", "key_id")
NETWORKS = [
    ip_network(text) for text in ("198.51.100.20/32", "198.51.100.0/24", "0.0.0.0/0", "2001:db8::/32", "192.0.2.0/24")
]
TEXTS = ["WATCH", "jane", "rotate", "/v1/", '"hi"', "a", "ja%n", "nowhere"]


def random_entry(dice: random.Random) -> Any:
    chosen = {name: dice.choice(values) for name, values in VALUES.items()}
    return sample.entry(at=sample.NOW + dice.randrange(6) * sample.MINUTE, **chosen)


def random_choice(dice: random.Random, values: list[Any]) -> Choice[Any]:
    chosen = dice.sample(values, dice.choice([1, 1, 2]))
    return Choice(tuple(chosen), negated=dice.random() < 0.4)


def random_query(dice: random.Random) -> Query:
    """Name each condition sometimes, so that all of them meet in some query."""
    conditions: dict[str, Any] = {
        name: random_choice(dice, [*(value for value in VALUES[name] if value is not None), *unknown])
        for name in NAMED
        for unknown in [[] if name in ("kind", "result") else ["never heard of"]]
        if dice.random() < 0.2
    }
    if dice.random() < 0.3:
        conditions["source_network"] = random_choice(dice, NETWORKS)
    if dice.random() < 0.3:
        conditions["text"] = random_choice(dice, TEXTS)
    if dice.random() < 0.3:
        conditions["since"] = sample.NOW + dice.randrange(4) * sample.MINUTE
        conditions["until"] = sample.NOW + 5 * sample.MINUTE
    apps = dice.choice([("shop",), ("shop", "till"), ("till", "unknown")])
    return sample.query(apps=apps, dealer_wide=dice.random() < 0.3, **conditions)


def fits(entry: Entry, query: Query) -> bool:
    """Say the conditions over again, in the plainest way."""
    texts = [entry.actor, entry.action, json.dumps(dict(entry.details))]
    in_text = [piece for piece in TEXTS if any(json.dumps(piece)[1:-1].lower() in one.lower() for one in texts)]
    address = entry.source_ip if entry.source_ip not in (None, "not an address") else None
    networks = [network for network in NETWORKS if address is not None and ip_address(address) in network]
    own = {name: [getattr(entry, name)] for name in NAMED} | {"text": in_text, "source_network": networks}
    chosen = {name: choice for name in own if (choice := getattr(query, name)) is not None}
    return (
        (entry.app in query.apps or (entry.app is None and query.dealer_wide))
        and query.since <= entry.timestamp < query.until
        and all(bool(set(choice.values) & set(own[name])) != choice.negated for name, choice in chosen.items())
    )


async def append(storage: Storage, entries: list[Any]) -> list[Entry]:
    """Append, and return the entries as the log then has them."""
    numbers = await storage.write(lambda writer: writer.append(entries))
    values = [{one.name: getattr(entry, one.name) for one in fields(NewEntry)} for entry in entries]
    return [Entry(**value, seq=seq) for value, seq in zip(values, numbers, strict=True)]


def newest_first(entries: list[Entry]) -> list[Entry]:
    return sorted(entries, key=lambda entry: (entry.timestamp, entry.seq), reverse=True)


@pytest.mark.parametrize("seed", range(5))
async def test_any_combination_of_conditions_finds_what_a_plain_filter_finds(storage: Storage, seed: int) -> None:
    dice = random.Random(seed)  # noqa: S311 -- repeatable, not secret
    everything = newest_first(await append(storage, [random_entry(dice) for _ in range(150)]))
    for _ in range(60):
        query, limit = random_query(dice), dice.choice([1, 7, 1_000])
        expected = [entry for entry in everything if fits(entry, query)]
        assert list(await storage.scan(sample.work("search", query, limit))) == expected[:limit], query
        assert await storage.scan(sample.work("count", query, limit)) == len(expected[:limit]), query


@pytest.fixture(params=["as it is", "short of everything"])
def room(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let pages have their usual room, or so little of it that every way of going on is needed."""
    if request.param == "short of everything":
        for module in (log_sifting, log_stretches):
            monkeypatch.setattr(module, "STRETCH_BITS", 3)
        for module, room in {
            log_pages: {"FEW": 9, "FIRST_LOOK": 5, "MOST_WALKED": 20, "MOST_LISTED": 7, "MOST_SORTED": 30},
            log_sifting: {"MOST_READ": 20, "PASSED_OVER": 1},
            request_key: {"RUN_BITS": 5, "PART_BITS": 2},
        }.items():
            for name, value in room.items():
                monkeypatch.setattr(module, name, value)


@pytest.mark.usefixtures("room")
@pytest.mark.parametrize("seed", range(4))
async def test_pages_hold_every_entry_once_while_others_are_appended(storage: Storage, seed: int) -> None:
    dice = random.Random(seed)  # noqa: S311 -- as above
    everything = await append(storage, [random_entry(dice) for _ in range(200)])
    for _ in range(12):
        query, paged, limit = random_query(dice), list[Entry](), dice.choice([1, 7, 50])
        expected = [entry for entry in newest_first(everything) if fits(entry, query)]
        while True:
            page = await storage.scan(sample.work("search_page", query, limit))
            paged += page.entries
            if page.following is None:
                break
            assert query.before is None or page.following < query.before, "every page gets further"
            assert len(page.entries) == limit or not page.full
            query = replace(query, before=page.following)
            if len(everything) < 400:
                everything += await append(storage, [random_entry(dice) for _ in range(5)])
        assert paged == newest_first(paged)
        assert len({entry.seq for entry in paged}) == len(paged)
        assert {entry.seq for entry in expected} <= {entry.seq for entry in paged}


@pytest.mark.usefixtures("room")
async def test_a_page_that_is_said_to_be_complete_is(storage: Storage) -> None:
    dice = random.Random(9)  # noqa: S311 -- as above
    in_order = [replace(random_entry(dice), timestamp=sample.NOW + number * sample.TICK) for number in range(300)]
    everything = newest_first(await append(storage, in_order))
    for _ in range(60):
        query, limit = random_query(dice), dice.choice([3, 1_000])
        page = await storage.scan(sample.work("search_page", query, limit))
        expected = [entry for entry in everything if fits(entry, query)]
        assert list(page.entries) == expected[: len(page.entries)]
        if page.following is None:
            assert list(page.entries) == expected
        if page.full and not page.at_least:
            assert page.further == len(expected) - limit
