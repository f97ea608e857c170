"""Inclusion proofs for single entries, found by their request ids among those that the caller may see."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass

from chekt_mcp.domain.audit import Entry, Query
from chekt_mcp.domain.audit_leaf import leaf_hash
from chekt_mcp.domain.checkpoint import Checkpoint
from chekt_mcp.domain.choice import any_of
from chekt_mcp.domain.foreign_text import escaped
from chekt_mcp.domain.log_problem import LogProblem, Tampering, entries_problem
from chekt_mcp.domain.merkle import verify_inclusion
from chekt_mcp.operations.audit.log_summaries import BEGIN, END
from chekt_mcp.operations.audit.tree_proofs import inclusion
from chekt_mcp.operations.audit.verify_log import Verification
from chekt_mcp.operations.audit.verify_report import InclusionProof
from chekt_mcp.storage.interface import Reader
from chekt_mcp.storage.records import TreeHead

ENTRIES_OF_ONE_ID = 20
"""Entries proved for one request id: a request has one, unless somebody gave an id twice."""


@dataclass(frozen=True, slots=True)
class Proved:
    """Proofs, ids that the caller's part of the log does not have, and entries that do not fit the log."""

    proofs: list[InclusionProof]
    unknown: list[str]
    problems: list[LogProblem]


async def prove_entries(
    reader: Reader, dealer: str, apps: Sequence[str], request_ids: Sequence[str], verified: Verification
) -> Proved:
    """Prove the entries of these requests, of these apps and of the dealer as a whole.

    Each is proved against the tree that somebody outside vouches for where that reaches so far, else against the
    newest stored checkpoint, else against the log as it was when it was verified.
    """
    proved = Proved([], [], [])
    for request_id in dict.fromkeys(request_ids):
        asked = Query(dealer, tuple(apps), BEGIN, END, dealer_wide=True, request_id=any_of(request_id))
        seen = await reader.search(asked, ENTRIES_OF_ONE_ID)
        if not seen:
            proved.unknown.append(escaped(request_id))
        for entry in seen:
            proof = await _proof(reader, dealer, entry, verified)
            proved.proofs.append(proof)
            if proof["path"] is None:
                proved.problems.append(entries_problem(Tampering.EDITED, entry.seq, entry.seq))
    return proved


async def _proof(reader: Reader, dealer: str, entry: Entry, verified: Verification) -> InclusionProof:
    signed = [one for one in (verified.anchor, *verified.vouchers) if one is not None and one.checkpoint is not None]
    covering = next((one for one in signed if one.checkpoint and one.checkpoint.size >= entry.seq), None)
    tree = (covering.checkpoint if covering else None) or verified.found.head
    if entry.seq > tree.size:  # logged while the rest was being verified
        tree = await reader.tree_head(dealer)
    leaf, path = await _leaf_and_path(reader, dealer, entry, tree)
    return InclusionProof(
        request_id=escaped(entry.request_id),
        seq=entry.seq,
        app=entry.app,
        leaf_hash=_text(leaf),
        size=tree.size,
        root=_text(tree.root),
        path=None if path is None else [_text(step) for step in path],
        anchored=covering is not None and covering.outside,
    )


async def _leaf_and_path(
    reader: Reader, dealer: str, entry: Entry, tree: Checkpoint | TreeHead
) -> tuple[bytes, list[bytes] | None]:
    """Return the row's own leaf hash, and the path that leads from it to the root; None when none does."""
    (logged,) = await reader.logged_entries(dealer, entry.seq - 1, 1)
    leaf, index = leaf_hash(*logged), entry.seq - 1
    path = await inclusion(reader, dealer, index, tree.size) if entry.seq <= tree.size else None
    fits = path is not None and verify_inclusion(leaf, index, tree.size, path, tree.root)
    return leaf, path if fits else None


def _text(value: bytes) -> str:
    return base64.b64encode(value).decode()
