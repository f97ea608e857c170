"""What a verification came to, for programs and in sentences."""

from __future__ import annotations

import base64
from typing import Literal

from typing_extensions import TypedDict

from chekt_mcp.domain.wording import counted
from chekt_mcp.operations.audit.verify_log import Verification

MOST_PROBLEMS = 50
"""Problems in a result; the first ones tell enough."""


class ProblemReport(TypedDict):
    """One problem; `first_seq` and `last_seq` are entry numbers, null where it concerns none."""

    code: str
    first_seq: int | None
    last_seq: int | None
    message: str


class AnchorReport(TypedDict):
    """What one place outside says: of how many entries, or why it says nothing."""

    anchor: str
    size: int | None
    trouble: str


class Checked(TypedDict):
    """What was looked at: `rows` between the entries `first_seq` and `last_seq`, `pruned` places without one.

    `whole` tells whether that was the whole log, as it was when the check began.
    """

    first_seq: int
    last_seq: int
    rows: int
    pruned: int
    whole: bool


class InclusionProof(TypedDict):
    """That an entry is in the log of `size` entries with this `root`: hashes in base64, RFC 9162 section 2.1.3.

    `path` is null where the entry does not fit the log any more. `anchored`: somebody outside vouches for that root.
    """

    request_id: str
    seq: int
    app: str | None
    leaf_hash: str
    size: int
    root: str
    path: list[str] | None
    anchored: bool


class VerifyAuditLog(TypedDict):
    """Result of `verify_audit_log`."""

    status: Literal["verified", "unanchored", "tampered"]
    size: int
    anchored_size: int
    anchored_at: str | None
    root: str
    checkpoint: str | None
    proofs: list[InclusionProof]
    unknown_request_ids: list[str]
    problems: list[ProblemReport]
    problems_more: int
    checked: Checked
    anchors: list[AnchorReport]
    notes: list[str]


def report(verified: Verification, proofs: list[InclusionProof], unknown: list[str]) -> VerifyAuditLog:
    """Return the result as the contract has it."""
    found, anchor = verified.found, verified.anchor
    return VerifyAuditLog(
        status=verified.status.value,
        size=found.head.size,
        anchored_size=anchor.checkpoint.size if anchor and anchor.checkpoint else 0,
        anchored_at=verified.anchored_at,
        root=base64.b64encode(found.head.root).decode(),
        checkpoint=next((one.note for one in [anchor, *reversed(verified.vouchers)] if one and one.checkpoint), None),
        proofs=proofs,
        unknown_request_ids=unknown,
        problems=[
            ProblemReport(code=one.what.value, first_seq=one.first, last_seq=one.last, message=one.message)
            for one in verified.problems[:MOST_PROBLEMS]
        ],
        problems_more=max(0, len(verified.problems) - MOST_PROBLEMS),
        checked=Checked(
            first_seq=found.first,
            last_seq=found.head.size,
            rows=found.entries,
            pruned=found.pruned,
            whole=verified.whole,
        ),
        anchors=[
            AnchorReport(anchor=one.name, size=one.checkpoint.size if one.checkpoint else None, trouble=one.trouble)
            for one in verified.vouchers
            if one.outside
        ],
        notes=_notes(verified),
    )


def _notes(verified: Verification) -> list[str]:
    notes = [] if verified.counted_too or not verified.whole else ["The log was pruned meanwhile: counts not compared."]
    if verified.found.pruned:
        notes.append(
            f"Pruned were entries from before {verified.pruned_up_to}, says the log. That it is as old as that, you "
            "must know: had its oldest entries been removed under the name of a prune, it would look the same."
        )
    return notes


def summary(result: VerifyAuditLog) -> str:
    """Say the result in sentences."""
    checked = result["checked"]
    rows = counted(checked["rows"], "row", "rows")
    looked = f"{rows} looked at (entries {checked['first_seq']:,} to {checked['last_seq']:,})"
    if checked["pruned"]:
        looked += f", {checked['pruned']:,} were pruned"
    lines = [f"{result['status']}: {_meaning(result)} {looked}."]
    lines += [f"{one['code']}: {one['message']}" for one in result["problems"]]
    if result["problems_more"]:
        lines.append(f"{result['problems_more']:,} more problems are not listed.")
    lines += [f"{one['anchor']}: {one['trouble']}" for one in result["anchors"] if one["trouble"]]
    lines += [_proof_words(proof) for proof in result["proofs"]]
    if result["unknown_request_ids"]:
        lines.append(f"Not in the log as far as you may see: {', '.join(result['unknown_request_ids'])}")
    return "\n".join([*lines, *result["notes"]])


def _meaning(result: VerifyAuditLog) -> str:
    size, anchored = result["size"], result["anchored_size"]
    match result["status"]:
        case "tampered":
            return "the log was altered."
        case "verified":
            tail = f"; the newest {size - anchored:,} are not vouched for yet" if size > anchored else ""
            by = next((one["anchor"] for one in result["anchors"] if one["size"] == anchored), "somebody outside")
            return f"nothing was altered in the first {anchored:,} of {size:,} entries, for which {by} vouches{tail}."
        case _ if not result["checked"]["whole"]:
            first = result["checked"]["first_seq"]
            return f"nothing wrong was found, but the rows before entry {first:,} were not looked at."
        case _:
            return (
                "nothing wrong was found, but nobody outside vouches for the log: "
                "had it been rewritten as a whole, it would look the same."
            )


def _proof_words(proof: InclusionProof) -> str:
    if proof["path"] is None:
        return f"{proof['request_id']}: entry {proof['seq']:,} does NOT fit the log."
    by = "for which somebody outside vouches" if proof["anchored"] else "for which nobody outside vouches"
    return f"{proof['request_id']}: entry {proof['seq']:,} is in the log of {proof['size']:,} entries, {by}."
