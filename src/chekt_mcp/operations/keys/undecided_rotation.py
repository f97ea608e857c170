"""A rotation of which nobody knows whether its key arrived: a person delivers it again, or gives it up."""

from __future__ import annotations

from dataclasses import dataclass, field

from chekt_mcp.domain.rotation import Rotation, RotationState
from chekt_mcp.errors import ChektError, Conflict
from chekt_mcp.operations.keys.recovery import claim, deliver_again, give_to_a_person
from chekt_mcp.operations.keys.rotation_outcome import Completed
from chekt_mcp.operations.keys.rotation_steps import abandon
from chekt_mcp.operations.operator import Operator
from chekt_mcp.operations.services import Services
from chekt_mcp.storage.interface import Writer

OPEN = {RotationState.DELIVERING, RotationState.DELIVERY_UNKNOWN}


@dataclass(frozen=True, slots=True)
class UndecidedRotation:
    """One rotation and the operator who ends it. Of two at once, one gets the lease."""

    services: Services = field(repr=False)
    operator: Operator
    rotation: Rotation

    async def deliver(self) -> Completed:
        """Deliver the very same key again and put it in force.

        Raises:
            Conflict: code `rotation_over`.
            DeliveryFailed: it did not arrive now either; everything is as before.
            SecretUnreadable: the sealed copy does not open; everything is as before.
        """
        claimed = await self._claimed()
        try:
            return await deliver_again(
                self.services,
                claimed,
                lambda done: self.operator.entry(
                    done.rotation.dealer,
                    "key.rotate.deliver",
                    done.at,
                    app=done.rotation.app,
                    details={"rotation_id": done.rotation.rotation_id, "new_key_id": done.new.key_id},
                ),
            )
        except ChektError as error:
            await give_to_a_person(self.services, claimed, error.code)
            raise

    async def discard(self) -> None:
        """Give it up: the new key is void for good, the old one stays.

        Raises:
            Conflict: code `rotation_over`.
        """
        claimed, now = await self._claimed(), self.services.clock()

        async def work(writer: Writer) -> None:
            if not await abandon(writer, claimed, now):
                raise _over()
            details = {"rotation_id": claimed.rotation_id, "new_key_id": claimed.new_key_id}
            entry = self.operator.entry(claimed.dealer, "key.rotate.discard", now, app=claimed.app, details=details)
            await writer.append([entry])

        await self.services.storage.write(work)

    async def _claimed(self) -> Rotation:
        claimed = await claim(self.services, self.rotation, OPEN)
        if claimed is None:
            raise _over()
        return claimed


def _over() -> Conflict:
    return Conflict(
        "That rotation is over, or another process is delivering it at this moment.",
        code="rotation_over",
        fix="Look with `chekt-mcp doctor`, in two minutes at the latest.",
    )
