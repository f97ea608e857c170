"""Is this webhook really from CHeKT, fresh, and new; if not, why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from anyio import CapacityLimiter, to_thread
from typing_extensions import TypedDict

from chekt_mcp.domain.api_key import KeyKind
from chekt_mcp.domain.foreign_text import escaped
from chekt_mcp.domain.timespan import rfc3339
from chekt_mcp.domain.webhook import (
    Diagnosis,
    Headers,
    OtherSecret,
    SigningSecret,
    Verification,
    diagnose,
    remember_event_until,
    remember_until,
    verify,
    with_replay,
)
from chekt_mcp.domain.wording import counted
from chekt_mcp.operations.keys.key_material import KeyPair, dealer_record, key_pair, open_secret
from chekt_mcp.operations.services import Call, Services
from chekt_mcp.storage.interface import Reader, Writer
from chekt_mcp.storage.records import Dealer, SealedKey, SeenDelivery

MAX_OTHERS = 32
ONE_AT_A_TIME = CapacityLimiter(1)
"""Diagnoses in this process: they share one interpreter, and every further one keeps the event loop waiting longer."""


class Seen(TypedDict):
    """How often this delivery was looked at here, this time included."""

    times: int
    first_at: str | None


class EventReport(TypedDict):
    """What the signed body says of itself: the sender's text, escaped and cut."""

    id: str | None
    type: str | None
    created_at: str | None


class VerifyWebhook(TypedDict):
    """Result of `verify_webhook`."""

    app: str
    verdict: str
    authentic: bool
    fresh: bool
    fresh_when_received: bool | None
    duplicate: bool
    seen: Seen
    signed_with: str | None
    cause: str | None
    explanation: str
    fix: str | None
    code_python: str | None
    code_node: str | None
    event: EventReport | None


@dataclass(frozen=True, slots=True)
class Delivery:
    """What was received: headers in any case, the body's very bytes, and when, if that is known."""

    headers: Headers
    body: bytes
    received_at: datetime | None = None


async def verify_delivery(services: Services, call: Call, app: str, delivery: Delivery) -> VerifyWebhook:
    """Verify with the app's current and previous secret; diagnose what fails; remember what is authentic."""
    secrets = await _secrets(services, call, app)
    received = int(delivery.received_at.timestamp()) if delivery.received_at else None
    window, now = services.limits.webhook_window, call.now.timestamp()
    verified = verify(delivery.headers, delivery.body, secrets, now=now, window=window, received_at=received)
    if not verified.authentic:
        others = await _others(services, call, app) if secrets else ()
        return _result(app, verified, await _diagnosed(delivery, secrets, others, now, window), None)
    seen, event_times = await _remember(services, call, app, verified)
    looked_up = with_replay(verified, seen.times, seen.first_at, event_times=event_times)
    return _result(app, looked_up, None, seen)


def summary(result: VerifyWebhook) -> str:
    """Say the verdict in words."""
    lines = [f"{result['app']}: {result['verdict']}. {result['explanation']}"]
    if result["cause"]:
        lines.append(f"Cause: {result['cause']}.")
    if result["fix"]:
        lines.append(f"Fix: {result['fix']}")
    if result["signed_with"]:
        times, first = counted(result["seen"]["times"], "time", "times"), result["seen"]["first_at"]
        lines.append(f"Signed with the {result['signed_with']} secret. Looked at {times}, first {first}.")
    return "\n".join(lines)


async def _secrets(services: Services, call: Call, app: str) -> list[SigningSecret]:
    async def work(reader: Reader) -> tuple[Dealer, KeyPair]:
        pair = await key_pair(reader, call.grant.dealer, app, KeyKind.SIGNING_SECRET)
        return await dealer_record(reader, call.grant.dealer), pair

    dealer, pair = await services.storage.read(work)
    found: list[SigningSecret] = []
    if pair.current is not None:
        found.append(SigningSecret(_open(services, dealer, pair.current), "current"))
    if pair.previous is not None:
        live = pair.previous.key.live_at(call.now)
        found.append(SigningSecret(_open(services, dealer, pair.previous), "previous", live=live))
    return found


async def _others(services: Services, call: Call, app: str) -> list[OtherSecret]:
    """Open the current secrets of the other apps in the caller's own grant; nobody else's."""

    async def work(reader: Reader) -> tuple[Dealer, list[SealedKey]]:
        names = [name for name in call.grant.apps if name != app][:MAX_OTHERS]
        pairs = [await key_pair(reader, call.grant.dealer, name, KeyKind.SIGNING_SECRET) for name in names]
        return await dealer_record(reader, call.grant.dealer), [pair.current for pair in pairs if pair.current]

    dealer, stored = await services.storage.read(work)
    return [OtherSecret(one.key.app, _open(services, dealer, one)) for one in stored]


def _open(services: Services, dealer: Dealer, stored: SealedKey) -> str:
    return open_secret(services.sealing(), dealer, stored)


async def _diagnosed(
    delivery: Delivery, secrets: list[SigningSecret], others: Sequence[OtherSecret], now: float, window: int
) -> Diagnosis | None:
    """Diagnose in a thread: the candidates of one delivery can take 0.3 s, and other calls are not to wait for that."""
    ask = partial(diagnose, delivery.headers, delivery.body, secrets, others=others, now=now, window=window)
    return await to_thread.run_sync(ask, limiter=ONE_AT_A_TIME)


async def _remember(services: Services, call: Call, app: str, verified: Verification) -> tuple[SeenDelivery, int]:
    """Count this look; return the delivery's memory and how often its event was seen, this time included."""
    received, window = int(call.now.timestamp()), services.limits.webhook_window
    until = max(remember_until(verified.timestamp or 0, window), received + 2 * window)
    memory = SeenDelivery(
        dealer=call.grant.dealer,
        app=app,
        digest=verified.body_digest or b"",
        event_id=verified.event_id,
        times=1,
        first_at=call.now,
        digest_until=datetime.fromtimestamp(until, UTC),
        event_until=datetime.fromtimestamp(remember_event_until(received), UTC),
    )

    async def work(writer: Writer) -> tuple[SeenDelivery, int]:
        seen = await writer.note_delivery(memory)
        event = await writer.seen_event(memory.dealer, app, memory.event_id, call.now) if memory.event_id else None
        return seen, event.times if event else 0

    return await services.storage.write(work)


def _result(app: str, verified: Verification, why: Diagnosis | None, seen: SeenDelivery | None) -> VerifyWebhook:
    event = verified.event
    return {
        "app": app,
        "verdict": verified.verdict.value,
        "authentic": verified.authentic,
        "fresh": verified.fresh,
        "fresh_when_received": verified.fresh_when_received,
        "duplicate": verified.duplicate,
        "seen": {"times": seen.times if seen else 0, "first_at": rfc3339(seen.first_at) if seen else None},
        "signed_with": verified.signed_with,
        "cause": why.cause if why else verified.cause,
        "explanation": why.explanation if why else verified.explanation,
        "fix": why.fix if why else verified.fix,
        "code_python": why.code_python if why else None,
        "code_node": why.code_node if why else None,
        "event": {
            "id": _text(event.id),
            "type": _text(event.type),
            "created_at": _text(event.created_at),
        }
        if event
        else None,
    }


def _text(value: object) -> str | None:
    return escaped(str(value), 120) if value is not None else None
