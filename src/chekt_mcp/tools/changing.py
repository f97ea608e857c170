"""The tools that change something, each only after a person has confirmed it."""

from __future__ import annotations

from collections.abc import Mapping

from mcp_types import InputRequiredResult

from chekt_mcp.domain.api_key import KeyKind
from chekt_mcp.domain.rotation import Reason
from chekt_mcp.errors import InvalidInput
from chekt_mcp.operations.allow_list.change_allow_list import ChangeList, UpdateAllowList
from chekt_mcp.operations.approvals import Decider
from chekt_mcp.operations.change import (
    Ask,
    Change,
    Outcome,
    Request,
    advance,
    answered,
    approval_page,
    approval_required,
)
from chekt_mcp.operations.keys.revoke_previous import Revoke, RevokePreviousKey
from chekt_mcp.operations.keys.rotate_key import Rotate
from chekt_mcp.operations.keys.rotation_outcome import RotateKey
from chekt_mcp.tools.answer import Answer
from chekt_mcp.tools.ask_person import PersonAnswer, Reply, ask_person, show_page
from chekt_mcp.tools.inputs import RevokePreviousKeyInput, RotateKeyInput, UpdateAllowListInput
from chekt_mcp.tools.tool_call import Binding, ToolCall

AnyChange = ToolCall[UpdateAllowListInput] | ToolCall[RotateKeyInput] | ToolCall[RevokePreviousKeyInput]
FORM = Decider("person:client-form", "client form")
DONE = frozenset({"applied", "rotated", "revoked"})
WAITING = frozenset({"approval_required", "portal_required"})


async def update_allow_list(tool: ToolCall[UpdateAllowListInput]) -> Answer | InputRequiredResult:
    """Put a list in force, or turn the layer off."""
    given = tool.arguments
    if (given.entries is None) == (not given.disable):
        raise InvalidInput("Give either entries, or disable=true.", field="entries", code="one_change")
    request = _request(tool, "update_allow_list", given.approval_id, given.idempotency_key)
    text = None if given.disable else given.entries
    return await _carry_out(tool, ChangeList(tool.services, request, text, given.reason, given.expected_version))


async def rotate_key(tool: ToolCall[RotateKeyInput]) -> Answer | InputRequiredResult:
    """Mint a key or secret, deliver it to its sink, and put it in force."""
    given = tool.arguments
    request = _request(tool, "rotate_key", given.approval_id, given.idempotency_key)
    kind, reason = KeyKind(given.kind), Reason(given.reason)
    return await _carry_out(tool, Rotate(tool.services, request, kind, reason, given.revoke_previous_now, given.force))


async def revoke_previous_key(tool: ToolCall[RevokePreviousKeyInput]) -> Answer | InputRequiredResult:
    """End the grace of the previous key."""
    given = tool.arguments
    request = _request(tool, "revoke_previous_key", given.approval_id, given.idempotency_key)
    return await _carry_out(tool, Revoke(tool.services, request, KeyKind(given.kind)))


def summary(outcome: Outcome) -> str:
    """Say an outcome in words: status, what happened, ids, and the next step."""
    lines = [f"{outcome['app']}: {outcome['status']}. {outcome.get('message', '')}".strip()]
    if outcome.get("code"):
        lines[0] = f"{outcome['app']}: {outcome['status']} ({outcome['code']}). {outcome.get('message', '')}"
    approval = outcome.get("approval")
    if isinstance(approval, Mapping):
        lines.append(f"approval_id {approval['approval_id']}, until {approval['expires_at']}.")
    steps = outcome.get("steps")
    if isinstance(steps, list):
        lines += [f"{number}. {step}" for number, step in enumerate(steps, 1)]
    sink = outcome.get("delivered_to")
    if isinstance(sink, Mapping):
        lines.append(f"delivered_to: {sink['reference']} ({sink['sink']})")
    named = ("rotation_id", "key_id", "fingerprint", "version", "effective_by", "next_step")
    lines += [f"{name}: {outcome[name]}" for name in named if outcome.get(name)]
    return "\n".join(lines)


def _request(tool: AnyChange, name: str, approval_id: str | None, key: str | None) -> Request:
    app = tool.app()
    arguments = tool.arguments.model_dump(exclude={"approval_id", "idempotency_key", "app"}) | {"app": app}
    return Request(tool.call, name, app, arguments, _approval_id(tool, approval_id), key)


def _approval_id(tool: AnyChange, given: str | None) -> str | None:
    """Return the approval this round is about: the sealed state of an asked question names it as well."""
    state = tool.context.request_state
    if state is not None and given not in (None, state):
        raise InvalidInput("That is not the approval this question was about.", field="approval_id", code="bad_value")
    return state if state is not None else given


async def _carry_out(tool: AnyChange, change: Change) -> Answer | InputRequiredResult:
    step = await advance(tool.services, change)
    if not isinstance(step, Ask):
        return _answer(step)
    if not step.in_client:
        return await _show_page(tool, step) or _answer(approval_required(tool.services, change.request, step.approval))
    reply = await ask_person(tool.context, step.approval, tool.ask_timeout)
    if isinstance(reply, InputRequiredResult):
        return reply
    return _answer(await _after(tool, change, step, reply))


async def _show_page(tool: AnyChange, step: Ask) -> InputRequiredResult | None:
    """Have the client open the approval's page, once: whoever asks by its id has seen it."""
    page = approval_page(tool.services, step.approval)
    if page is None or tool.arguments.approval_id is not None:
        return None
    return await show_page(tool.context, step.approval, page, tool.ask_timeout)


async def _after(tool: AnyChange, change: Change, step: Ask, reply: PersonAnswer) -> Outcome:
    if reply.reply is Reply.NOTHING:
        return approval_required(tool.services, change.request, step.approval)
    typed = reply.typed if reply.reply is Reply.TYPED else None
    return await answered(tool.services, change, step.approval, FORM, typed)


def _answer(outcome: Outcome) -> Answer:
    status = str(outcome["status"])
    return Answer(outcome, summary(outcome), str(outcome.get("code") or status), status not in DONE | WAITING)


BINDINGS = {
    "update_allow_list": Binding(UpdateAllowListInput, UpdateAllowList, update_allow_list),
    "rotate_key": Binding(RotateKeyInput, RotateKey, rotate_key),
    "revoke_previous_key": Binding(RevokePreviousKeyInput, RevokePreviousKey, revoke_previous_key),
}
