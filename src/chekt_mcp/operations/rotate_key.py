"""Rotate a key or signing secret, once a person has confirmed it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import NotRequired

from typing_extensions import TypedDict

from chekt_mcp.domain import api_key
from chekt_mcp.domain.api_key import KeyKind
from chekt_mcp.domain.app import App, Authority
from chekt_mcp.domain.approval import Approval, Challenge, Intent, Refusal, state_digest
from chekt_mcp.domain.audit import NewEntry
from chekt_mcp.domain.identifier import new_id
from chekt_mcp.domain.rotation import DELIVERY_LEASE, Reason, Rotation, RotationState
from chekt_mcp.domain.timespan import rfc3339
from chekt_mcp.errors import DeliveryFailed
from chekt_mcp.operations.change import (
    ChangeResult,
    Outcome,
    Request,
    finish,
    refusal,
    refused,
)
from chekt_mcp.operations.key_material import KeyPair, key_pair
from chekt_mcp.operations.known_app import known_app
from chekt_mcp.operations.portal import portal_required, rotate_steps
from chekt_mcp.operations.rotation_facts import Facts, rotation_words
from chekt_mcp.operations.rotation_steps import Completed, deliver_and_complete, seal_new_key
from chekt_mcp.operations.services import Services
from chekt_mcp.secrets.interface import Sink
from chekt_mcp.storage.interface import Reader, Writer
from chekt_mcp.storage.records import SealedKey

AGAIN = "rotate again"
"""What a person types to replace a key while the one before it still works."""


class DeliveredTo(TypedDict):
    """Where the new value went: the kind of sink and a reference, never a place a model could read."""

    sink: str
    reference: str


class RotateKey(ChangeResult):
    """Result of `rotate_key`; the value itself is in the sink and nowhere else."""

    rotation_id: NotRequired[str]
    kind: NotRequired[str]
    key_id: NotRequired[str]
    fingerprint: NotRequired[str]
    delivered_to: NotRequired[DeliveredTo]
    previous_valid_until: NotRequired[str | None]
    used_by_this_session: NotRequired[bool]
    next_step: NotRequired[str]


@dataclass(frozen=True, slots=True)
class Rotate:
    """One requested rotation. See `operations.change.Change`."""

    services: Services = field(repr=False)
    request: Request
    kind: KeyKind
    reason: Reason
    revoke_previous_now: bool = False
    force: bool = False

    async def propose(self) -> Intent | Outcome:
        """Return the words to confirm, or why this cannot be done here and now."""
        facts = await self._facts()
        if facts.app.authority is Authority.PLATFORM:
            stake = "The old one works for 24 hours after a rotation unless it is revoked."
            return portal_required(self.request, rotate_steps(self.request.app, self.kind), stake)
        live = facts.pair.live_previous(self.request.call.now)
        if live is not None and not self.force:
            return _in_grace(self.request, live)
        try:
            await facts.sink.prove()
        except DeliveryFailed as error:
            return refusal(self.request, error.code, f"{error} Nothing was changed.")
        return self._intent(facts)

    async def apply(self, approval: Approval) -> Outcome:
        """Mint, deliver, complete. The approval is consumed when the rotation is recorded, before delivery."""
        facts = await self._facts()
        try:
            await facts.sink.prove()
        except DeliveryFailed as error:
            return refusal(self.request, error.code, f"{error} Nothing was changed.")
        value = api_key.mint(self.kind, facts.app.environment, self.services.random)
        rotation, key = await seal_new_key(self.services, self._rotation(facts, approval), value)
        started = await self._begin(approval, facts, rotation, key)
        if started is not None:
            return refused(self.request, started)
        outcome: dict[str, object] = {}

        async def then(writer: Writer, done: Completed) -> None:
            outcome.update(self._outcome(done, facts))
            await writer.append([self._entry(done)])
            await finish(writer, self.request, approval, outcome)

        try:
            await deliver_and_complete(self.services, rotation, facts.sink, value, then)
        except DeliveryFailed as error:
            return refusal(self.request, error.code, f"{error} The old key is still current; nothing else changed.")
        return outcome

    async def _facts(self) -> Facts:
        grant, name = self.request.call.grant, self.request.app

        async def work(reader: Reader) -> tuple[App, KeyPair, int]:
            pair = await key_pair(reader, grant.dealer, name, self.kind)
            since = self.request.call.now - timedelta(hours=24)
            uses = await reader.key_uses(grant.dealer, pair.current.key.key_id, since) if pair.current else ()
            return await known_app(reader, grant.dealer, name), pair, len(uses)

        app, pair, used_by = await self.services.storage.read(work)
        own = self.kind is KeyKind.API_KEY and name == grant.app
        return Facts(app, pair, self.services.sinks.choose(grant.dealer, name, self.kind, own=own), own, used_by)

    def _intent(self, facts: Facts) -> Intent:
        grant, live = self.request.call.grant, facts.pair.live_previous(self.request.call.now)
        challenges: tuple[Challenge, ...] = (
            Challenge("app", f"Type the app's name ({facts.app.name})", facts.app.name),
        )
        if live is not None:
            challenges += (Challenge("override", f"Type: {AGAIN}", AGAIN),)
        return Intent(
            dealer=grant.dealer,
            app=facts.app.name,
            tool=self.request.tool,
            requester=grant.principal,
            confirm=facts.app.confirm,
            arguments=self.request.arguments,
            state=_state(facts.pair, facts.sink),
            words="\n".join(self._words(facts)),
            challenges=tuple(challenges),
        )

    def _words(self, facts: Facts) -> list[str]:
        return rotation_words(
            self.request,
            facts,
            kind=self.kind,
            reason=self.reason,
            grace=None if self.revoke_previous_now else self.services.limits.grace,
        )

    def _rotation(self, facts: Facts, approval: Approval) -> Rotation:
        now, random = self.services.clock(), self.services.random
        return Rotation(
            rotation_id=new_id("rot", random),
            dealer=facts.app.dealer,
            app=facts.app.name,
            kind=self.kind,
            reason=self.reason,
            state=RotationState.DELIVERING,
            old_key_id=facts.pair.current.key.key_id if facts.pair.current else None,
            new_key_id=new_id("key", random),
            sink=facts.sink.name,
            target=facts.sink.target,
            revoke_previous_now=self.revoke_previous_now,
            requested_by=self.request.call.grant.principal,
            approval_id=approval.approval_id,
            started_at=now,
            lease_until=now + DELIVERY_LEASE,
            sealed=None,
        )

    async def _begin(self, approval: Approval, facts: Facts, rotation: Rotation, key: SealedKey) -> Refusal | None:
        """Consume the approval and record the rotation, if the state is still the one that was confirmed."""
        grant = self.request.call.grant

        async def work(writer: Writer) -> Refusal | None:
            pair = await key_pair(writer, grant.dealer, facts.app.name, self.kind)
            if state_digest(_state(pair, facts.sink)) != approval.state_digest:
                return Refusal.OUTDATED
            if any(_same_key(rotation, other) for other in await writer.unfinished_rotations()):
                return Refusal.IN_PROGRESS
            if not await writer.consume_approval(grant.dealer, approval.approval_id, rotation.started_at):
                return Refusal.ALREADY_DECIDED
            await writer.add_key(key)
            await writer.add_rotation(rotation)
            return None

        return await self.services.storage.write(work)

    def _entry(self, done: Completed) -> NewEntry:
        rotation = done.rotation
        return self.request.call.change_entry(
            "key.rotate",
            rotation.app,
            kind=self.kind.value,
            rotation_id=rotation.rotation_id,
            approval_id=rotation.approval_id,
            old_key_id=rotation.old_key_id,
            new_key_id=done.new.key_id,
            fingerprint=done.new.fingerprint,
            reason=self.reason.value,
            sink=rotation.sink,
            previous_valid_until=rfc3339(done.previous_valid_until) if done.previous_valid_until else None,
        )

    def _outcome(self, done: Completed, facts: Facts) -> dict[str, object]:
        until = rfc3339(done.previous_valid_until) if done.previous_valid_until else None
        return {
            "status": "rotated",
            "app": facts.app.name,
            "message": f"The new {self.kind.value} is delivered and in force; the old one "
            + (f"works until {until}." if until else "is revoked."),
            "rotation_id": done.rotation.rotation_id,
            "kind": self.kind.value,
            "key_id": done.new.key_id,
            "fingerprint": done.new.fingerprint,
            "delivered_to": {"sink": facts.sink.name, "reference": facts.sink.reference},
            "previous_valid_until": until,
            "used_by_this_session": facts.own,
            "next_step": "Deploy the new one everywhere, watch get_key_status, then revoke_previous_key."
            if until
            else "Deploy the new one everywhere: nothing else works any more.",
        }


def _state(pair: KeyPair, sink: Sink) -> dict[str, object]:
    current, previous = pair.current, pair.previous
    return {
        "current": current.key.key_id if current else None,
        "previous": previous.key.key_id if previous else None,
        "sink": [sink.name, sink.target],
    }


def _same_key(one: Rotation, other: Rotation) -> bool:
    return (one.dealer, one.app, one.kind) == (other.dealer, other.app, other.kind)


def _in_grace(request: Request, live: SealedKey) -> Outcome:
    until = live.key.valid_until or request.call.now
    hours = max(1, round((until - request.call.now).total_seconds() / 3600))
    return refusal(
        request,
        "grace_period_active",
        f"The key before this one works for {hours} h more (until {rfc3339(until)}). Another would end that. "
        "Wait, or revoke it with revoke_previous_key, or ask with force=true, which a person has to confirm twice.",
    )
