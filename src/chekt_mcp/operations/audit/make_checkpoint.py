"""Sign what a log is now, provided that what was signed before still is its beginning.

A signature over a changed log would turn a forgery into evidence, so the last checkpoint is held against the tree
first (RFC 9162, 2.1.4). Where none is stored, the anchors are asked for theirs: whoever changes a log can remove what
was signed of it here. (One that does not answer holds nothing up: many a command that prints a checkpoint fails as
long as there is none.) What does not fit is refused, and the refusal becomes an entry.
"""

from __future__ import annotations

from functools import partial

from chekt_mcp.domain.audit import Kind, NewEntry, Result
from chekt_mcp.domain.checkpoint import Checkpoint, origin_of, verified_checkpoint
from chekt_mcp.domain.identifier import new_id
from chekt_mcp.domain.log_problem import LogProblem
from chekt_mcp.domain.signed_note import SigningKey, VerifierKey
from chekt_mcp.errors import Conflict, InvalidInput
from chekt_mcp.operations.audit.checkpoint_key import signing_key
from chekt_mcp.operations.audit.tree_proofs import is_consistent
from chekt_mcp.operations.audit.vouchers import Voucher, asked, held_against
from chekt_mcp.operations.services import Services
from chekt_mcp.storage.interface import Reader
from chekt_mcp.storage.records import StoredCheckpoint, TreeHead

ACTOR = "chekt-mcp"
REFUSED = "audit.checkpoint.refuse"


async def make_checkpoint(services: Services, dealer: str) -> StoredCheckpoint:
    """Return a checkpoint of the log as it is: the last one, where nothing was added since.

    Raises:
        Conflict: code `log_inconsistent`; the log is not what the last checkpoint says. Nothing was signed.
        SecretUnreadable: the key that signs cannot be had.
    """
    key = await signing_key(services, dealer)
    head, last = await services.storage.read(lambda reader: _head_and_last(reader, dealer, key.verifier()))
    if last is None:
        await _hold_against_anchors(services, dealer, key.verifier(), head)
    elif last.size == head.size:
        return last
    return await _signed(services, key, dealer, head)


async def record_refusal(services: Services, dealer: str, refusal: Conflict) -> None:
    """Log that a checkpoint was refused."""
    entry = NewEntry(
        dealer=dealer,
        timestamp=services.clock(),
        actor=ACTOR,
        kind=Kind.OPERATOR_ACTION,
        action=REFUSED,
        result=Result.ERROR,
        request_id=new_id("req", services.random),
        details={"code": refusal.code},
    )
    await services.storage.write(lambda writer: writer.append([entry]))


async def checked_checkpoint(reader: Reader, dealer: str, key: VerifierKey) -> StoredCheckpoint | None:
    """Return the newest stored checkpoint, if its row says what its signed note says.

    Raises:
        Conflict: code `log_inconsistent`, when it does not.
    """
    last = await reader.checkpoint(dealer)
    if last is None:
        return None
    try:
        signed = verified_checkpoint(last.note, key)
    except InvalidInput:
        signed = None
    if signed != Checkpoint(key.name, last.size, last.root):
        raise _inconsistent("The stored checkpoint was not signed by this log's key.")
    return last


async def _head_and_last(reader: Reader, dealer: str, key: VerifierKey) -> tuple[TreeHead, StoredCheckpoint | None]:
    head, last = await reader.tree_head(dealer), await checked_checkpoint(reader, dealer, key)
    if last is not None and not await is_consistent(reader, dealer, TreeHead(last.size, last.root), head):
        raise _inconsistent("The log is no longer what its last checkpoint says.")
    return head, last


async def _hold_against_anchors(services: Services, dealer: str, key: VerifierKey, head: TreeHead) -> None:
    for anchor in services.anchors():
        voucher = await asked(anchor, dealer, key)
        problem = await services.storage.read(partial(_contradiction, dealer, head, voucher))
        if problem is not None:
            raise _inconsistent(f"No checkpoint is stored, and an anchor has one that does not fit. {problem.message}")


async def _contradiction(dealer: str, head: TreeHead, voucher: Voucher, reader: Reader) -> LogProblem | None:
    return await held_against(reader, dealer, head.size, voucher, {head.size: head.root})


async def _signed(services: Services, key: SigningKey, dealer: str, head: TreeHead) -> StoredCheckpoint:
    note = Checkpoint(origin_of(dealer), head.size, head.root).signed(key)
    stored = StoredCheckpoint(head.size, head.root, note, services.clock())
    await services.storage.write(lambda writer: writer.add_checkpoint(dealer, stored))
    return stored


def _inconsistent(message: str) -> Conflict:
    return Conflict(
        message,
        code="log_inconsistent",
        fix="Nothing was signed. Run `chekt-mcp audit verify` to see what was changed, and keep a copy of the state.",
    )
