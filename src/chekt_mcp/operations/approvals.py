"""Approvals at work: find or make one, take a decision, and look back at a used one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from chekt_mcp.domain import approval as rules
from chekt_mcp.domain.api_key import KeyKind
from chekt_mcp.domain.app import ConfirmBy
from chekt_mcp.domain.approval import Approval, ApprovalState, Intent, Refusal
from chekt_mcp.domain.audit import Kind, NewEntry, Result
from chekt_mcp.domain.identifier import new_id
from chekt_mcp.domain.scope import Grant
from chekt_mcp.operations.services import Call, Services
from chekt_mcp.storage.interface import Reader, Writer

EXPLAIN = {
    Refusal.UNKNOWN: "There is no such approval for this caller. Call again without approval_id.",
    Refusal.EXPIRED: "That approval has expired. Call again without approval_id to ask anew.",
    Refusal.OUTDATED: "Things have changed since that approval was asked for. Call again without approval_id.",
    Refusal.OTHER_REQUEST: "That approval is for other arguments. Use the same ones, or leave approval_id out.",
    Refusal.OWN_REQUEST: "Nobody approves their own request: decide it with another credential.",
    Refusal.ALREADY_DECIDED: "That approval has been decided already.",
    Refusal.WRONG_TEXT: "What was typed is not what was asked for; nothing was done. Call again to be asked again.",
    Refusal.IN_PROGRESS: "Another change of the same thing is being carried out. Try again in a moment.",
    Refusal.TOO_MANY_ATTEMPTS: "Too many wrong answers: the approval is denied until it expires.",
}


@dataclass(frozen=True, slots=True)
class Decider:
    """Who decides, and how the decision reached us (`terminal`, `client form`, `approval page`).

    `source_ip` is where the decider came from, None without a network between. `asker` is given where the asking
    client itself shows the question: its answer counts only while policy, key and scopes are still what let it ask.
    """

    principal: str
    how: str
    asker: Grant | None = None
    source_ip: str | None = None


POLICY = Decider("policy:unattended", "configuration")
"""Stands in the log for a person where an operator has said that none is needed."""

Bind = Callable[[Writer, Approval], Awaitable[None]]


async def find(services: Services, call: Call, intent: Intent, approval_id: str) -> Approval | Refusal:
    """Return the approval with this id if it stands for `intent`, else why not."""
    approval = await services.storage.read(lambda reader: reader.approval(call.grant.dealer, approval_id))
    if approval is None:
        return Refusal.UNKNOWN
    return rules.mismatch(approval, intent, call.now) or approval


async def find_or_create(services: Services, call: Call, intent: Intent, bind: Bind | None = None) -> Approval:
    """Return the approval of this very request on this very state, asking for a new one when there is none.

    `bind` belongs into the same transaction: it ties the request's idempotency key to the approval.
    """
    fresh = _new_approval(services, intent, call.now)

    async def work(writer: Writer) -> Approval:
        known = await writer.approval_for(intent.dealer, intent.requester, intent.digest, intent.state_digest, call.now)
        if known is None or not rules.same_ground(known, intent):
            known = fresh
            await writer.add_approval(fresh)
            await writer.append([_entry(call.now, fresh, "approval.request", call.grant.principal, call)])
        if bind is not None:
            await bind(writer, known)
        return known

    return await services.storage.write(work)


async def approve_by_policy(services: Services, approval: Approval, request_id: str) -> Approval | Refusal:
    """Approve what the app's configuration lets this caller do unattended, if it still does."""
    now = services.clock()

    async def work(writer: Writer) -> Approval | Refusal:
        current = await writer.approval(approval.dealer, approval.approval_id)
        app = await writer.app(approval.dealer, approval.app)
        if current is None or app is None or app.confirmed_by(current.requester) is not ConfirmBy.UNATTENDED:
            return Refusal.OUTDATED
        refusal = rules.undecidable(current, POLICY.principal, now)
        if refusal is not None:
            return refusal
        decided = _decided(current, POLICY, ApprovalState.APPROVED, now)
        await writer.decide_approval(decided)
        await writer.append([_decision_entry(decided, POLICY, now, request_id)])
        return decided

    return await services.storage.write(work)


async def decide(
    services: Services,
    approval: Approval,
    decider: Decider,
    answers: Mapping[str, object] | None,
    request_id: str,
) -> Approval | Refusal:
    """Record a decision. `answers` holds what was typed; None means the person said no.

    A wrong text counts as an attempt; after three the approval is denied.
    """
    now = services.clock()

    async def work(writer: Writer) -> Approval | Refusal:
        current = await writer.approval(approval.dealer, approval.approval_id)
        if current is None:
            return Refusal.UNKNOWN
        if decider.asker is not None and not await _may_still_ask(writer, current, decider.asker, now):
            return Refusal.OUTDATED
        refusal = rules.undecidable(current, decider.principal, now)
        if refusal is not None:
            return refusal
        decided, answer = _decision(current, decider, answers, now)
        await writer.decide_approval(decided)
        await writer.append([_decision_entry(decided, decider, now, request_id)])
        return answer or decided

    return await services.storage.write(work)


async def _may_still_ask(reader: Reader, approval: Approval, asker: Grant, now: datetime) -> bool:
    """Tell whether the app may still be confirmed in this client, and its caller still holds what it held."""
    app = await reader.app(approval.dealer, approval.app)
    if app is None or app.confirmed_by(approval.requester) is not ConfirmBy.CLIENT:
        return False
    if asker.app is None:
        return True
    if asker.credential != "api_key":
        return await _apps_still_hold(reader, asker)
    caller = await reader.app(asker.dealer, asker.app)
    keys = await reader.keys(asker.dealer, asker.app, KeyKind.API_KEY)
    live = asker.key_id is None or any(one.key.key_id == asker.key_id and one.key.live_at(now) for one in keys)
    return (
        live and caller is not None and asker.scopes <= caller.scopes and {*asker.apps} <= {asker.app, *caller.covers}
    )


async def _apps_still_hold(reader: Reader, asker: Grant) -> bool:
    """Tell whether every app that a token names still holds what the token was cut down to."""
    apps = [await reader.app(asker.dealer, name) for name in asker.apps]
    return all(app is not None and asker.scopes <= app.scopes for app in apps)


async def approve_own(
    services: Services, call: Call, intent: Intent, answers: Mapping[str, object]
) -> Approval | Refusal:
    """Store, as approved, what a person does themselves at a terminal. Wrong texts store nothing.

    For commands only. What a program asks for goes through `decide`, where nobody approves their own request.
    """
    if not rules.answers_match(intent.challenges, answers):
        return Refusal.WRONG_TEXT
    now, decider = services.clock(), Decider(intent.requester, call.source)
    approval = _decided(_new_approval(services, intent, now), decider, ApprovalState.APPROVED, now)

    async def work(writer: Writer) -> Approval:
        await writer.add_approval(approval)
        await writer.append([_decision_entry(approval, decider, now, call.request_id)])
        return approval

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
    if answers is None:
        return _decided(current, decider, ApprovalState.DENIED, now), None
    if rules.answers_match(current.challenges, answers):
        return _decided(current, decider, ApprovalState.APPROVED, now), None
    counted = replace(current, attempts=current.attempts + 1)
    if counted.attempts >= rules.MAX_ATTEMPTS:
        return _decided(counted, decider, ApprovalState.DENIED, now), Refusal.TOO_MANY_ATTEMPTS
    return counted, Refusal.WRONG_TEXT


def _decided(approval: Approval, decider: Decider, state: ApprovalState, now: datetime) -> Approval:
    return replace(approval, state=state, decided_by=decider.principal, decided_how=decider.how, decided_at=now)


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
        source_ip=decider.source_ip,
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
