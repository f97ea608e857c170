"""Who says what the log was: checkpoints given by a person, anchors that answer now, and what is stored here.

Only the first two count as being outside: whoever can rewrite the log can rewrite what is stored beside it, receipts
of anchors included. What is stored is held against the log all the same, for not everybody who tampers is thorough.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chekt_mcp.anchors.interface import Anchor
from chekt_mcp.domain.checkpoint import Checkpoint, read_checkpoint
from chekt_mcp.domain.log_problem import LogProblem, Tampering, rewritten, truncated
from chekt_mcp.domain.signed_note import VerifierKey
from chekt_mcp.errors import ChektError, InvalidInput, Unavailable
from chekt_mcp.operations.audit.tree_proofs import root_of_first
from chekt_mcp.storage.interface import Reader


@dataclass(frozen=True, slots=True)
class GivenCheckpoint:
    """A checkpoint that a person kept, and what the person calls it: the file's name."""

    name: str
    content: str


@dataclass(frozen=True, slots=True)
class Voucher:
    """What one place says of the log. `outside`: nobody here can have rewritten it; `note` is the signed text.

    `checkpoint` is None where it could not say anything, and `trouble` tells why.
    """

    name: str
    outside: bool
    note: str = ""
    checkpoint: Checkpoint | None = None
    problem: LogProblem | None = None
    trouble: str = ""


def given(one: GivenCheckpoint, key: VerifierKey | None, origin: str) -> Voucher:
    """Read a checkpoint that a person gave.

    Raises:
        InvalidInput: code `bad_checkpoint`, or `another_log` when it is of another dealer's log.
    """
    checkpoint, _ = read_checkpoint(one.content)
    if checkpoint.origin != origin:
        raise InvalidInput(
            "That checkpoint is of another dealer's log.",
            field="against",
            code="another_log",
            fix="Name the dealer with --dealer, or give the file that belongs to this one.",
        )
    return _signed(one.name, one.content, key, outside=True)


async def asked(anchor: Anchor, dealer: str, key: VerifierKey | None) -> Voucher:
    """Ask an anchor what it keeps; that it does not answer is trouble, and no sign of tampering."""
    try:
        note = await anchor.newest(dealer)
    except Unavailable as error:
        return Voucher(anchor.name, outside=True, trouble=str(error))
    if note is None:
        return Voucher(anchor.name, outside=True, trouble="It keeps no checkpoint of this log, or cannot be asked.")
    try:
        return _signed(anchor.name, note, key, outside=True)
    except ChektError as error:
        return Voucher(anchor.name, outside=True, trouble=f"What it answered: {error.message}")


async def stored(reader: Reader, dealer: str, key: VerifierKey | None) -> list[Voucher]:
    """Return the newest checkpoint that is stored here, if there is one."""
    last = await reader.checkpoint(dealer)
    if last is None:
        return []
    try:
        voucher = _signed("the newest stored checkpoint", last.note, key, outside=False)
    except InvalidInput:
        return [
            Voucher("the newest stored checkpoint", outside=False, problem=_not_ours("The newest stored checkpoint"))
        ]
    if voucher.checkpoint and (voucher.checkpoint.size, voucher.checkpoint.root) != (last.size, last.root):
        problem = LogProblem(
            Tampering.CHECKPOINT, None, None, "A stored checkpoint was changed: its note says another."
        )
        return [Voucher(voucher.name, outside=False, problem=problem)]
    return [voucher]


async def receipts(reader: Reader, dealer: str, size: int) -> list[LogProblem]:
    """Find receipts for checkpoints of a log that was longer than it is."""
    kept = [one for one in await reader.anchors(dealer) if one.size > size]
    return [truncated(size, one.size, "a stored receipt of an anchor") for one in kept]


async def held_against(
    reader: Reader, dealer: str, size: int, voucher: Voucher, roots: dict[int, bytes]
) -> LogProblem | None:
    """Compare what somebody says with the log: by the roots that were computed, else by the stored tree."""
    checkpoint = voucher.checkpoint
    if voucher.problem is not None or checkpoint is None:
        return voucher.problem
    if checkpoint.size > size:
        return truncated(size, checkpoint.size, voucher.name)
    root = roots.get(checkpoint.size) or await root_of_first(reader, dealer, checkpoint.size)
    return None if root == checkpoint.root else rewritten(checkpoint.size, voucher.name)


def newest_outside(vouchers: Sequence[Voucher]) -> Voucher | None:
    """Return the voucher from outside for the most entries; whoever vouches for an empty log vouches for nothing."""
    good = [one for one in vouchers if one.outside and one.checkpoint is not None and one.checkpoint.size]
    return max(good, key=lambda one: one.checkpoint.size if one.checkpoint else 0, default=None)


def _signed(name: str, note: str, key: VerifierKey | None, *, outside: bool) -> Voucher:
    checkpoint, signed = read_checkpoint(note)
    if key is None or checkpoint.origin != key.name or not signed.signed_by(key):
        return Voucher(name, outside, note, problem=_not_ours(name))
    return Voucher(name, outside, note, checkpoint)


def _not_ours(name: str) -> LogProblem:
    message = (
        f"{name} was not signed by the key that this log has now: the log was replaced, its key was, "
        "or the checkpoint is of another installation."
    )
    return LogProblem(Tampering.CHECKPOINT, None, None, message)
