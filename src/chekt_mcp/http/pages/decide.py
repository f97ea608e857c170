"""What waits for a decision, one approval with all its words, and the decision."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from starlette.responses import RedirectResponse, Response

from chekt_mcp.domain.approval import Approval, ApprovalState, Refusal, undecidable
from chekt_mcp.domain.approver_session import ApproverSession
from chekt_mcp.domain.foreign_text import escaped
from chekt_mcp.domain.timespan import rfc3339
from chekt_mcp.http.pages.guard import guarded
from chekt_mcp.http.pages.render import message, page
from chekt_mcp.http.pages.reveal import called
from chekt_mcp.http.pages.visitor import FORM_REFUSED, SOURCE, Visitor, signed_in
from chekt_mcp.http.refusal_log import RefusalLog
from chekt_mcp.operations.approvals import EXPLAIN, Decider, decide
from chekt_mcp.operations.services import Services
from chekt_mcp.operations.waiting import waiting

WORDS_LINE: Final = 2_000
"""Longest line of an approval's words that is shown; ours are shorter, whatever they quote is cut before."""

STANDING: Final[Mapping[str, str]] = {
    "approved": "Approved. Let the assistant call again with the same arguments; it counts once.",
    "denied": "Denied. Nothing will be changed.",
    "used": "Carried out. This approval cannot be used again.",
    "expired": "Expired. Nothing was changed; the assistant has to ask again.",
}


class Decisions:
    """The list and the page of each approval. Everything is confined to the dealer of the session."""

    def __init__(self, services: Services, refusals: RefusalLog) -> None:
        self._services, self._refusals = services, refusals

    async def list(self, visitor: Visitor, session: ApproverSession) -> Response:
        """Show what waits, and the new keys that may still be shown once."""
        found, now = await waiting(self._services, session.dealer), self._services.clock()
        rows = [_row(one, now) for one in found.approvals]
        keys = [{"id": one.rotation_id, "app": one.app, "kind": called(one)} for one in found.keys]
        return page("list.html", {**signed_in(visitor, session), "rows": rows, "keys": keys})

    async def show(self, visitor: Visitor, session: ApproverSession, approval_id: str) -> Response:
        """Show one approval."""
        approval = await self._approval(session, approval_id)
        return self._page(visitor, session, approval) if approval else _unknown(visitor)

    async def approve(self, visitor: Visitor, session: ApproverSession, approval_id: str) -> Response:
        """Take what was typed as a yes, if it is what was asked for."""
        return await self._decide(visitor, session, approval_id, yes=True)

    async def deny(self, visitor: Visitor, session: ApproverSession, approval_id: str) -> Response:
        """Take it as a no."""
        return await self._decide(visitor, session, approval_id, yes=False)

    async def _decide(self, visitor: Visitor, session: ApproverSession, approval_id: str, *, yes: bool) -> Response:
        fields, approval = await visitor.posted(), await self._approval(session, approval_id)
        if approval is None:
            return _unknown(visitor)
        if fields is None:
            await self._refusals.log(visitor.refused(FORM_REFUSED, "decision", self._services.clock()))
            return self._page(
                visitor, session, approval, 403, "The form was too old or came from elsewhere. Try again."
            )
        typed = {one.field: fields.get(f"answer_{one.field}", "") for one in approval.challenges} if yes else None
        decider = Decider(session.principal, SOURCE, source_ip=visitor.source_ip)
        decided = await decide(self._services, approval, decider, typed, visitor.request_id)
        if isinstance(decided, Refusal):
            current = await self._approval(session, approval_id) or approval
            return self._page(visitor, session, current, 409, _why_not(decided))
        return guarded(RedirectResponse(f"{visitor.settings.base}/{decided.approval_id}", 303))

    async def _approval(self, session: ApproverSession, approval_id: str) -> Approval | None:
        return await self._services.storage.read(lambda reader: reader.approval(session.dealer, approval_id))

    def _page(
        self, visitor: Visitor, session: ApproverSession, approval: Approval, status: int = 200, problem: str = ""
    ) -> Response:
        now = self._services.clock()
        refusal = undecidable(approval, session.principal, now)
        values: dict[str, object] = {
            "approval": _row(approval, now),
            "words": [escaped(line, WORDS_LINE) for line in approval.words.split("\n")],
            "challenges": [{"field": one.field, "label": escaped(one.label)} for one in approval.challenges],
            "open": refusal is None,
            "problem": problem,
            "standing": _standing(approval, refusal, now),
        }
        return page("approval.html", {**signed_in(visitor, session), **values}, status)


def _row(approval: Approval, now: datetime) -> dict[str, object]:
    seconds = max(0, int((approval.expires_at - now).total_seconds()))
    return {
        "id": approval.approval_id,
        "app": approval.app,
        "tool": approval.tool,
        "requester": escaped(approval.requester),
        "asked_at": rfc3339(approval.created_at),
        "expires_at": rfc3339(approval.expires_at),
        "left": f"{seconds // 60} min {seconds % 60} s",
        "first_line": escaped(approval.words.split("\n", 1)[0]),
        "tries_left": 3 - approval.attempts,
    }


def _standing(approval: Approval, refusal: Refusal | None, now: datetime) -> str:
    if refusal is Refusal.OWN_REQUEST:
        return EXPLAIN[refusal]
    standing = approval.standing(now)
    how = f" Decided by {escaped(approval.decided_by)}." if approval.decided_by else ""
    return "" if standing == ApprovalState.PENDING else STANDING[standing] + how


def _why_not(refusal: Refusal) -> str:
    if refusal is Refusal.WRONG_TEXT:
        return "That is not what was asked for, character for character. Nothing was approved."
    return EXPLAIN[refusal]


def _unknown(visitor: Visitor) -> Response:
    text = "There is no such approval here. It may have been asked of another dealer."
    return message(404, "No such approval", text, visitor.settings.base)
