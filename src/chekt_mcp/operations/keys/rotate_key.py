"""Rotate a key or signing secret, once a person has confirmed it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import anyio

from chekt_mcp.domain import api_key
from chekt_mcp.domain.api_key import KeyKind
from chekt_mcp.domain.app import Authority
from chekt_mcp.domain.approval import OVERRIDE, Approval, Challenge, Intent, Refusal, state_digest
from chekt_mcp.domain.audit import NewEntry, Result
from chekt_mcp.domain.identifier import new_id
from chekt_mcp.domain.rotation import DELIVERY_LEASE, Reason, Rotation, RotationState
from chekt_mcp.domain.timespan import rfc3339
from chekt_mcp.errors import DeliveryFailed
from chekt_mcp.operations import idempotency
from chekt_mcp.operations.change import Outcome, Request, refusal, refused
from chekt_mcp.operations.keys.portal_rotation import Wanted, rotate_in_portal
from chekt_mcp.operations.keys.recovery import recover
from chekt_mcp.operations.keys.rotation_facts import Facts, facts_of, rotation_facts, rotation_words
from chekt_mcp.operations.keys.rotation_outcome import Completed, rotated, undelivered
from chekt_mcp.operations.keys.rotation_steps import abandon, complete, leave_undecided, seal_new_key
from chekt_mcp.operations.services import Services
from chekt_mcp.secrets.interface import DELIVERY_UNKNOWN, Sink
from chekt_mcp.storage.interface import Writer
from chekt_mcp.storage.records import SealedKey

AGAIN = "rotate again"
"""What a person types to replace a key while the one before it still works."""


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
        """Return the words to confirm, or why this cannot be done here and now.

        Raises:
            SecretUnreadable: a new value could not be sealed, so nobody is asked to confirm one.
        """
        facts = await self._facts_after_recovery()
        if facts.app.authority is Authority.PLATFORM:
            wanted = Wanted(self.kind, self.reason, self.revoke_previous_now)
            return await rotate_in_portal(self.services, self.request, wanted)
        if facts.open is not None and facts.open.state is RotationState.DELIVERING:
            return refused(self.request, Refusal.IN_PROGRESS)
        live = facts.pair.live_previous(self.request.call.now)
        if live is not None and not self.force:
            return _in_grace(self.request, live)
        self.services.sealing()
        return await self._no_place(facts.sink) or self._intent(facts)

    async def apply(self, approval: Approval) -> Outcome:
        """Mint, deliver, complete. The approval is consumed when the rotation is recorded, before delivery."""
        facts = await rotation_facts(self.services, self.request, self.kind)
        if (no_place := await self._no_place(facts.sink)) is not None:
            return no_place
        value = api_key.mint(self.kind, facts.app.environment, self.services.random)
        rotation, key = await seal_new_key(self.services, self._rotation(facts, approval), value)
        started = await self.services.storage.write(lambda writer: self._begin(writer, approval, rotation, key))
        if started is not None:
            return refused(self.request, started)
        outcome: Outcome
        with anyio.CancelScope(shield=True):  # a caller that goes away must not leave a key half delivered
            outcome = await self._deliver(rotation, facts.sink, value)
        return outcome

    async def _deliver(self, rotation: Rotation, sink: Sink, value: str) -> Outcome:
        try:
            await sink.deliver(value)
        except DeliveryFailed as error:
            failure, outcome = error, undelivered(rotation, error)
        else:
            return rotated(await complete(self.services, rotation, sink, self._entry), sink)
        await self.services.storage.write(lambda writer: self._end(writer, rotation, failure, outcome))
        return outcome

    async def _end(self, writer: Writer, rotation: Rotation, error: DeliveryFailed, outcome: dict[str, object]) -> None:
        """Give the rotation up where the key surely did not arrive; otherwise leave it to a person."""
        unknown = error.code == DELIVERY_UNKNOWN
        end, verb = (leave_undecided, "unknown") if unknown else (abandon, "fail")
        if await end(writer, rotation, self.services.clock()):
            details = {"kind": self.kind.value, "rotation_id": rotation.rotation_id, "code": error.code}
            entry = self.request.call.change_entry(f"key.rotate.{verb}", rotation.app, **details)
            await writer.append([replace(entry, result=Result.ERROR)])
            await writer.set_outcome(rotation.dealer, rotation.approval_id, outcome)

    async def _facts_after_recovery(self) -> Facts:
        """Read the facts; where a crashed process left a rotation of this very key, take that up first."""
        facts = await rotation_facts(self.services, self.request, self.kind)
        left = facts.open
        if left is None or left.state is not RotationState.DELIVERING or left.leased_at(self.services.clock()):
            return facts
        await recover(self.services)
        return await rotation_facts(self.services, self.request, self.kind)

    async def _no_place(self, sink: Sink) -> Outcome | None:
        try:
            await sink.prove()
        except DeliveryFailed as error:
            return refusal(self.request, error.code, f"{error} Nothing was changed.")
        return None

    def _intent(self, facts: Facts) -> Intent:
        grant, live = self.request.call.grant, facts.pair.live_previous(self.request.call.now)
        challenges: tuple[Challenge, ...] = (
            Challenge("app", f"Type the app's name ({facts.app.name})", facts.app.name),
        )
        if live is not None:
            challenges += (Challenge(OVERRIDE, f"Type: {AGAIN}", AGAIN),)
        grace = None if self.revoke_previous_now else self.services.limits.grace
        words = rotation_words(self.request, facts, kind=self.kind, reason=self.reason, grace=grace)
        return Intent(
            dealer=grant.dealer,
            app=facts.app.name,
            tool=self.request.tool,
            requester=grant.principal,
            confirm=facts.app.confirm,
            arguments=self.request.arguments,
            state=facts.state,
            words="\n".join(words),
            challenges=challenges,
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

    async def _begin(self, writer: Writer, approval: Approval, rotation: Rotation, key: SealedKey) -> Refusal | None:
        """Consume the approval and record the rotation, if the state is still the one that was confirmed."""
        facts = await facts_of(writer, self.services, self.request, self.kind)
        if state_digest(facts.state) != approval.state_digest:
            return Refusal.OUTDATED
        if facts.open is not None and facts.open.state is RotationState.DELIVERING:
            return Refusal.IN_PROGRESS
        if not await writer.consume_approval(rotation.dealer, approval.approval_id, rotation.started_at):
            return Refusal.ALREADY_DECIDED
        if facts.open is not None and await abandon(writer, facts.open, rotation.started_at):
            given_up = {
                "rotation_id": facts.open.rotation_id,
                "kind": self.kind.value,
                "new_key_id": facts.open.new_key_id,
            }
            await writer.append([self.request.call.change_entry("key.rotate.discard", rotation.app, **given_up)])
        await idempotency.Binding(self.request)(writer, approval)
        await writer.add_key(key)
        await writer.add_rotation(rotation)
        return None

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


def _in_grace(request: Request, live: SealedKey) -> Outcome:
    until = live.key.valid_until or request.call.now
    hours = max(1, round((until - request.call.now).total_seconds() / 3600))
    return refusal(
        request,
        "grace_period_active",
        f"The key before this one works for {hours} h more (until {rfc3339(until)}). Another would end that. "
        "Wait, or revoke it with revoke_previous_key, or ask with force=true, which a person has to confirm twice.",
    )
