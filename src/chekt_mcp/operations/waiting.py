"""What waits for an approver: decisions, and new keys that may still be shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chekt_mcp.domain.approval import Approval
from chekt_mcp.domain.rotation import Rotation
from chekt_mcp.operations.keys.revealable import revealable
from chekt_mcp.operations.services import Services
from chekt_mcp.storage.interface import Reader


@dataclass(frozen=True, slots=True)
class Waiting:
    """Of one dealer: approvals oldest first, rotations newest first."""

    approvals: Sequence[Approval]
    keys: Sequence[Rotation]


async def waiting(services: Services, dealer: str) -> Waiting:
    """Look both up at one moment."""
    now = services.clock()

    async def work(reader: Reader) -> Waiting:
        return Waiting(await reader.approvals(dealer, now), await revealable(reader, dealer, now))

    return await services.storage.read(work)
