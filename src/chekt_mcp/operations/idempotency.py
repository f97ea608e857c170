"""Idempotency keys: the same key is the same request, from its first asking until a day later.

A key is tied to its approval as soon as that exists, so that other arguments are a conflict even while a person still
decides. Once the change is made, the approval's outcome is the answer to every repeat: also after a crash, whoever
completed it. A change that came to nothing leaves the request open: asking again asks a person again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from chekt_mcp.domain.approval import Approval, ApprovalState, Refusal
from chekt_mcp.errors import Conflict
from chekt_mcp.operations.services import Services
from chekt_mcp.storage.interface import Reader, Writer
from chekt_mcp.storage.records import RememberedAnswer

if TYPE_CHECKING:  # that module is built on this one
    from chekt_mcp.operations.change import Request

REMEMBERED_FOR = timedelta(hours=24)
"""CHeKT keeps the answer to an idempotency key for 24 h; so do we."""

WAITS_FOR = "approval_id"
"""In place of an answer: the approval whose outcome it will be."""


@dataclass(frozen=True, slots=True)
class Binding:
    """Ties a request's idempotency key, if it has one, to an approval: part of the transaction that finds that."""

    request: Request

    async def __call__(self, writer: Writer, approval: Approval) -> None:
        """Tie it.

        Raises:
            Conflict: code `idempotency_conflict`, or `in_progress` when the request was carried out meanwhile.
        """
        known = await _known(writer, self.request)
        if known is not None and WAITS_FOR not in known.answer:
            raise Conflict("That request was carried out meanwhile. Call again.", code="in_progress")
        await remember(writer, self.request, {WAITS_FOR: approval.approval_id})


async def remembered(services: Services, request: Request) -> Mapping[str, object] | Refusal | None:
    """Return the answer given under the request's idempotency key; None when there is none to give yet.

    Raises:
        Conflict: code `idempotency_conflict`, when the key was used with other arguments.
    """

    async def work(reader: Reader) -> Mapping[str, object] | Refusal | None:
        known = await _known(reader, request)
        if known is None:
            return None
        approval_id = known.answer.get(WAITS_FOR)
        if not isinstance(approval_id, str):
            return known.answer
        approval = await reader.approval(request.call.grant.dealer, approval_id)
        return None if approval is None else _outcome(approval)

    return await services.storage.read(work)


async def remember(writer: Writer, request: Request, answer: Mapping[str, object]) -> None:
    """Keep an answer under the request's idempotency key, if it has one."""
    if request.idempotency_key is None:
        return
    grant, expires = request.call.grant, request.call.now + REMEMBERED_FOR
    await writer.remember_answer(
        RememberedAnswer(
            grant.dealer, grant.principal, request.tool, request.idempotency_key, request.digest, answer, expires
        )
    )


def _outcome(approval: Approval) -> Mapping[str, object] | Refusal | None:
    if approval.state is not ApprovalState.USED:
        return None
    if approval.outcome is None:
        return Refusal.IN_PROGRESS
    return None if approval.outcome.get("status") == "refused" else approval.outcome


async def _known(reader: Reader, request: Request) -> RememberedAnswer | None:
    key, grant = request.idempotency_key, request.call.grant
    if key is None:
        return None
    known = await reader.remembered_answer(grant.dealer, grant.principal, request.tool, key, request.call.now)
    if known is not None and known.arguments_digest != request.digest:
        raise Conflict(
            "That idempotency_key was used for another request in the last 24 hours.",
            code="idempotency_conflict",
            fix="Use a new key for a new request.",
        )
    return known
