"""Hand the newest checkpoint to every anchor that has not taken it yet."""

from __future__ import annotations

from functools import partial

from chekt_mcp.errors import Unavailable
from chekt_mcp.operations.services import Services
from chekt_mcp.storage.interface import Writer
from chekt_mcp.storage.records import StoredAnchor, StoredCheckpoint


async def anchor_checkpoint(services: Services, dealer: str, checkpoint: StoredCheckpoint) -> list[str]:
    """Hand a checkpoint to the anchors that have none of its size; return what went wrong, a sentence for each.

    A receipt is stored. It says when, and proves nothing: whoever can change the log can change it too.
    """
    kept = {one.anchor: one.size for one in await services.storage.read(lambda reader: reader.anchors(dealer))}
    trouble = []
    for anchor in services.anchors():
        if kept.get(anchor.name, -1) >= checkpoint.size:
            continue
        try:
            receipt = await anchor.keep(dealer, checkpoint.note)
        except Unavailable as error:
            trouble.append(f"{anchor.name}: {error}")
            continue
        taken = StoredAnchor(checkpoint.size, anchor.name, services.clock(), receipt)
        await services.storage.write(partial(_keep, dealer, taken))
    return trouble


async def _keep(dealer: str, taken: StoredAnchor, writer: Writer) -> None:
    await writer.add_anchor(dealer, taken)
