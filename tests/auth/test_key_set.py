"""An issuer's keys: rotation is noticed, an outage is bridged for a while, and nobody can make us hammer the issuer."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import anyio
import pytest

from chekt_mcp.auth.key_set import KeySet
from chekt_mcp.auth.signing_keys import MOST_KEYS, SigningKey, read_keys
from chekt_mcp.auth.token_problem import Fault
from token_mint import Mint, key_set

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
OLD, NEW = Mint("ES256", "old"), Mint("ES256", "new", 1)


class Issuer:
    """Publishes keys, or does not answer; counts the questions."""

    def __init__(self, *keys: Mapping[str, Any]) -> None:
        self.document: bytes | None = key_set(*keys)
        self.asked = 0
        self.open = anyio.Event()
        self.open.set()

    async def __call__(self) -> bytes | None:
        self.asked += 1
        await self.open.wait()
        return self.document


async def kid(keys: KeySet, key_id: str, now: datetime) -> str | None:
    found = await keys.key("ES256", key_id, now)
    return found.key_id if isinstance(found, SigningKey) else found.value


async def test_keys_are_asked_for_once_in_ten_minutes() -> None:
    issuer = Issuer(OLD.jwk)
    keys = KeySet(issuer)
    for seconds in range(0, 600, 7):
        assert await kid(keys, "old", NOW + seconds * SECOND) == "old"
    assert issuer.asked == 1
    assert await kid(keys, "old", NOW + 10 * MINUTE) == "old"
    assert issuer.asked == 2


async def test_a_new_key_is_found_when_a_token_names_it_and_the_old_one_ends_with_its_publication() -> None:
    issuer = Issuer(OLD.jwk)
    keys = KeySet(issuer)
    assert await kid(keys, "old", NOW) == "old"
    issuer.document = key_set(NEW.jwk)
    assert await kid(keys, "new", NOW + MINUTE) == "new"
    assert await kid(keys, "old", NOW + MINUTE) == Fault.UNKNOWN_SIGNING_KEY


async def test_a_key_swapped_under_the_same_kid_replaces_the_one_before() -> None:
    issuer = Issuer(OLD.jwk)
    keys = KeySet(issuer)
    before = await keys.key("ES256", "old", NOW)
    issuer.document = key_set({**NEW.jwk, "kid": "old"})
    after = await keys.key("ES256", "old", NOW + 10 * MINUTE)
    assert isinstance(before, SigningKey)
    assert isinstance(after, SigningKey)
    assert before.public.public_numbers() != after.public.public_numbers()


async def test_a_flood_of_unknown_kids_asks_the_issuer_once_a_minute() -> None:
    issuer = Issuer(OLD.jwk)
    keys = KeySet(issuer)
    for number in range(1200):
        assert await kid(keys, f"random-{number}", NOW + number * 0.25 * SECOND) == Fault.UNKNOWN_SIGNING_KEY
    assert issuer.asked == 5
    assert await kid(keys, "old", NOW + 5 * MINUTE) == "old"
    assert issuer.asked == 5


async def test_those_who_come_together_share_one_question() -> None:
    issuer = Issuer(OLD.jwk)
    issuer.open = anyio.Event()
    keys, found = KeySet(issuer), list[str | None]()

    async def ask() -> None:
        found.append(await kid(keys, "old", NOW))

    async with anyio.create_task_group() as group:
        for _ in range(50):
            group.start_soon(ask)
        await anyio.wait_all_tasks_blocked()
        issuer.open.set()
    assert found == ["old"] * 50
    assert issuer.asked == 1


async def test_nobody_waits_for_a_slow_issuer_while_the_key_is_at_hand() -> None:
    issuer = Issuer(OLD.jwk)
    keys = KeySet(issuer)
    await keys.key("ES256", "old", NOW)
    issuer.open = anyio.Event()
    async with anyio.create_task_group() as group:
        group.start_soon(keys.key, "ES256", "old", NOW + 11 * MINUTE)
        await anyio.wait_all_tasks_blocked()
        assert await kid(keys, "old", NOW + 11 * MINUTE) == "old"
        issuer.open.set()
    assert issuer.asked == 2


async def test_a_client_that_goes_away_does_not_break_off_the_question() -> None:
    issuer = Issuer(OLD.jwk)
    issuer.open = anyio.Event()
    keys = KeySet(issuer)
    async with anyio.create_task_group() as group:
        group.start_soon(keys.key, "ES256", "old", NOW)
        await anyio.wait_all_tasks_blocked()
        group.cancel_scope.cancel()
        issuer.open.set()
    assert await kid(keys, "old", NOW) == "old"
    assert issuer.asked == 1


@pytest.mark.parametrize("answer", [None, b"", b"<html>", b"[]", b'{"keys":{}}', b'{"keys":[],"keys":[]}'])
async def test_an_outage_is_bridged_for_an_hour_and_then_refused_as_what_it_is(answer: bytes | None) -> None:
    issuer = Issuer(OLD.jwk)
    keys = KeySet(issuer)
    await keys.key("ES256", "old", NOW)
    issuer.document = answer
    for minutes in range(60):
        assert await kid(keys, "old", NOW + minutes * MINUTE) == "old"
    assert await kid(keys, "old", NOW + 60 * MINUTE) == Fault.ISSUER_UNAVAILABLE
    issuer.document = key_set(OLD.jwk)
    assert await kid(keys, "old", NOW + 61 * MINUTE) == "old"


async def test_an_issuer_that_does_not_answer_is_asked_every_half_minute_at_most() -> None:
    issuer = Issuer()
    issuer.document = None
    keys = KeySet(issuer)
    for seconds in range(120):
        assert await kid(keys, "old", NOW + seconds * SECOND) == Fault.ISSUER_UNAVAILABLE
    assert issuer.asked == 4


async def test_an_issuer_that_withdraws_all_its_keys_is_believed() -> None:
    issuer = Issuer(OLD.jwk)
    keys = KeySet(issuer)
    await keys.key("ES256", "old", NOW)
    issuer.document = key_set()
    assert await kid(keys, "old", NOW + 10 * MINUTE) == Fault.UNKNOWN_SIGNING_KEY


async def test_after_the_clock_was_put_back_the_issuer_is_asked_anew() -> None:
    issuer = Issuer(OLD.jwk)
    keys = KeySet(issuer)
    await keys.key("ES256", "old", NOW)
    assert await kid(keys, "old", NOW - 24 * 60 * MINUTE) == "old"
    assert issuer.asked == 2


def test_a_key_set_has_a_hundred_keys_at_most() -> None:
    assert read_keys(key_set(*[OLD.jwk] * MOST_KEYS)) is not None
    assert read_keys(key_set(*[OLD.jwk] * (MOST_KEYS + 1))) is None
