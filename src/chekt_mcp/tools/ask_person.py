"""The one seam to the person behind the client, in both protocol eras.

Modern (2026-07-28): the tool returns an `InputRequiredResult` and is called again with the answer.
Legacy (2025-11-25 and before): the question goes to the client while the call waits.
A client that did not declare forms is never asked (that would be a protocol error); the approval then waits
for the terminal. Silence, a cancelled form and an error are never a yes.

Where only an approver decides, a client that can open addresses is given the approval's page. That it opened it, or
would not, decides nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import anyio
from mcp.server.mcpserver import Context
from mcp.shared.exceptions import MCPError
from mcp_types import (
    ElicitRequest,
    ElicitRequestFormParams,
    ElicitRequestURLParams,
    ElicitResult,
    InputRequiredResult,
)
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from chekt_mcp.domain.approval import Approval

MAX_TYPED = 200


class Reply(StrEnum):
    """How the person answered."""

    TYPED = "typed"
    NO = "no"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class PersonAnswer:
    """A reply, with what was typed. `NOTHING`: not asked, not answered, or dismissed."""

    reply: Reply
    typed: Mapping[str, object]


NOTHING = PersonAnswer(Reply.NOTHING, {})


async def ask_person(
    context: Context[Any, Any],
    approval: Approval,
    timeout: float,  # noqa: ASYNC109 -- a client gives up by itself
) -> PersonAnswer | InputRequiredResult:
    """Show the stored words and take the answer, or return the question that the client has to show."""
    if not can_ask(context):
        return NOTHING
    if context.protocol_version not in MODERN_PROTOCOL_VERSIONS:
        return await _ask_and_wait(context, approval, timeout)
    if context.request_state is None:
        return InputRequiredResult(
            input_requests={approval.approval_id: ElicitRequest(params=form(approval))},
            request_state=approval.approval_id,
        )
    response = (context.input_responses or {}).get(approval.approval_id)
    return _read(response) if isinstance(response, ElicitResult) else NOTHING


def can_ask(context: Context[Any, Any]) -> bool:
    """Tell whether the client declared forms; an empty elicitation capability means forms (2025-06-18)."""
    declared = context.client_capabilities.elicitation if context.client_capabilities else None
    return declared is not None and (declared.form is not None or declared.url is None)


def form(approval: Approval) -> ElicitRequestFormParams:
    """Return the question: the stored words, and one text field for each thing to type."""
    fields = {
        challenge.field: {"type": "string", "title": challenge.label, "maxLength": MAX_TYPED}
        for challenge in approval.challenges
    }
    ask = "\n".join(f"{challenge.label} to confirm." for challenge in approval.challenges)
    return ElicitRequestFormParams(
        message=f"{approval.words}\n\n{ask}",
        requested_schema={"type": "object", "properties": fields, "required": list(fields)},
    )


async def show_page(
    context: Context[Any, Any],
    approval: Approval,
    url: str,
    timeout: float,  # noqa: ASYNC109 -- see ask_person
) -> InputRequiredResult | None:
    """Have the client open the approval's page, or return what it has to be told for that; None when that is over."""
    if not can_open(context):
        return None
    if context.protocol_version not in MODERN_PROTOCOL_VERSIONS:
        await _open_and_wait(context, approval, url, timeout)
        return None
    if context.request_state is not None:
        return None
    params = ElicitRequestURLParams(message=_invitation(approval), url=url)
    return InputRequiredResult(
        input_requests={approval.approval_id: ElicitRequest(params=params)}, request_state=approval.approval_id
    )


def can_open(context: Context[Any, Any]) -> bool:
    """Tell whether the client declared that it opens addresses."""
    declared = context.client_capabilities.elicitation if context.client_capabilities else None
    return declared is not None and declared.url is not None


def _invitation(approval: Approval) -> str:
    return f"An approver decides on {approval.tool} of {approval.app} on this server's approval page."


async def _open_and_wait(
    context: Context[Any, Any],
    approval: Approval,
    url: str,
    timeout: float,  # noqa: ASYNC109 -- see ask_person
) -> None:
    with anyio.move_on_after(timeout), suppress(MCPError):
        await context.session.elicit_url(
            _invitation(approval), url, approval.approval_id, related_request_id=context.request_context.request_id
        )


async def _ask_and_wait(
    context: Context[Any, Any],
    approval: Approval,
    timeout: float,  # noqa: ASYNC109 -- see ask_person
) -> PersonAnswer:
    question = form(approval)
    with anyio.move_on_after(timeout):
        try:
            result = await context.session.elicit_form(
                question.message, question.requested_schema, related_request_id=context.request_context.request_id
            )
        except MCPError:
            return NOTHING
        return _read(result)
    return NOTHING


def _read(result: ElicitResult) -> PersonAnswer:
    match result.action:
        case "accept":
            return PersonAnswer(Reply.TYPED, result.content or {})
        case "decline":
            return PersonAnswer(Reply.NO, {})
        case _:
            return NOTHING
