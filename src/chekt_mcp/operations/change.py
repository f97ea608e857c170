"""Changes that a person confirms: the one path from a request to its effect, whatever the change.

    remembered answer → a repeat of a used approval → propose → approval → (ask) → apply

A change proposes in words and on a state; the approval keeps both; `apply` checks the state again and consumes
the approval in the very transaction that makes the change.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import NotRequired, Protocol

from typing_extensions import TypedDict

from chekt_mcp.domain import approval as rules
from chekt_mcp.domain.app import ConfirmBy
from chekt_mcp.domain.approval import OVERRIDES, Approval, ApprovalState, Intent, Refusal
from chekt_mcp.domain.timespan import rfc3339
from chekt_mcp.operations import approvals, idempotency
from chekt_mcp.operations.approvals import EXPLAIN, Decider
from chekt_mcp.operations.services import Call, Services
from chekt_mcp.storage.interface import Writer


class ApprovalReport(TypedDict):
    """How a person can decide: the id, until when, and the command that shows the words and takes the answer."""

    approval_id: str
    expires_at: str
    how: str


class ChangeResult(TypedDict):
    """What every change answers; each adds its own fields."""

    status: str
    app: str
    code: NotRequired[str]
    message: NotRequired[str]
    approval: NotRequired[ApprovalReport]
    steps: NotRequired[list[str]]
    repeated: NotRequired[bool]


Outcome = Mapping[str, object]
"""A `ChangeResult` with the fields of its change."""


@dataclass(frozen=True, slots=True)
class Request:
    """Who asks for which change of which app. `arguments` leaves out approval_id and idempotency_key."""

    call: Call
    tool: str
    app: str
    arguments: Mapping[str, object]
    approval_id: str | None = None
    idempotency_key: str | None = None

    @property
    def digest(self) -> str:
        """The identity of what is asked for."""
        grant = self.call.grant
        return rules.request_digest(grant.dealer, self.app, self.tool, grant.principal, self.arguments)


class Change(Protocol):
    """One kind of change. `propose` alters nothing; `apply` does all of it or nothing."""

    @property
    def request(self) -> Request:
        """Who asks for what."""
        ...

    async def propose(self) -> Intent | Outcome:
        """Return what a person is asked to confirm, or why there is nothing to ask."""
        ...

    async def apply(self, approval: Approval) -> Outcome:
        """Make the change under an approved approval, which it consumes."""
        ...


@dataclass(frozen=True, slots=True)
class Ask:
    """The flow stands at a question for a person.

    `in_client`: a form in the client may answer it. An approval asked for under another policy than the app's at
    this moment does not stand, so an operator who tightens the policy is heeded at once.
    """

    approval: Approval = field(repr=False)
    in_client: bool


async def advance(services: Services, change: Change) -> Outcome | Ask:
    """Take a change as far as it goes without asking anybody.

    Raises:
        Conflict: code `idempotency_conflict`, when the key was used with other arguments.
    """
    request = change.request
    answer = await idempotency.remembered(services, request) or await _repeated(services, request)
    if answer is not None:
        return refused(request, answer) if isinstance(answer, Refusal) else {**answer, "repeated": True}
    proposal = await change.propose()
    if not isinstance(proposal, Intent):
        return proposal
    proposal = await _under_policy(services, proposal)
    found = await _approval_for(services, request, proposal)
    return refused(request, found) if isinstance(found, Refusal) else await _stand(services, change, proposal, found)


async def answered(
    services: Services, change: Change, approval: Approval, decider: Decider, answers: Mapping[str, object] | None
) -> Outcome:
    """Take the person's answer (None: they said no) and carry the change out if it was yes."""
    call = change.request.call
    asked = replace(decider, asker=call.grant)
    decided = await approvals.decide(services, approval, asked, answers, call.request_id)
    if isinstance(decided, Refusal):
        return refused(change.request, decided)
    if decided.state is not ApprovalState.APPROVED:
        return declined(change.request)
    return await change.apply(decided)


async def finish(writer: Writer, request: Request, approval: Approval, outcome: Outcome) -> None:
    """Keep the outcome with its approval and its idempotency key, in the change's own transaction."""
    await writer.set_outcome(request.call.grant.dealer, approval.approval_id, dict(outcome))
    await idempotency.remember(writer, request, outcome)


def approval_page(services: Services, approval: Approval) -> str | None:
    """Return the page on which an approver decides; None where there is only the terminal."""
    return f"{services.approvals_url}/{approval.approval_id}" if services.approvals_url else None


def approval_required(services: Services, request: Request, approval: Approval) -> Outcome:
    """Say that a person has to decide elsewhere, and how."""
    page, command = approval_page(services, approval), f"chekt-mcp approve {approval.approval_id}"
    where = "at a terminal, on the state directory of this client's configuration"
    if page:
        where = "at a terminal of the server's machine"
    how = f"runs `{command}` {where}; then call again with the same arguments."
    how = f"A person opens {page} and signs in as an approver, or {how}" if page else f"A person {how}"
    return {
        "status": "approval_required",
        "app": request.app,
        "message": "Nothing has changed yet. " + how,
        "approval": {"approval_id": approval.approval_id, "expires_at": rfc3339(approval.expires_at), "how": how},
    }


def declined(request: Request) -> Outcome:
    """Say that the person said no."""
    return {"status": "declined", "app": request.app, "message": "A person declined. Nothing was changed."}


def refused(request: Request, why: Refusal) -> Outcome:
    """Say why this approval does not open this change."""
    return {"status": "refused", "app": request.app, "code": why.value, "message": EXPLAIN[why]}


def refusal(request: Request, code: str, message: str) -> Outcome:
    """Say why the change itself is refused."""
    return {"status": "refused", "app": request.app, "code": code, "message": message}


async def _approval_for(services: Services, request: Request, proposal: Intent) -> Approval | Refusal:
    if request.approval_id is None:
        return await approvals.find_or_create(services, request.call, proposal, idempotency.Binding(request))
    return await approvals.find(services, request.call, proposal, request.approval_id)


async def _stand(services: Services, change: Change, proposal: Intent, approval: Approval) -> Outcome | Ask:
    match approval.standing(services.clock()):
        case "approved":
            return await change.apply(approval)
        case "denied":
            return declined(change.request)
        case "used":  # between our look and now: asked again, the kept outcome is the answer
            return refused(change.request, Refusal.IN_PROGRESS)
        case "pending" if proposal.confirm is approval.confirm is ConfirmBy.UNATTENDED:
            return await _unattended(change, approval, services)
        case "pending":
            return Ask(approval, in_client=proposal.confirm is approval.confirm is ConfirmBy.CLIENT)
        case _:
            return refused(change.request, Refusal.EXPIRED)


async def _unattended(change: Change, approval: Approval, services: Services) -> Outcome:
    decided = await approvals.approve_by_policy(services, approval, change.request.call.request_id)
    return refused(change.request, decided) if isinstance(decided, Refusal) else await change.apply(decided)


async def _under_policy(services: Services, proposal: Intent) -> Intent:
    """Say who has to confirm; an override of a safeguard always needs a person, whatever the configuration."""
    app = await services.storage.read(lambda reader: reader.app(proposal.dealer, proposal.app))
    if app is None or proposal.needs_person or any(challenge.field in OVERRIDES for challenge in proposal.challenges):
        return proposal
    return replace(proposal, confirm=app.confirmed_by(proposal.requester))


async def _repeated(services: Services, request: Request) -> Outcome | Refusal | None:
    approval_id, grant = request.approval_id, request.call.grant
    if approval_id is None:
        return None
    known = await services.storage.read(lambda reader: reader.approval(grant.dealer, approval_id))
    if known is None or known.state is not ApprovalState.USED or known.requester != grant.principal:
        return None
    if known.digest != request.digest:
        return Refusal.OTHER_REQUEST
    return Refusal.IN_PROGRESS if known.outcome is None else known.outcome
