"""Approvals at work: find or make one, take a decision, and look back at a used one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from chekt_mcp.domain import approval as rules
from chekt_mcp.domain.approval import Approval, ApprovalState, Intent, Refusal
from chekt_mcp.domain.audit import Kind, NewEntry, Result
from chekt_mcp.domain.identifier import new_id
from chekt_mcp.operations.services import Call, Services
from chekt_mcp.storage.interface import Reader, Writer

EXPLAIN = {
    Refusal.UNKNOWN: "There is no such approval for this caller. Call again without approval_id.",
    Refusal.EXPIRED: "That approval has expired. Call again without approval_id to ask anew.",
    Refusal.OUTDATED: "Things have changed since that approval was asked for. Call again without approval_id.",
    Refusal.OTHER_REQUEST: "That approval is for other arguments. Use the same ones, or leave approval_id out.",
    Refusal.OWN_REQUEST: "Nobody approves their own request: decide it with another credential.",
    Refusal.ALREADY_DECIDED: "That approval has been decided already.",
    Refusal.WRONG_TEXT: "What was typed is not what was asked for; nothing was done.",
    Refusal.IN_PROGRESS: "Another change of the same thing is being carried out. Try again in a moment.",
    Refusal.TOO_MANY_ATTEMPTS: "Too many wrong answers: the approval is denied.",
}


@dataclass(frozen=True, slots=True)
class Decider:
    """Who decides, and how the decision reached us (`terminal`, `client form`)."""

    principal: str
    how: str


async def find(services: Services, call: Call, intent: Intent, approval_id: str) -> Approval | Refusal:
    """Return the approval with this id if it stands for `intent`, else why not."""
    approval = await services.storage.read(lambda reader: reader.approval(call.grant.dealer, approval_id))
    if approval is None:
        return Refusal.UNKNOWN
    return rules.mismatch(approval, intent, call.now) or approval


async def find_or_create(services: Services, call: Call, intent: Intent) -> Approval:
    """Return the approval of this very request on this very state, asking for a new one when there is none."""
    fresh = _new_approval(services, intent, call.now)

    async def work(writer: Writer) -> Approval:
        known = await writer.approval_for(intent.dealer, intent.requester, intent.digest, intent.state_digest, call.now)
        if known is not None:
            return known
        await writer.add_approval(fresh)
        await writer.append([_entry(call.now, fresh, "approval.request", call.grant.principal, call)])
        return fresh

    return await services.storage.write(work)


async def decide(
    services: Services, approval: Approval, decider: Decider, answers: Mapping[str, object] | None, request_id: str
) -> Approval | Refusal:
    """Record a decision. `answers` holds what was typed; None means the person said no.

    A wrong text counts as an attempt; after three the approval is denied.
    """
    now = services.clock()

    async def work(writer: Writer) -> Approval | Refusal:
        current = await writer.approval(approval.dealer, approval.approval_id)
        if current is None:
            return Refusal.UNKNOWN
        refusal = rules.undecidable(current, decider.principal, now)
        if refusal is not None:
            return refusal
        decided, answer = _decision(current, decider, answers, now)
        await writer.decide_approval(decided)
        await writer.append([_decision_entry(decided, decider, now, request_id)])
        return answer or decided

    return await services.storage.write(work)


async def pending(reader: Reader, dealer: str, now: datetime) -> Sequence[Approval]:
    """Return what waits for a decision, oldest first."""
    return await reader.approvals(dealer, now)


def _new_approval(services: Services, intent: Intent, now: datetime) -> Approval:
    return Approval(
        approval_id=new_id("apr", services.random),
        dealer=intent.dealer,
        app=intent.app,
        tool=intent.tool,
        requester=intent.requester,
        confirm=intent.confirm,
        digest=intent.digest,
        state_digest=intent.state_digest,
        words=intent.words,
        challenges=intent.challenges,
        created_at=now,
        expires_at=now + services.limits.approval_ttl,
    )


def _decision(
    current: Approval, decider: Decider, answers: Mapping[str, object] | None, now: datetime
) -> tuple[Approval, Refusal | None]:
    decided = replace(current, decided_by=decider.principal, decided_how=decider.how, decided_at=now)
    if answers is None:
        return replace(decided, state=ApprovalState.DENIED), None
    if rules.answers_match(current.challenges, answers):
        return replace(decided, state=ApprovalState.APPROVED), None
    if current.attempts + 1 >= rules.MAX_ATTEMPTS:
        return replace(decided, state=ApprovalState.DENIED, attempts=current.attempts + 1), Refusal.TOO_MANY_ATTEMPTS
    return replace(current, attempts=current.attempts + 1), Refusal.WRONG_TEXT


def _decision_entry(approval: Approval, decider: Decider, now: datetime, request_id: str) -> NewEntry:
    verb = {ApprovalState.APPROVED: "approve", ApprovalState.DENIED: "deny"}.get(approval.state, "wrong_text")
    return NewEntry(
        dealer=approval.dealer,
        timestamp=now,
        actor=decider.principal,
        kind=Kind.OPERATOR_ACTION,
        action=f"approval.{verb}",
        result=Result.OK if approval.state is ApprovalState.APPROVED else Result.DENIED,
        request_id=request_id,
        app=approval.app,
        source=decider.how,
        details={"approval_id": approval.approval_id, "tool": approval.tool},
    )


def _entry(now: datetime, approval: Approval, action: str, actor: str, call: Call) -> NewEntry:
    return NewEntry(
        dealer=approval.dealer,
        timestamp=now,
        actor=actor,
        kind=Kind.OPERATOR_ACTION,
        action=action,
        result=Result.OK,
        request_id=call.request_id,
        app=approval.app,
        source=call.source,
        key_id=call.grant.key_id,
        details={"approval_id": approval.approval_id, "tool": approval.tool},
    )
