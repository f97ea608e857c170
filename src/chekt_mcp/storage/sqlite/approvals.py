"""Approvals, and the answers remembered under idempotency keys."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime

from chekt_mcp.domain.app import ConfirmBy
from chekt_mcp.domain.approval import Approval, ApprovalState, Challenge
from chekt_mcp.errors import NotFound
from chekt_mcp.storage.records import RememberedAnswer
from chekt_mcp.storage.sqlite.session import Row, Session
from chekt_mcp.storage.sqlite.values import (
    json_object,
    json_text,
    microseconds,
    moment,
    optional_microseconds,
    optional_moment,
)

APPROVAL = (
    "SELECT approval_id, dealer, app, tool, requester, confirm, digest, state_digest, words, challenges, created_at,"
    " expires_at, state, decided_by, decided_how, decided_at, attempts, outcome FROM approvals"
)


class ApprovalReader(Session):
    """Lookups, see `storage.interface.Reader`."""

    async def approval(self, dealer: str, approval_id: str) -> Approval | None:
        """Return one approval of this dealer."""
        row = self._row(f"{APPROVAL} WHERE approval_id = ? AND dealer = ?", approval_id, dealer)
        return None if row is None else _approval(row)

    async def approval_for(
        self, dealer: str, requester: str, digest: str, state_digest: str, now: datetime
    ) -> Approval | None:
        """Return the newest approval of this request on this state that is neither expired nor used."""
        row = self._row(
            f"{APPROVAL} WHERE dealer = ? AND requester = ? AND digest = ? AND state_digest = ?"
            " AND expires_at > ? AND state <> 'used' ORDER BY created_at DESC, rowid DESC LIMIT 1",
            dealer,
            requester,
            digest,
            state_digest,
            microseconds(now),
        )
        return None if row is None else _approval(row)

    async def approvals(self, dealer: str, now: datetime) -> Sequence[Approval]:
        """Return pending, unexpired approvals, oldest first."""
        rows = self._rows(
            f"{APPROVAL} WHERE dealer = ? AND state = 'pending' AND expires_at > ? ORDER BY created_at, rowid",
            dealer,
            microseconds(now),
        )
        return [_approval(row) for row in rows]

    async def remembered_answer(
        self, dealer: str, principal: str, tool: str, idempotency_key: str, now: datetime
    ) -> RememberedAnswer | None:
        """Return the answer given under this idempotency key, unless it has expired."""
        row = self._row(
            "SELECT arguments_digest, answer, expires_at FROM remembered_answers"
            " WHERE dealer = ? AND principal = ? AND tool = ? AND idempotency_key = ? AND expires_at > ?",
            dealer,
            principal,
            tool,
            idempotency_key,
            microseconds(now),
        )
        if row is None:
            return None
        digest, answer, expires_at = row
        return RememberedAnswer(
            dealer, principal, tool, idempotency_key, digest, json_object(answer), moment(expires_at)
        )


class ApprovalWriter(ApprovalReader):
    """Changes, see `storage.interface.Writer`."""

    async def add_approval(self, approval: Approval) -> None:
        """Add an approval."""
        challenges = [[one.field, one.label, one.expected] for one in approval.challenges]
        self._change(
            "INSERT INTO approvals (approval_id, dealer, app, tool, requester, confirm, digest, state_digest, words,"
            " challenges, created_at, expires_at, state, decided_by, decided_how, decided_at, attempts, outcome)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            approval.approval_id,
            approval.dealer,
            approval.app,
            approval.tool,
            approval.requester,
            approval.confirm.value,
            approval.digest,
            approval.state_digest,
            approval.words,
            json_text(challenges),
            microseconds(approval.created_at),
            microseconds(approval.expires_at),
            approval.state.value,
            approval.decided_by,
            approval.decided_how,
            optional_microseconds(approval.decided_at),
            approval.attempts,
            None if approval.outcome is None else json_text(approval.outcome),
        )

    async def decide_approval(self, approval: Approval) -> bool:
        """Store state, decider and attempts if it is still pending; False when it no longer is."""
        changed = self._change(
            "UPDATE approvals SET state = ?, decided_by = ?, decided_how = ?, decided_at = ?, attempts = ?"
            " WHERE approval_id = ? AND dealer = ? AND state = 'pending'",
            approval.state.value,
            approval.decided_by,
            approval.decided_how,
            optional_microseconds(approval.decided_at),
            approval.attempts,
            approval.approval_id,
            approval.dealer,
        )
        return changed == 1

    async def consume_approval(self, dealer: str, approval_id: str, now: datetime) -> bool:
        """Mark an approved, unexpired approval as used; False when it is not (any more)."""
        changed = self._change(
            "UPDATE approvals SET state = 'used'"
            " WHERE approval_id = ? AND dealer = ? AND state = 'approved' AND expires_at > ?",
            approval_id,
            dealer,
            microseconds(now),
        )
        return changed == 1

    async def set_outcome(self, dealer: str, approval_id: str, outcome: dict[str, object]) -> None:
        """Keep the result of the change that used this approval."""
        changed = self._change(
            "UPDATE approvals SET outcome = ? WHERE approval_id = ? AND dealer = ?",
            json_text(outcome),
            approval_id,
            dealer,
        )
        if not changed:
            raise NotFound("There is no such approval.")

    async def remember_answer(self, answer: RememberedAnswer) -> None:
        """Keep an answer under its idempotency key, in place of an older one."""
        self._change(
            "INSERT INTO remembered_answers"
            " (dealer, principal, tool, idempotency_key, arguments_digest, answer, expires_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (dealer, principal, tool, idempotency_key) DO UPDATE SET"
            " arguments_digest = excluded.arguments_digest, answer = excluded.answer, expires_at = excluded.expires_at",
            answer.dealer,
            answer.principal,
            answer.tool,
            answer.idempotency_key,
            answer.arguments_digest,
            json_text(answer.answer),
            microseconds(answer.expires_at),
        )


def _approval(row: Row) -> Approval:
    approval_id, dealer, app, tool, requester, confirm, digest, state_digest, words, challenges, *rest = row
    created_at, expires_at, state, decided_by, decided_how, decided_at, attempts, outcome = rest
    return Approval(
        approval_id=approval_id,
        dealer=dealer,
        app=app,
        tool=tool,
        requester=requester,
        confirm=ConfirmBy(confirm),
        digest=digest,
        state_digest=state_digest,
        words=words,
        challenges=tuple(Challenge(*challenge) for challenge in json.loads(challenges)),
        created_at=moment(created_at),
        expires_at=moment(expires_at),
        state=ApprovalState(state),
        decided_by=decided_by,
        decided_how=decided_how,
        decided_at=optional_moment(decided_at),
        attempts=attempts,
        outcome=None if outcome is None else json_object(outcome),
    )
