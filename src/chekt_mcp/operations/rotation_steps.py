"""The steps of a rotation: begin (recorded, sealed) → deliver → complete; and recovery after a crash.

The old key stays current until the new one has been delivered. The new value is kept sealed with the rotation
only until then, so that after a crash the same key is delivered again: never a key that nobody holds.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime

import anyio

from chekt_mcp.domain import api_key
from chekt_mcp.domain.api_key import Key, KeyKind, KeyState
from chekt_mcp.domain.audit import Kind, NewEntry, Result
from chekt_mcp.domain.rotation import DELIVERY_LEASE, Rotation, RotationState
from chekt_mcp.errors import ChektError, DeliveryFailed
from chekt_mcp.operations.key_material import dealer_record, key_pair, secret_identity
from chekt_mcp.operations.services import Services
from chekt_mcp.secrets.interface import Sink
from chekt_mcp.storage.interface import Writer
from chekt_mcp.storage.records import SealedKey

Then = Callable[[Writer, "Completed"], Awaitable[None]]
"""What else belongs into the completing transaction."""


@dataclass(frozen=True, slots=True)
class Completed:
    """A finished rotation: the new key, and until when the old one works (None: it was revoked)."""

    rotation: Rotation
    new: Key
    previous_valid_until: datetime | None
    at: datetime


async def seal_new_key(services: Services, rotation: Rotation, value: str) -> tuple[Rotation, SealedKey]:
    """Return the rotation with its sealed value, and the pending key as it will be stored."""
    dealer = await services.storage.read(lambda reader: dealer_record(reader, rotation.dealer))
    sealing = services.sealing()
    key = Key(
        key_id=rotation.new_key_id,
        dealer=rotation.dealer,
        app=rotation.app,
        kind=rotation.kind,
        state=KeyState.PENDING,
        fingerprint=api_key.fingerprint(value),
        created_at=rotation.started_at,
    )
    sealed = sealing.seal(dealer.wrapped_key, dealer.name, f"rotation/{rotation.rotation_id}", value)
    if rotation.kind is KeyKind.API_KEY:
        return replace(rotation, sealed=sealed), SealedKey(key, value_hash=api_key.key_hash(value))
    own = sealing.seal(dealer.wrapped_key, dealer.name, secret_identity(SealedKey(key)), value)
    return replace(rotation, sealed=sealed), SealedKey(key, sealed=own)


async def deliver_and_complete(services: Services, rotation: Rotation, sink: Sink, value: str, then: Then) -> Completed:
    """Deliver the value and put the new key in force; not interrupted by a caller that goes away.

    Raises:
        DeliveryFailed: the sink refused; the new key is void and the old one still current.
    """
    done: Completed
    with anyio.CancelScope(shield=True):
        try:
            await sink.deliver(value)
        except DeliveryFailed:
            await _abandon(services, rotation)
            raise
        done = await complete(services, rotation, then)
    return done


async def complete(services: Services, rotation: Rotation, then: Then) -> Completed:
    """Make the delivered key current and the old one previous (or revoked), in one transaction."""
    now = services.clock()
    until = None if rotation.revoke_previous_now else now + services.limits.grace

    async def work(writer: Writer) -> Completed:
        pair = await key_pair(writer, rotation.dealer, rotation.app, rotation.kind)
        stored = await writer.keys(rotation.dealer, rotation.app, rotation.kind)
        new = next(one.key for one in stored if one.key.key_id == rotation.new_key_id)
        if pair.previous is not None:
            await writer.update_key(replace(pair.previous.key, state=KeyState.REVOKED, revoked_at=now))
        if pair.current is not None:
            await writer.update_key(_retired(pair.current.key, until, now))
        current = replace(new, state=KeyState.CURRENT)
        await writer.update_key(current)
        await writer.update_rotation(replace(rotation, state=RotationState.COMPLETED, sealed=None))
        done = Completed(rotation, current, until, now)
        await then(writer, done)
        return done

    return await services.storage.write(work)


async def recover(services: Services) -> list[str]:
    """Take up rotations that a crashed process left behind; return one sentence for each that could not be ended.

    A rotation whose lease still runs belongs to a living process and is left alone.
    """
    unfinished = await services.storage.read(lambda reader: reader.unfinished_rotations())
    trouble = []
    for rotation in unfinished:
        claimed = await _claim(services, rotation)
        if claimed is None:
            continue
        try:
            await _deliver_again(services, claimed)
        except ChektError as error:
            trouble.append(f"Rotation {rotation.rotation_id} of {rotation.app} is not delivered yet: {error}")
    return trouble


async def _deliver_again(services: Services, rotation: Rotation) -> None:
    dealer = await services.storage.read(lambda reader: dealer_record(reader, rotation.dealer))
    sink = services.sinks.restore(rotation.sink, rotation.target)
    sealed = rotation.sealed or b""
    value = services.sealing().open(dealer.wrapped_key, dealer.name, f"rotation/{rotation.rotation_id}", sealed)
    await sink.deliver(value)
    await complete(services, rotation, _log_recovery)


async def _log_recovery(writer: Writer, done: Completed) -> None:
    rotation = done.rotation
    await writer.append(
        [
            NewEntry(
                dealer=rotation.dealer,
                timestamp=done.at,
                actor="server",
                kind=Kind.OPERATOR_ACTION,
                action="key.rotate.recover",
                result=Result.OK,
                request_id=rotation.rotation_id,
                app=rotation.app,
                source="recovery",
                details={"rotation_id": rotation.rotation_id, "new_key_id": done.new.key_id},
            )
        ]
    )


async def _claim(services: Services, rotation: Rotation) -> Rotation | None:
    now = services.clock()

    async def work(writer: Writer) -> Rotation | None:
        current = await writer.rotation(rotation.dealer, rotation.rotation_id)
        if current is None or current.state is not RotationState.DELIVERING or now < current.lease_until:
            return None
        claimed = replace(current, lease_until=now + DELIVERY_LEASE)
        await writer.update_rotation(claimed)
        return claimed

    return await services.storage.write(work)


async def _abandon(services: Services, rotation: Rotation) -> None:
    async def work(writer: Writer) -> None:
        stored = await writer.keys(rotation.dealer, rotation.app, rotation.kind)
        for one in stored:
            if one.key.key_id == rotation.new_key_id:
                await writer.update_key(replace(one.key, state=KeyState.VOID))
        await writer.update_rotation(replace(rotation, state=RotationState.FAILED, sealed=None))

    await services.storage.write(work)


def _retired(key: Key, until: datetime | None, now: datetime) -> Key:
    if until is None:
        return replace(key, state=KeyState.REVOKED, revoked_at=now)
    return replace(key, state=KeyState.PREVIOUS, valid_until=until)
