"""After a crash: the same sealed key is delivered again, so that a rotation ends as nothing or as done.

A rotation whose lease still runs belongs to a living process and is left alone; of two that recover at once, one gets
the lease. Where a delivery fails now, nobody can tell what the crashed process had done: `delivery_unknown`.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from chekt_mcp.domain.audit import Kind, NewEntry, Result
from chekt_mcp.domain.rotation import DELIVERY_LEASE, Rotation
from chekt_mcp.domain.rotation import RotationState as State
from chekt_mcp.errors import ChektError, DeliveryFailed
from chekt_mcp.operations.keys.key_material import dealer_record
from chekt_mcp.operations.keys.overdue import settle
from chekt_mcp.operations.keys.rotation_outcome import Completed, how_to_decide
from chekt_mcp.operations.keys.rotation_steps import (
    Entry,
    complete,
    leave_undecided,
    sealed_as,
    stored_rotation,
)
from chekt_mcp.operations.services import Services
from chekt_mcp.secrets.interface import Sink
from chekt_mcp.storage.interface import Writer

FILE = "file"


async def recover(services: Services) -> list[str]:
    """Take up rotations that a crashed process left behind; return one sentence for each that is not over.

    Also notes what the clock has ended meanwhile.
    """
    now = services.clock()
    await services.storage.write(lambda writer: settle(writer, now))
    unfinished = await services.storage.read(lambda reader: reader.unfinished_rotations())
    trouble = [await _recover_one(services, rotation) for rotation in unfinished]
    return [sentence for sentence in trouble if sentence]


async def _recover_one(services: Services, rotation: Rotation) -> str:
    claimed = await claim(services, rotation, {State.DELIVERING})
    if claimed is None:
        return ""
    name = f"Rotation {rotation.rotation_id} of {rotation.app}"
    try:
        await deliver_again(services, claimed, lambda done: _entry(done.rotation, "key.rotate.recover", done.at))
    except DeliveryFailed as error:
        await give_to_a_person(services, claimed, error.code)
        return f"{name}: nobody can tell whether its key arrived. {error.message} {how_to_decide(rotation.rotation_id)}"
    except ChektError as error:
        return f"{name} is not delivered yet: {error}"
    return ""


async def claim(services: Services, rotation: Rotation, states: set[State]) -> Rotation | None:
    """Take the lease on a rotation in one of `states`; None when another process has it, or it is over."""
    now = services.clock()

    async def work(writer: Writer) -> Rotation | None:
        current = await stored_rotation(writer, rotation)
        if current.state not in states or (current.state is State.DELIVERING and current.leased_at(now)):
            return None
        claimed = replace(current, state=State.DELIVERING, lease_until=now + DELIVERY_LEASE)
        await writer.update_rotation(claimed)
        return claimed

    return await services.storage.write(work)


async def deliver_again(services: Services, rotation: Rotation, entry: Entry) -> Completed:
    """Deliver the very same key to the very same place once more, and put it in force.

    Raises:
        DeliveryFailed: it did not arrive now.
        SecretUnreadable: the sealed copy does not open now.
    """
    sink = recorded_sink(services, rotation)
    await sink.deliver(await sealed_value(services, rotation))
    return await complete(services, rotation, sink, entry)


def recorded_sink(services: Services, rotation: Rotation) -> Sink:
    """Find the recorded place again. What runs a program or gets a token must still be what is configured.

    Raises:
        DeliveryFailed: the record cannot be read, or names another sink than this installation is configured with.
    """
    if rotation.sink != FILE:
        chosen = services.sinks.choose(rotation.dealer, rotation.app, rotation.kind, own=False)
        if (chosen.name, chosen.target) != (rotation.sink, rotation.target):
            raise DeliveryFailed(
                "The place that this rotation recorded is not the one that is configured now.",
                code="sink_changed",
                fix="Configure that one again, or give the rotation up and rotate anew.",
            )
    return services.sinks.restore(rotation.sink, rotation.target)


async def sealed_value(services: Services, rotation: Rotation) -> str:
    """Open the sealed copy.

    Raises:
        SecretUnreadable: it does not open, or there is none any more.
    """
    dealer = await services.storage.read(lambda reader: dealer_record(reader, rotation.dealer))
    return services.sealing().open(dealer.wrapped_key, dealer.name, sealed_as(rotation), rotation.sealed or b"")


async def give_to_a_person(services: Services, rotation: Rotation, code: str) -> None:
    """Record that nobody can tell whether the key arrived; the old one stays current."""
    now = services.clock()

    async def work(writer: Writer) -> None:
        if await leave_undecided(writer, rotation, now):
            entry = _entry(rotation, "key.rotate.unknown", now, code=code)
            await writer.append([replace(entry, result=Result.ERROR)])

    await services.storage.write(work)


def _entry(rotation: Rotation, action: str, at: datetime, **details: object) -> NewEntry:
    return NewEntry(
        dealer=rotation.dealer,
        timestamp=at,
        actor="server",
        kind=Kind.OPERATOR_ACTION,
        action=action,
        result=Result.OK,
        request_id=rotation.rotation_id,
        app=rotation.app,
        source="recovery",
        details={"rotation_id": rotation.rotation_id, "new_key_id": rotation.new_key_id, **details},
    )
