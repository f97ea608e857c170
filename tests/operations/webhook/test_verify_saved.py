"""Verifying at the terminal: the tool's verdicts, the operator's reach, a log entry, an event loop left free."""

from __future__ import annotations

import asyncio
import threading

import pytest

from chekt_mcp.errors import NotFound
from chekt_mcp.operations.operator import at_terminal
from chekt_mcp.operations.webhook import verify_delivery
from chekt_mcp.operations.webhook.verify_delivery import Delivery
from chekt_mcp.operations.webhook.verify_saved import SavedDeliveryCheck
from world import World

pytestmark = pytest.mark.anyio

BODY = b'{"id": "evt_2hKqx9", "type": "alarm.created"}'
OPERATOR = at_terminal("ada", "req_1")


def check(world: World, app: str = "shop") -> SavedDeliveryCheck:
    return SavedDeliveryCheck(world.services(), OPERATOR, "acme", app)


async def test_a_genuine_delivery_is_valid_once_noted_and_on_record(world: World) -> None:
    await world.add_app("shop")
    delivery = Delivery(world.sign(BODY), BODY)
    first, second = await check(world).verify(delivery), await check(world).verify(delivery)
    assert (first["verdict"], second["verdict"]) == ("valid", "replayed")
    entries = await world.entries()
    assert [(one.action, one.actor, one.source, one.request_id) for one in entries] == [
        ("webhook.verify", "terminal:ada", "terminal", "req_1")
    ] * 2
    assert [one.details["verdict"] for one in entries] == ["valid", "replayed"]
    assert [one.details["seen"] for one in entries] == [1, 2]


async def test_headers_that_came_twice_stay_twice(world: World) -> None:
    await world.add_app("shop")
    pairs = [*world.sign(BODY).items(), ("x-chekt-timestamp", "1")]
    result = await check(world).verify(Delivery(pairs, BODY))
    assert (result["verdict"], result["cause"]) == ("malformed", "header_repeated")


async def test_another_app_of_the_dealer_is_recognised_and_never_one_of_another_dealer(world: World) -> None:
    await world.add_app("shop")
    await world.add_app("depot")
    await world.add_app("rival", dealer="rivals")
    ours = await check(world).verify(Delivery(world.sign(BODY, app="depot"), BODY))
    theirs = await check(world).verify(Delivery(world.sign(BODY, app="rival", dealer="rivals"), BODY))
    assert "depot" in ours["explanation"]
    assert "rival" not in str(theirs)
    assert (ours["verdict"], theirs["verdict"]) == ("invalid", "invalid")
    assert [one.details["cause"] for one in await world.entries()] == [ours["cause"], theirs["cause"]]


async def test_an_app_of_another_dealer_reads_as_unknown(world: World) -> None:
    await world.add_app("shop")
    await world.add_app("rival", dealer="rivals")
    for name in ("rival", "nobody"):
        with pytest.raises(NotFound) as refused:
            await check(world, name).verify(Delivery({}, BODY))
        assert refused.value.code == "unknown_app"
    assert await world.entries() == []


async def test_the_event_loop_is_free_while_a_failure_is_diagnosed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.add_app("shop")
    loop, begun, free = asyncio.get_running_loop(), asyncio.Event(), threading.Event()

    def slow(*_: object, **__: object) -> None:
        loop.call_soon_threadsafe(begun.set)
        assert free.wait(10), "the event loop never came to set this"

    monkeypatch.setattr(verify_delivery, "diagnose", slow)
    verifying = asyncio.create_task(check(world).verify(Delivery(world.sign(BODY), b"{}")))
    await begun.wait()
    free.set()
    assert (await verifying)["verdict"] == "invalid"
