"""Does anybody outside keep checkpoints of the log, and do they answer."""

from __future__ import annotations

from chekt_mcp.anchors.interface import Anchor
from chekt_mcp.cli.doctor.finding import Finding, failed, fine, warning
from chekt_mcp.domain.wording import counted
from chekt_mcp.errors import ChektError
from chekt_mcp.operations.audit.checkpoint_key import verifier_key
from chekt_mcp.operations.audit.vouchers import asked
from chekt_mcp.operations.services import Services

SUBJECT = "anchors"
NOBODY = (
    "none is configured: whether the whole log was rewritten can only be told with a checkpoint that you keep "
    "elsewhere (`chekt-mcp audit checkpoint`)"
)


async def check_anchors(services: Services) -> list[Finding]:
    """Ask every anchor for what it keeps of each dealer's log."""
    try:
        anchors = services.anchors()
    except ChektError as error:
        return [failed(SUBJECT, error)]
    if not anchors:
        return [fine(SUBJECT, NOBODY)]
    dealers = [dealer.name for dealer in await services.storage.read(lambda reader: reader.dealers())]
    return [await _answer(services, anchor, dealer) for anchor in anchors for dealer in dealers]


async def _answer(services: Services, anchor: Anchor, dealer: str) -> Finding:
    key = await services.storage.read(lambda reader: verifier_key(reader, dealer))
    voucher = await asked(anchor, dealer, key)
    subject = f"{SUBJECT} ({voucher.name}, dealer {dealer})"
    if voucher.checkpoint is not None:
        return fine(subject, f"it keeps a checkpoint of {counted(voucher.checkpoint.size, 'entry', 'entries')}")
    trouble = voucher.problem.message if voucher.problem is not None else voucher.trouble
    return warning(subject, trouble, "See docs/anchors.md; `chekt-mcp audit checkpoint` hands it a checkpoint now.")
