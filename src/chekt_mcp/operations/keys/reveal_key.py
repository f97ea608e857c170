"""Show a person a new key that got lost after its delivery: once, until its first use, for an hour at most.

The sealed copy is destroyed before anything is shown: whoever looks again, or at the same moment, gets nothing.
"""

from __future__ import annotations

from dataclasses import replace

from chekt_mcp.domain.rotation import REVEALABLE, Rotation, RotationState
from chekt_mcp.errors import NotFound
from chekt_mcp.operations.keys.overdue import settle
from chekt_mcp.operations.keys.recovery import sealed_value
from chekt_mcp.operations.keys.rotation_outcome import how_to_decide
from chekt_mcp.operations.keys.rotation_steps import stored_rotation
from chekt_mcp.operations.operator import Operator
from chekt_mcp.operations.services import Services
from chekt_mcp.storage.interface import Writer

GONE = "There is no copy of that key any more."


async def reveal(services: Services, operator: Operator, rotation: Rotation) -> str:
    """Return the key in clear, for the person's eyes; its copy is gone when this returns.

    Raises:
        NotFound: code `not_revealable`: shown before, used, too old, or never in force.
        SecretUnreadable: the copy does not open; it is kept.
    """
    now = services.clock()
    if not rotation.revealable_at(now):
        raise _refused(rotation)
    value = await sealed_value(services, rotation)

    async def work(writer: Writer) -> bool:
        await settle(writer, now)
        current = await stored_rotation(writer, rotation)
        used = await writer.last_use(current.dealer, current.new_key_id)
        if used is not None or not current.revealable_at(now):
            await writer.destroy_sealed(now - REVEALABLE, current.new_key_id)
            return False
        await writer.update_rotation(replace(current, sealed=None))
        details = {"rotation_id": current.rotation_id, "key_id": current.new_key_id}
        await writer.append([operator.entry(current.dealer, "key.reveal", now, app=current.app, details=details)])
        return True

    if not await services.storage.write(work):
        raise _refused(replace(rotation, sealed=None))
    return value


def _refused(rotation: Rotation) -> NotFound:
    if rotation.state is RotationState.DELIVERY_UNKNOWN:
        return NotFound(
            "The key of that rotation is not in force: nobody knows whether it arrived in its place.",
            code="not_revealable",
            fix=how_to_decide(rotation.rotation_id),
        )
    why = "It was shown, used, or is older than an hour; or the rotation never came into force."
    return NotFound(f"{GONE} {why}", code="not_revealable", fix="If it is lost, rotate again.")
