"""The steps of a rotation: begin (recorded, sealed) → deliver → complete; or given up, or undecided.

The old key stays current until the new one has been delivered. The new value is kept sealed with the rotation until
then, so that after a crash the same key is delivered again (`recovery`): never a key that nobody holds. After that
it is kept for an hour at most, for `reveal_key`.

Every step looks at the stored state first: a process that lost its lease finds out what another has made of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from chekt_mcp.domain import api_key
from chekt_mcp.domain.api_key import Key, KeyKind, KeyState
from chekt_mcp.domain.audit import NewEntry
from chekt_mcp.domain.rotation import Rotation, RotationState
from chekt_mcp.errors import Conflict, NotFound
from chekt_mcp.operations.keys.key_material import dealer_record, key_pair
from chekt_mcp.operations.keys.key_material import secret_identity as identity_of
from chekt_mcp.operations.keys.overdue import settle
from chekt_mcp.operations.keys.rotation_outcome import Completed, rotated
from chekt_mcp.operations.services import Services
from chekt_mcp.secrets.interface import Sink
from chekt_mcp.storage.interface import Reader, Writer
from chekt_mcp.storage.records import SealedKey

ROTATIONS_KEPT = 20
"""How many rotations of a kind are looked at for sealed copies; older ones have lost theirs long ago."""


Entry = Callable[[Completed], NewEntry]
"""Writes the log entry of a completion."""


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
    sealed = sealing.seal(dealer.wrapped_key, dealer.name, sealed_as(rotation), value)
    if rotation.kind is KeyKind.API_KEY:
        return replace(rotation, sealed=sealed), SealedKey(key, value_hash=api_key.key_hash(value))
    own = sealing.seal(dealer.wrapped_key, dealer.name, identity_of(SealedKey(key)), value)
    return replace(rotation, sealed=sealed), SealedKey(key, sealed=own)


def sealed_as(rotation: Rotation) -> str:
    """Return what binds the sealed value to its rotation."""
    return f"rotation/{rotation.rotation_id}"


async def complete(services: Services, rotation: Rotation, sink: Sink, entry: Entry) -> Completed:
    """Make the delivered key current and the old one previous (or revoked), in one transaction; once.

    The approval's outcome is kept with it, whoever completes, so that a repeated call is answered from it.

    Raises:
        Conflict: code `rotation_given_up`: a person gave it up meanwhile.
    """
    now = services.clock()

    async def work(writer: Writer) -> Completed:
        current = await stored_rotation(writer, rotation)
        if current.state is RotationState.COMPLETED:
            return await _completed_before(writer, current)
        if not current.undelivered:
            raise Conflict("That rotation was given up meanwhile: its key is void.", code="rotation_given_up")
        await settle(writer, now)
        until = None if current.revoke_previous_now else now + services.limits.grace
        done = await _put_in_force(writer, current, until, now)
        await writer.append([entry(done)])
        if await writer.approval(current.dealer, current.approval_id) is not None:
            await writer.set_outcome(current.dealer, current.approval_id, rotated(done, sink))
        return done

    return await services.storage.write(work)


async def abandon(writer: Writer, rotation: Rotation, now: datetime) -> bool:
    """Give an undelivered rotation up: its key is void, its sealed copy destroyed.

    False when it is over already, or another process has taken it up: then it is theirs to end.
    """
    current = await stored_rotation(writer, rotation)
    if not _still_ours(current, rotation):
        return False
    new = await _new_key(writer, current)
    if new is not None:
        await writer.update_key(replace(new, state=KeyState.VOID))
    await writer.update_rotation(replace(current, state=RotationState.FAILED, sealed=None, ended_at=now))
    return True


async def leave_undecided(writer: Writer, rotation: Rotation, now: datetime) -> bool:
    """Record that nobody can tell whether the key arrived; False as `abandon` has it."""
    current = await stored_rotation(writer, rotation)
    if not _still_ours(current, rotation):
        return False
    await writer.update_rotation(replace(current, state=RotationState.DELIVERY_UNKNOWN, ended_at=now))
    return True


async def stored_rotation(reader: Reader, rotation: Rotation) -> Rotation:
    """Return what is stored of a rotation now.

    Raises:
        NotFound: code `unknown_rotation`.
    """
    current = await reader.rotation(rotation.dealer, rotation.rotation_id)
    if current is None:
        raise NotFound("There is no such rotation.", code="unknown_rotation")
    return current


def _still_ours(current: Rotation, known: Rotation) -> bool:
    return current.undelivered and current.lease_until == known.lease_until


async def _put_in_force(writer: Writer, rotation: Rotation, until: datetime | None, now: datetime) -> Completed:
    pair = await key_pair(writer, rotation.dealer, rotation.app, rotation.kind)
    new = await _new_key(writer, rotation)
    if new is None:
        raise Conflict("The key of that rotation is void.", code="rotation_given_up")
    if pair.previous is not None:
        await writer.update_key(replace(pair.previous.key, state=KeyState.REVOKED, revoked_at=now))
    if pair.current is not None:
        await writer.update_key(api_key.retired(pair.current.key, until, now))
    current = replace(new, state=KeyState.CURRENT)
    await writer.update_key(current)
    await _destroy_older_copies(writer, rotation)
    done = replace(rotation, state=RotationState.COMPLETED, ended_at=now)
    await writer.update_rotation(done)
    return Completed(done, current, until if pair.current else None, now)


async def _destroy_older_copies(writer: Writer, rotation: Rotation) -> None:
    for other in await writer.rotations(rotation.dealer, rotation.app, rotation.kind, ROTATIONS_KEPT):
        if other.sealed is not None and other.state is RotationState.COMPLETED:
            await writer.update_rotation(replace(other, sealed=None))


async def _completed_before(reader: Reader, rotation: Rotation) -> Completed:
    stored = await reader.keys(rotation.dealer, rotation.app, rotation.kind)
    found = {one.key.key_id: one.key for one in stored}
    old = found.get(rotation.old_key_id or "")
    until = old.valid_until if old is not None and old.state is KeyState.PREVIOUS else None
    return Completed(rotation, found[rotation.new_key_id], until, rotation.ended_at or rotation.started_at)


async def _new_key(reader: Reader, rotation: Rotation) -> Key | None:
    stored = await reader.keys(rotation.dealer, rotation.app, rotation.kind)
    return next((one.key for one in stored if one.key.key_id == rotation.new_key_id), None)
