"""An accepted event is handed on until the target takes it, or a person is told that it was given up."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest

from chekt_mcp.domain.audit import Entry
from chekt_mcp.errors import SecretUnreadable
from chekt_mcp.hand_on.interface import HandedEvent, NotTaken, Trouble
from chekt_mcp.operations.webhook.deliver_due import Delivered, deliver_due
from chekt_mcp.operations.webhook.receive_delivery import Arrival, take_in, verify_arrival
from chekt_mcp.operations.webhook.receiver_secrets import ReceiverSecrets
from chekt_mcp.secrets.sealing import Sealer
from chekt_mcp.storage.records import QueueExtent
from world import World

pytestmark = pytest.mark.anyio
REFUSES = NotTaken(Trouble.REFUSED, "status 500")


class Crash(BaseException):
    """The end of a process, as far as one can be had inside a test."""


@dataclass
class Recorder:
    """A target that keeps what it is given and answers in turn; once out of answers it takes everything."""

    answers: list[NotTaken | Crash | None] = field(default_factory=list)
    events: list[HandedEvent] = field(default_factory=list)

    async def hand_on(self, event: HandedEvent) -> NotTaken | None:
        self.events.append(event)
        answer = self.answers.pop(0) if self.answers else None
        if isinstance(answer, Crash):
            raise answer
        return answer

    async def close(self) -> None:
        pass


class Refuser(Recorder):
    """A target that takes nothing."""

    async def hand_on(self, event: HandedEvent) -> NotTaken | None:
        self.events.append(event)
        return REFUSES


@pytest.fixture
async def shop(world: World) -> World:
    await world.add_app("shop")
    return world


async def accept(world: World, event_id: str = "evt_1", body: bytes | None = None) -> bytes:
    """Take a delivery in, as the receiver does."""
    services = world.services()
    sent = body or json.dumps({"id": event_id, "type": "alarm.created", "data": "MARKER"}).encode()
    headers = [*world.sign(sent).items(), ("Cookie", "x=1"), ("Content-Type", "application/json")]
    arrival = Arrival("acme", "shop", headers, sent, world.clock(), f"req_{event_id}")
    tried = await ReceiverSecrets(services, "acme").of("shop", world.clock())
    assert await take_in(services, arrival, verify_arrival(services, arrival, tried), tried) == "accepted"
    return sent


async def deliver(world: World, target: Recorder, **changes: Any) -> Delivered:
    return await deliver_due(replace(world.services(), **changes), "acme", "shop", target)


async def extent(world: World) -> QueueExtent:
    return await world.storage.read(lambda reader: reader.event_queue("acme", "shop"))


async def ends(world: World) -> list[Entry]:
    return [entry for entry in await world.entries() if entry.action == "hand_on"]


async def test_the_target_gets_the_delivery_as_it_came(shop: World) -> None:
    target, body = Recorder(), await accept(shop)
    assert await deliver(shop, target) == Delivered(taken=1)
    (event,) = target.events
    assert (event.body, event.app, event.event_id, event.attempt) == (body, "shop", "evt_1", 1)
    assert event.headers == {**shop.sign(body), "Content-Type": "application/json"}
    assert await extent(shop) == QueueExtent(0, None, 0)
    assert await deliver(shop, target) == Delivered()


async def test_a_body_that_is_no_text_arrives_byte_for_byte(shop: World) -> None:
    target, body = Recorder(), bytes(range(256)) * 100
    await accept(shop, body=body)
    await deliver(shop, target)
    assert target.events[0].body == body
    assert target.events[0].event_id is None


async def test_the_end_is_in_the_log_under_the_request_id_of_the_delivery(shop: World) -> None:
    await accept(shop)
    await deliver(shop, Recorder())
    (entry,) = await ends(shop)
    assert (entry.kind, entry.result, entry.request_id) == ("webhook_delivery", "ok", "req_evt_1")
    assert entry.details == {"outcome": "handed_on", "event_id": "evt_1", "attempts": 1}


async def test_what_is_not_taken_comes_again_after_growing_pauses(shop: World) -> None:
    target = Recorder([REFUSES, REFUSES])
    await accept(shop)
    assert await deliver(shop, target) == Delivered(postponed=1)
    for pause in (5, 10):
        shop.clock.forward(seconds=pause, microseconds=-1)
        assert await deliver(shop, target) == Delivered()
        shop.clock.forward(microseconds=1)
        await deliver(shop, target)
    assert [event.attempt for event in target.events] == [1, 2, 3]
    assert len({event.queue_id for event in target.events}) == 1
    assert (await extent(shop)).waiting == 0


async def test_one_that_is_not_taken_holds_up_no_other(shop: World) -> None:
    target = Recorder([REFUSES])
    for number in range(3):
        await accept(shop, f"evt_{number}")
    assert await deliver(shop, target) == Delivered(taken=2, postponed=1)


async def test_after_thirty_attempts_an_event_is_given_up_kept_and_logged(shop: World) -> None:
    target = Refuser()
    await accept(shop)
    began = shop.clock()
    while (await extent(shop)).waiting:
        await deliver(shop, target)
        shop.clock.forward(hours=1)
    assert [event.attempt for event in target.events] == list(range(1, 31))
    assert shop.clock() - began <= timedelta(hours=30)
    assert await extent(shop) == QueueExtent(0, None, 1)
    (entry,) = await ends(shop)
    assert entry.result == "error"
    assert entry.details == {
        "outcome": "given_up",
        "trouble": "refused",
        "detail": "status 500",
        "event_id": "evt_1",
        "attempts": 30,
    }


async def test_a_person_can_let_it_begin_anew(shop: World) -> None:
    await test_after_thirty_attempts_an_event_is_given_up_kept_and_logged(shop)
    await shop.storage.write(lambda writer: writer.revive_events("acme", "shop", shop.clock()))
    target = Recorder()
    assert await deliver(shop, target) == Delivered(taken=1)
    assert (target.events[0].event_id, target.events[0].attempt) == ("evt_1", 1)


async def test_after_a_crash_it_comes_again_with_the_same_ids_once_the_lease_ends(shop: World) -> None:
    target = Recorder([Crash()])
    await accept(shop)
    with pytest.raises(Crash):
        await deliver(shop, target)
    shop.clock.forward(seconds=59)
    assert await deliver(shop, target) == Delivered()
    shop.clock.forward(seconds=1)
    assert await deliver(shop, target) == Delivered(taken=1)
    first, again = target.events
    assert (first.event_id, first.queue_id, first.body) == (again.event_id, again.queue_id, again.body)


async def test_an_event_that_ends_every_process_is_given_up_in_the_end(shop: World) -> None:
    target = Recorder([Crash() for _ in range(30)])
    await accept(shop)
    for _ in range(30):
        with pytest.raises(Crash):
            await deliver(shop, target)
        shop.clock.forward(minutes=1)
    assert await deliver(shop, target) == Delivered(given_up=1)
    assert len(target.events) == 30


async def test_a_target_that_took_longer_than_its_lease_has_taken_it(shop: World) -> None:
    await accept(shop)

    class Slow(Recorder):
        async def hand_on(self, event: HandedEvent) -> NotTaken | None:
            shop.clock.forward(seconds=61)
            assert await deliver(shop, other) == Delivered(taken=1)
            return await super().hand_on(event)

    other, slow = Recorder(), Slow()
    await deliver(shop, slow)
    assert other.events[0].queue_id == slow.events[0].queue_id
    assert len(await ends(shop)) == 1


async def test_with_a_wrong_key_encryption_key_an_event_waits_and_is_not_lost(shop: World) -> None:
    await accept(shop)
    target, wrong = Recorder(), Sealer(b"w" * 32, shop.random)
    assert await deliver(shop, target, sealing=lambda: wrong) == Delivered(postponed=1)
    shop.clock.forward(seconds=5)
    assert await deliver(shop, target) == Delivered(taken=1)


async def test_a_row_moved_to_another_place_does_not_open(shop: World) -> None:
    await accept(shop)
    now = shop.clock()
    taken = await shop.storage.write(lambda writer: writer.take_event("acme", "shop", now, now + timedelta(minutes=1)))
    assert taken is not None
    await shop.storage.write(lambda writer: writer.enqueue_event(replace(taken, queue_id="que_other", due_at=now)))
    target = Recorder()
    assert await deliver(shop, target) == Delivered(postponed=1)
    assert target.events == []


async def test_a_queued_body_lies_in_the_state_encrypted_only(shop: World) -> None:
    body = await accept(shop)
    await deliver(shop, Recorder([REFUSES]))
    stored = b"".join(path.read_bytes() for path in shop.directory.rglob("*") if path.is_file())
    assert b"MARKER" not in stored
    assert shop.sign(body)["X-CHeKT-Signature"].encode() not in stored
    assert b"evt_1" in stored


async def test_a_locked_away_key_refuses_deliveries_before_they_are_claimed(shop: World) -> None:
    def no_key() -> Sealer:
        raise SecretUnreadable("The key-encryption key cannot be read.")

    with pytest.raises(SecretUnreadable):
        await ReceiverSecrets(replace(shop.services(), sealing=no_key), "acme").of("shop", shop.clock())
    await accept(shop)
