"""Finding a stored approval and putting it before a person."""

from __future__ import annotations

from datetime import datetime

from chekt_mcp.cli.command import Session
from chekt_mcp.domain.approval import Approval, ApprovalState, Refusal, undecidable
from chekt_mcp.domain.foreign_text import escaped
from chekt_mcp.domain.timespan import rfc3339
from chekt_mcp.errors import NotFound, NotPermitted
from chekt_mcp.operations.approvals import Decider
from chekt_mcp.operations.operator import SOURCE
from chekt_mcp.storage.interface import Reader

WORDS_LINE = 2_000
"""Longest line of an approval's words that is shown; ours are shorter, whatever they quote is cut before."""

WHY_NOT = {
    Refusal.UNKNOWN: "There is no such approval.",
    Refusal.EXPIRED: "That approval has expired. The assistant has to ask again.",
    Refusal.OWN_REQUEST: "Nobody approves their own request.",
    Refusal.ALREADY_DECIDED: "That has been decided already.",
    Refusal.TOO_MANY_ATTEMPTS: "Too many wrong answers: it is denied, and nothing will be changed.",
}

WHAT_BECAME = {
    ApprovalState.APPROVED: "It was approved, and the change is made when the assistant calls again in time.",
    ApprovalState.DENIED: "It was denied, and nothing was changed.",
    ApprovalState.USED: "It was approved and used.",
}


async def undecided(session: Session, approval_id: str) -> Approval:
    """Return an approval that this operator may decide now.

    Raises:
        NotFound: code `approval_unknown`.
        NotPermitted: it has expired or been decided; the code says which.
    """
    found = await _found(session, approval_id)
    if found is None:
        fix = (
            "`chekt-mcp approvals` lists what waits in this state directory. If the server uses another one"
            " (CHEKT_MCP_STATE in its client's configuration), name that with --state."
        )
        raise NotFound(WHY_NOT[Refusal.UNKNOWN], code=Refusal.UNKNOWN.value, fix=fix)
    refusal = undecidable(found, session.operator.principal, session.services.clock())
    if refusal is not None:
        raise refused(refusal, found)
    return found


async def _found(session: Session, approval_id: str) -> Approval | None:
    dealers = await session.dealers()

    async def work(reader: Reader) -> Approval | None:
        every = [await reader.approval(dealer, approval_id) for dealer in dealers]
        return next((one for one in every if one is not None), None)

    return await session.services.storage.read(work)


def refused(why: Refusal, found: Approval | None = None) -> NotPermitted:
    """Say why a decision does not count; with the approval, also what was decided before."""
    became = WHAT_BECAME.get(found.state, "") if found is not None and why is Refusal.ALREADY_DECIDED else ""
    return NotPermitted(WHY_NOT.get(why, "That cannot be decided now."), code=why.value, fix=became)


def decider(session: Session) -> Decider:
    """Return who decides here."""
    return Decider(session.operator.principal, SOURCE)


def described(approval: Approval, now: datetime) -> str:
    """Return the stored words, who asked, and how long there is to decide; nothing in it can leave its line."""
    asked = f"Asked by {approval.requester} with {approval.tool} at {rfc3339(approval.created_at)}."
    until = f"To be decided until {rfc3339(approval.expires_at)} ({remaining(approval, now)} from now)."
    what = f"{approval.approval_id}, app {approval.app} of dealer {approval.dealer}"
    return f"{what}\n{asked} {until}\n\n{framed(approval.words)}\n"


def framed(words: str) -> str:
    """Return words with a bar before each line; nothing in them can leave its line."""
    return "\n".join(f"  | {escaped(line, WORDS_LINE)}" for line in words.split("\n"))


def remaining(approval: Approval, now: datetime) -> str:
    """Return how long an approval can still be decided, in minutes and seconds."""
    seconds = max(0, int((approval.expires_at - now).total_seconds()))
    return f"{seconds // 60} min {seconds % 60} s"
