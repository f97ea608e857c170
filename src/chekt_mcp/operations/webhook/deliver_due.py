"""Handing on what is due: each event is taken under a lease, given to the target, and forgotten once it was taken.

At least once, and never silently dropped. A crash, or a loss of the state's disk, between the target's yes and
our note of it means one more attempt, with the same event id and queue id: a target that counts must go by those.
What is tried when, and when it is left to a person: `domain/webhook/hand_on.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from chekt_mcp.domain.audit import Kind, NewEntry, Result
from chekt_mcp.domain.exposure import redacted
from chekt_mcp.domain.foreign_text import escaped
from chekt_mcp.domain.webhook import lease_until
from chekt_mcp.domain.webhook.hand_on import MOST_ATTEMPTS, next_attempt
from chekt_mcp.errors import SecretUnreadable
from chekt_mcp.hand_on.interface import HandedEvent, NotTaken, Target, Trouble
from chekt_mcp.operations.keys.key_material import dealer_record
from chekt_mcp.operations.services import Services
from chekt_mcp.operations.webhook.queued_delivery import open_delivery
from chekt_mcp.storage.interface import Writer
from chekt_mcp.storage.records import QueuedEvent

ACTOR = "system:hand-on"
AT_A_TIME = 100
SHOWN = 120


@dataclass(frozen=True, slots=True)
class Delivered:
    """What one round came to: events the target took, events to be tried again, and events given up."""

    taken: int = 0
    postponed: int = 0
    given_up: int = 0

    @property
    def any(self) -> bool:
        """Whether anything was due."""
        return bool(self.taken or self.postponed or self.given_up)


async def deliver_due(
    services: Services, dealer: str, app: str, target: Target, *, at_most: int = AT_A_TIME
) -> Delivered:
    """Hand on what is due now, one after the other. The clock is that of the services.

    Raises:
        Unavailable: the state cannot be read or written; an event in hand comes again when its lease ends.
    """
    done = Delivered()
    for _ in range(at_most):
        event = await _take(services, dealer, app)
        if event is None:
            break
        trouble = await _hand_on(services, event, target)
        if trouble is None:
            await _taken(services, event)
            done = replace(done, taken=done.taken + 1)
        elif await _not_taken(services, event, trouble):
            done = replace(done, given_up=done.given_up + 1)
        else:
            done = replace(done, postponed=done.postponed + 1)
    return done


async def _take(services: Services, dealer: str, app: str) -> QueuedEvent | None:
    now = services.clock()
    next_due = (await services.storage.read(lambda reader: reader.event_queue(dealer, app))).next_due
    if next_due is None or next_due > now:
        return None  # asked every second: an idle receiver should keep no other process waiting
    until = datetime.fromtimestamp(lease_until(now.timestamp()), UTC)
    return await services.storage.write(lambda writer: writer.take_event(dealer, app, now, until))


async def _hand_on(services: Services, event: QueuedEvent, target: Target) -> NotTaken | None:
    if event.attempts > MOST_ATTEMPTS:  # every attempt ended with this process: it may well be the event's doing
        return NotTaken(Trouble.NOT_STARTED, "no attempt came to an end")
    dealer = await services.storage.read(lambda reader: dealer_record(reader, event.dealer))
    try:
        delivery = open_delivery(services.sealing(), dealer, event)
    except SecretUnreadable as error:  # with the right key-encryption key a later attempt succeeds
        return NotTaken(Trouble.NOT_STARTED, error.code)
    handed = HandedEvent(event.queue_id, event.app, event.event_id, event.attempts, delivery.headers, delivery.body)
    return await target.hand_on(handed)


async def _taken(services: Services, event: QueuedEvent) -> None:
    entry = _entry(event, services.clock(), Result.OK, {"outcome": "handed_on"})

    async def work(writer: Writer) -> None:
        if await writer.remove_event(event):
            await writer.append([entry])

    await services.storage.write(work)


async def _not_taken(services: Services, event: QueuedEvent, trouble: NotTaken) -> bool:
    """Put the event back for its next attempt, or give it up and say so in the log; True for the latter."""
    now = services.clock()
    again = next_attempt(event.attempts, now)
    put_back = replace(event, due_at=again or now, dead=again is None)
    entry = _entry(
        event, now, Result.ERROR, {"outcome": "given_up", "trouble": trouble.trouble.value, "detail": trouble.detail}
    )

    async def work(writer: Writer) -> bool:
        dead = await writer.put_back_event(put_back) and put_back.dead
        if dead:
            await writer.append([entry])
        return dead

    return await services.storage.write(work)


def _entry(event: QueuedEvent, at: datetime, result: Result, details: Mapping[str, object]) -> NewEntry:
    """Return the log entry of an end; it carries the request id under which the delivery was accepted."""
    shown = None if event.event_id is None else redacted(escaped(event.event_id, SHOWN))
    return NewEntry(
        dealer=event.dealer,
        timestamp=at,
        actor=ACTOR,
        kind=Kind.WEBHOOK_DELIVERY,
        action="hand_on",
        result=result,
        request_id=event.request_id,
        app=event.app,
        details={**details, "event_id": shown, "attempts": event.attempts},
    )
