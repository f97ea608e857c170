"""Put an allow list in force, or turn the layer off, once a person has confirmed it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import NotRequired

from chekt_mcp.domain.allow_list import ListDiff
from chekt_mcp.domain.allow_list.version import AllowListVersion
from chekt_mcp.domain.app import Authority
from chekt_mcp.domain.approval import LOCK_OUT, OVERRIDE, Approval, Challenge, Intent, Refusal, state_digest
from chekt_mcp.domain.audit import NewEntry
from chekt_mcp.domain.foreign_text import escaped
from chekt_mcp.domain.timespan import rfc3339
from chekt_mcp.operations.allow_list.list_proposal import Proposal, judge
from chekt_mcp.operations.allow_list.list_words import new_list_words, turn_off_words
from chekt_mcp.operations.change import ChangeResult, Outcome, Request, finish, refusal, refused
from chekt_mcp.operations.keys.key_users import shows_addresses
from chekt_mcp.operations.keys.portal import allow_list_steps, portal_required
from chekt_mcp.operations.services import Services
from chekt_mcp.storage.interface import Writer

OPEN_TO_EVERYONE = "open to everyone"
"""What a person types to put a list in force that allows every address."""
LOCK_CALLER_OUT = "lock the caller out"
"""What a person types to put a list in force that refuses the address the request came from."""
SHOWN = 500
"""Networks that an answer lists of each kind; the totals are always whole."""
IN_FORCE_WITHIN = timedelta(seconds=1)
"""Every check reads the current version from storage, so a change is seen by the next call."""


class UpdateAllowList(ChangeResult):
    """Result of `update_allow_list`. `version` is the one in force now."""

    version: NotRequired[int]
    enabled: NotRequired[bool]
    effective_by: NotRequired[str]
    added: NotRequired[list[str]]
    removed: NotRequired[list[str]]
    added_total: NotRequired[int]
    removed_total: NotRequired[int]


@dataclass(frozen=True, slots=True)
class ChangeList:
    """One requested change of a list. `text` is None to turn the layer off. See `operations.change.Change`."""

    services: Services = field(repr=False)
    request: Request
    text: str | None
    reason: str
    expected_version: int | None = None

    async def propose(self) -> Intent | Outcome:
        """Return the words to confirm, or why this cannot be put in force.

        Raises:
            InvalidInput: the text is no list, see `proposed_entries`.
        """
        proposal = await self._judged()
        if proposal.app.authority is Authority.PLATFORM:
            steps, stake = allow_list_steps(self.request.app), "Traffic from addresses off the list is refused."
            return portal_required(self.request, steps, stake)
        if self.expected_version not in (None, proposal.number):
            message = f"The list in force is version {proposal.number}. Read it again first."
            return refusal(self.request, "version_conflict", message)
        if self._is_in_force(proposal.current):
            message = "It is in force already; nothing was changed."
            return self._outcome(proposal.number, ListDiff((), (), ()), message)
        return self._intent(proposal)

    async def apply(self, approval: Approval) -> Outcome:
        """Consume the approval and add the version, in one transaction: either the old list or the new one."""
        proposal = await self._judged()
        if state_digest(_state(proposal)) != approval.state_digest:
            return refused(self.request, Refusal.OUTDATED)
        version = self._version(proposal)

        async def work(writer: Writer) -> Outcome:
            current = await writer.allow_list(version.dealer, version.app)
            if (current.version if current else 0) != proposal.number:
                return refused(self.request, Refusal.OUTDATED)
            if not await writer.consume_approval(version.dealer, approval.approval_id, version.effective_at):
                return refused(self.request, Refusal.ALREADY_DECIDED)
            await writer.add_allow_list(version)
            outcome = self._outcome(version.version, proposal.changed, _done(version))
            await writer.append([self._entry(approval, version)])
            await finish(writer, self.request, approval, outcome)
            return outcome

        return await self.services.storage.write(work)

    async def _judged(self) -> Proposal:
        """Judge the change in a thread of its own: two lists of 100,000 entries take a good part of a second."""
        return await self.services.storage.scan(
            lambda reader: judge(reader, self.request.call, self.request.app, self.text)
        )

    def _is_in_force(self, current: AllowListVersion | None) -> bool:
        if self.text is None:
            return current is None or not current.enabled
        return current is not None and current.enabled and current.text == self.text

    def _intent(self, proposal: Proposal) -> Intent:
        grant = self.request.call.grant
        return Intent(
            dealer=grant.dealer,
            app=proposal.app.name,
            tool=self.request.tool,
            requester=grant.principal,
            confirm=proposal.app.confirm,
            arguments=self.request.arguments,
            state=_state(proposal),
            words="\n".join(self._words(proposal)),
            challenges=_challenges(proposal),
            needs_person=self.text is None,
        )

    def _words(self, proposal: Proposal) -> list[str]:
        call = self.request.call
        if self.text is None:
            return turn_off_words(proposal, call, self.reason)
        name_addresses = shows_addresses(proposal.app, call.grant)
        return new_list_words(proposal, call, self.reason, name_addresses=name_addresses)

    def _version(self, proposal: Proposal) -> AllowListVersion:
        grant, current = self.request.call.grant, proposal.current
        kept = current.text if current else ""
        return AllowListVersion(
            dealer=grant.dealer,
            app=proposal.app.name,
            version=proposal.number + 1,
            enabled=self.text is not None,
            text=self.text if self.text is not None else kept,
            effective_at=self.services.clock(),
            set_by=grant.principal,
            reason=self.reason,
        )

    def _outcome(self, version: int, changed: ListDiff, message: str) -> dict[str, object]:
        return {
            "status": "applied",
            "app": self.request.app,
            "message": message,
            "version": version,
            "enabled": self.text is not None,
            "effective_by": rfc3339(self.services.clock() + IN_FORCE_WITHIN),
            "added": list(changed.added[:SHOWN]),
            "removed": list(changed.removed[:SHOWN]),
            "added_total": len(changed.added),
            "removed_total": len(changed.removed),
        }

    def _entry(self, approval: Approval, version: AllowListVersion) -> NewEntry:
        """Return the change's log entry, of the moment it took effect: the call may have waited long for a person."""
        details = {
            "version": version.version,
            "enabled": version.enabled,
            "approval_id": approval.approval_id,
            "reason": escaped(self.reason),
        }
        action = "allow_list.update" if version.enabled else "allow_list.disable"
        entry = self.request.call.change_entry(action, version.app, **details)
        return replace(entry, timestamp=version.effective_at)


def _state(proposal: Proposal) -> Mapping[str, object]:
    """Return what the words and the texts to type rest on: the same list locks out one caller and not another."""
    return {"version": proposal.number, "locks_out": proposal.locks_out}


def _challenges(proposal: Proposal) -> tuple[Challenge, ...]:
    name = proposal.app.name
    challenges = [Challenge("app", f"Type the app's name ({name})", name)]
    if proposal.covers_everything or proposal.covers_most:
        challenges.append(Challenge(OVERRIDE, f"Type: {OPEN_TO_EVERYONE}", OPEN_TO_EVERYONE))
    if proposal.locks_out:
        challenges.append(Challenge(LOCK_OUT, f"Type: {LOCK_CALLER_OUT}", LOCK_CALLER_OUT))
    return tuple(challenges)


def _done(version: AllowListVersion) -> str:
    return "In force." if version.enabled else "The layer is off: it accepts requests from any address."
