"""How much waits for a person."""

from __future__ import annotations

from chekt_mcp.operations.services import Services
from chekt_mcp.storage.interface import Reader


async def pending_approvals(services: Services) -> int:
    """Return how many changes wait for an approver, of all dealers."""
    now = services.clock()

    async def work(reader: Reader) -> int:
        return sum([len(await reader.approvals(dealer.name, now)) for dealer in await reader.dealers()])

    return await services.storage.read(work)
