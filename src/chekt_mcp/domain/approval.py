"""Approvals: what a person is asked to allow, and the rules for when their answer counts.

The first asking stores the words, the caller, the tool, its arguments and the state they were made on; later
rounds show the stored words. The change consumes the approval in its own transaction, so it is good once.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from chekt_mcp.domain.app import ConfirmBy

MAX_ATTEMPTS = 3
"""Wrong answers after which an approval counts as denied."""


OVERRIDE = "override"
"""The field of a challenge that overrides a safeguard."""
LOCK_OUT = "lock_out"
"""The field of the one that lets callers shut themselves out; both can be asked for at once."""
OVERRIDES = frozenset({OVERRIDE, LOCK_OUT})


class ApprovalState(StrEnum):
    """What has been decided. Expiry is not a state: it is read off the clock."""

    PENDING = "pending"
    APPROVED = "approved"
    DENIED = "denied"
    USED = "used"


@dataclass(frozen=True, slots=True)
class Challenge:
    """A text the person must type exactly: the app's name, and a separate word for what overrides a safeguard."""

    field: str
    label: str
    expected: str


@dataclass(frozen=True, slots=True)
class Intent:
    """What is about to happen, in words and in digests.

    Attributes:
        requester: the caller's principal; nobody approves their own request.
        arguments: the call's arguments without `approval_id` and `idempotency_key`, canonical.
        state: what the words rest on (list version, key id, …); if it changes, the approval is outdated.
        words: what the person reads. Foreign text in it is escaped and labelled before it gets here.
    """

    dealer: str
    app: str
    tool: str
    requester: str
    confirm: ConfirmBy
    arguments: Mapping[str, object]
    state: Mapping[str, object]
    words: str
    challenges: tuple[Challenge, ...]
    needs_person: bool = False
    """Never unattended, whatever the configuration: it takes a safeguard away."""

    @property
    def digest(self) -> str:
        """SHA-256 over who asks for what; two calls with one digest are the same request."""
        return request_digest(self.dealer, self.app, self.tool, self.requester, self.arguments)

    @property
    def state_digest(self) -> str:
        """SHA-256 over the state the request was made on."""
        return state_digest(self.state)


@dataclass(frozen=True, slots=True)
class Approval:
    """A stored request for a person's decision. `outcome` is the result of the change that used it."""

    approval_id: str
    dealer: str
    app: str
    tool: str
    requester: str
    confirm: ConfirmBy
    digest: str
    state_digest: str
    words: str
    challenges: tuple[Challenge, ...]
    created_at: datetime
    expires_at: datetime
    state: ApprovalState = ApprovalState.PENDING
    decided_by: str | None = None
    decided_how: str | None = None
    decided_at: datetime | None = None
    attempts: int = 0
    outcome: Mapping[str, object] | None = None

    def expired(self, now: datetime) -> bool:
        """Tell whether its time is over; a used one no longer expires."""
        return self.state is not ApprovalState.USED and now >= self.expires_at

    def standing(self, now: datetime) -> str:
        """Return `pending`, `approved`, `denied`, `used` or `expired`."""
        return "expired" if self.expired(now) else self.state.value


class Refusal(StrEnum):
    """Why an approval cannot be used or decided now."""

    UNKNOWN = "approval_unknown"
    EXPIRED = "approval_expired"
    OUTDATED = "approval_outdated"
    OTHER_REQUEST = "approval_for_another_request"
    OWN_REQUEST = "own_request"
    ALREADY_DECIDED = "already_decided"
    WRONG_TEXT = "wrong_text"
    TOO_MANY_ATTEMPTS = "too_many_attempts"
    IN_PROGRESS = "in_progress"


def request_digest(dealer: str, app: str, tool: str, requester: str, arguments: Mapping[str, object]) -> str:
    """Return SHA-256 over who asks for what, without the state it rests on."""
    return _digest([dealer, app, tool, requester, dict(arguments)])


def state_digest(state: Mapping[str, object]) -> str:
    """Return SHA-256 over the state a request was made on."""
    return _digest(dict(state))


def mismatch(approval: Approval, intent: Intent, now: datetime) -> Refusal | None:
    """Tell why `approval` does not stand for `intent` now, or None when it does.

    A foreign approval reads as unknown: an id tells nothing to somebody it was not given to.
    """
    if approval.dealer != intent.dealer or approval.requester != intent.requester:
        return Refusal.UNKNOWN
    if approval.digest != intent.digest:
        return Refusal.OTHER_REQUEST
    if approval.state is ApprovalState.USED:
        return None
    if approval.expired(now):
        return Refusal.EXPIRED
    return None if same_ground(approval, intent) else Refusal.OUTDATED


def same_ground(approval: Approval, intent: Intent) -> bool:
    """Tell whether state and policy are still those the approval was asked for on."""
    return approval.state_digest == intent.state_digest and approval.confirm is intent.confirm


def undecidable(approval: Approval, decider: str, now: datetime) -> Refusal | None:
    """Tell why `decider` cannot decide `approval` now, or None when they can."""
    if decider == approval.requester:
        return Refusal.OWN_REQUEST
    if approval.state is not ApprovalState.PENDING:
        return Refusal.ALREADY_DECIDED
    return Refusal.EXPIRED if approval.expired(now) else None


def answers_match(challenges: tuple[Challenge, ...], answers: Mapping[str, object]) -> bool:
    """Compare what was typed, character for character: no trimming, no case folding, no look-alikes."""
    matches = [
        isinstance(given := answers.get(challenge.field), str)
        and hmac.compare_digest(given.encode("utf-8", "surrogatepass"), challenge.expected.encode())
        for challenge in challenges
    ]
    return bool(matches) and all(matches)


def _digest(value: object) -> str:
    canonical = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode()).hexdigest()
