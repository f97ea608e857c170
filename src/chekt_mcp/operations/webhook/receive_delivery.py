"""One delivery that arrives at the receiver: verified, claimed, queued and logged; then, and only then, accepted.

Claim, queue entry, completion and audit entry are one transaction, so there is no state in between:

- a crash before it is durable leaves nothing behind: the platform gets no 2xx, and its retry is new;
- once it is durable the event is in the queue: a copy, at whatever process, is a duplicate and answered 200;
- copies that come at once take turns at the database, and exactly one of them is new.

A lease shows only where a receiver hands on outside such a transaction and is still at it (or died less than
a lease ago): its delivery is answered 503, so that the platform asks again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

from chekt_mcp.domain.audit import Kind, NewEntry, Result
from chekt_mcp.domain.exposure import redacted
from chekt_mcp.domain.foreign_text import escaped
from chekt_mcp.domain.identifier import new_id
from chekt_mcp.domain.webhook import (
    Cause,
    Claim,
    Verification,
    lease_until,
    remember_event_until,
    remember_until,
    verify,
)
from chekt_mcp.domain.webhook.hand_on import MOST_WAITING
from chekt_mcp.errors import Unavailable
from chekt_mcp.operations.keys.key_material import dealer_record
from chekt_mcp.operations.services import Services
from chekt_mcp.operations.webhook.queued_delivery import kept, seal_delivery
from chekt_mcp.operations.webhook.receiver_secrets import TriedSecrets
from chekt_mcp.storage.interface import Writer
from chekt_mcp.storage.records import DeliveryClaim, QueuedEvent

PLATFORM = "system:webhooks"
"""The actor of an authentic delivery, by the name it has in the log that CHeKT exports."""
NOBODY = "unknown"
SOURCE = "http"
SHOWN = 120


@dataclass(frozen=True, slots=True)
class Arrival:
    """A request as it came: `app` is what the path names, known or not; `source_ip` is normalised."""

    dealer: str
    app: str
    headers: Sequence[tuple[str, str]] = field(repr=False)
    body: bytes = field(repr=False)
    at: datetime
    request_id: str
    source_ip: str | None = None


class Reception(StrEnum):
    """What became of an authentic, fresh delivery."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    IN_PROGRESS = "in_progress"


RECEPTIONS: Mapping[Claim, Reception] = {
    Claim.GRANTED: Reception.ACCEPTED,
    Claim.COMPLETED: Reception.DUPLICATE,
    Claim.HELD: Reception.IN_PROGRESS,
}


def verify_arrival(services: Services, arrival: Arrival, tried: TriedSecrets) -> Verification:
    """Return the verdict. Every secret is tried, decoys too: it takes as long for an app that does not exist."""
    window = services.limits.webhook_window
    return verify(arrival.headers, arrival.body, tried.secrets, now=arrival.at.timestamp(), window=window)


async def take_in(services: Services, arrival: Arrival, verification: Verification, tried: TriedSecrets) -> Reception:
    """Claim, queue and log a delivery that verified with one of `tried`; returns once that is durable.

    Raises:
        Unavailable: code `queue_full`; nothing was stored, and the platform keeps the event.
    """
    claim = _claim(services, arrival, verification)
    event = await _queued(services, arrival, verification)
    key_id = tried.key_ids.get(verification.signed_with or "")

    async def work(writer: Writer) -> Reception:
        reception = RECEPTIONS[await writer.claim_delivery(claim)]
        if reception is Reception.ACCEPTED:
            await _refuse_when_full(writer, arrival)
            await writer.enqueue_event(event)
            await writer.complete_claim(claim)
        await writer.append([_received_entry(arrival, verification, reception, key_id)])
        return reception

    return await services.storage.write(work)


def _received_entry(arrival: Arrival, verification: Verification, reception: Reception, key_id: str | None) -> NewEntry:
    """Return the log entry of an authentic delivery; what it says of the event comes from the signed body.

    `key_id` is the secret's: whether the previous one still signs can then be seen before it is revoked.
    """
    event = verification.event
    details = {
        "outcome": reception.value,
        "event_id": _shown(event.id if event else None),
        "signed_with": verification.signed_with,
    }
    return NewEntry(
        dealer=arrival.dealer,
        timestamp=arrival.at,
        actor=PLATFORM,
        kind=Kind.WEBHOOK_DELIVERY,
        action=f"webhook {_shown(event.type if event else None) or ''}".strip(),
        result=Result.DENIED if reception is Reception.IN_PROGRESS else Result.OK,
        request_id=arrival.request_id,
        app=arrival.app,
        source=SOURCE,
        source_ip=arrival.source_ip,
        key_id=key_id,
        details=details,
    )


def refused_entry(arrival: Arrival, verification: Verification, *, known: bool) -> NewEntry:
    """Return the log entry of a refusal. Nothing the sender wrote is in it, and an unknown app is not named."""
    return NewEntry(
        dealer=arrival.dealer,
        timestamp=arrival.at,
        actor=PLATFORM if verification.authentic else NOBODY,
        kind=Kind.WEBHOOK_DELIVERY,
        action="webhook",
        result=Result.DENIED,
        request_id=arrival.request_id,
        app=arrival.app if known else None,
        source=SOURCE,
        source_ip=arrival.source_ip,
        details={
            "outcome": "refused",
            "verdict": verification.verdict.value,
            "cause": verification.cause if known else Cause.NO_SIGNING_SECRET,
        },
    )


def _claim(services: Services, arrival: Arrival, verification: Verification) -> DeliveryClaim:
    now, window = arrival.at.timestamp(), services.limits.webhook_window
    return DeliveryClaim(
        claim_id=new_id("clm", services.random),
        dealer=arrival.dealer,
        app=arrival.app,
        digest=verification.body_digest or b"",
        event_id=verification.event_id,
        claimed_at=arrival.at,
        lease_until=datetime.fromtimestamp(lease_until(now), UTC),
        digest_until=datetime.fromtimestamp(remember_until(verification.timestamp or 0, window), UTC),
        event_until=datetime.fromtimestamp(remember_event_until(int(now) + 1), UTC),
    )


async def _queued(services: Services, arrival: Arrival, verification: Verification) -> QueuedEvent:
    dealer = await services.storage.read(lambda reader: dealer_record(reader, arrival.dealer))
    queue_id = new_id("que", services.random)
    delivery = kept(arrival.headers, arrival.body)
    return QueuedEvent(
        queue_id=queue_id,
        dealer=arrival.dealer,
        app=arrival.app,
        event_id=verification.event_id,
        request_id=arrival.request_id,
        received_at=arrival.at,
        due_at=arrival.at,
        sealed=seal_delivery(services.sealing(), dealer, arrival.app, queue_id, delivery),
    )


async def _refuse_when_full(writer: Writer, arrival: Arrival) -> None:
    if (await writer.event_queue(arrival.dealer, arrival.app)).waiting >= MOST_WAITING:
        raise Unavailable("Too many events wait to be handed on.", code="queue_full")


def _shown(text: str | None) -> str | None:
    return None if text is None else redacted(escaped(text, SHOWN))
