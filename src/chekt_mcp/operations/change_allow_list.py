"""Put an allow list in force, or turn the layer off, once a person has confirmed it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import NotRequired

from chekt_mcp.domain.allow_list import (
    AddressMatcher,
    Entry,
    ListDiff,
    ParseError,
    covers_everything,
    diff,
    parse,
)
from chekt_mcp.domain.allow_list.version import AllowListVersion
from chekt_mcp.domain.app import App, Authority
from chekt_mcp.domain.approval import Approval, Challenge, Intent, Refusal, state_digest
from chekt_mcp.domain.audit import Traffic
from chekt_mcp.domain.foreign_text import escaped
from chekt_mcp.domain.timespan import rfc3339
from chekt_mcp.errors import InvalidInput
from chekt_mcp.operations.change import ChangeResult, Outcome, Request, finish, refusal, refused
from chekt_mcp.operations.known_app import known_app
from chekt_mcp.operations.portal import allow_list_steps, portal_required
from chekt_mcp.operations.read_allow_list import stored_entries
from chekt_mcp.operations.services import Services
from chekt_mcp.storage.interface import Reader, Writer

EVERYTHING = "open to everyone"
"""What a person types to put a list in force that allows every address."""
LOOKBACK = timedelta(days=7)
LISTED = 20
IN_FORCE_WITHIN = timedelta(seconds=1)
"""Every check reads the current version from storage, so a change is seen by the next call."""


class UpdateAllowList(ChangeResult):
    """Result of `update_allow_list`. `version` is the one in force now."""

    version: NotRequired[int]
    enabled: NotRequired[bool]
    effective_by: NotRequired[str]
    added: NotRequired[list[str]]
    removed: NotRequired[list[str]]


@dataclass(frozen=True, slots=True)
class Facts:
    """The list in force, and the traffic a new one is held against."""

    app: App
    current: AllowListVersion | None
    traffic: Sequence[Traffic]

    @property
    def number(self) -> int:
        """The version in force; 0 when there never was one."""
        return self.current.version if self.current else 0


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
            InvalidInput: code `bad_allow_list`, every error with line, column and code.
        """
        entries = _parsed(self.text)
        facts = await self._facts()
        if facts.app.authority is Authority.PLATFORM:
            steps, stake = allow_list_steps(self.request.app), "Traffic from addresses off the list is refused."
            return portal_required(self.request, steps, stake)
        if self.expected_version not in (None, facts.number):
            return refusal(
                self.request, "version_conflict", f"The list in force is version {facts.number}. Read it again first."
            )
        if self._in_force_already(facts):
            return self._outcome(facts.number, ListDiff((), (), ()), "It is in force already; nothing was changed.")
        return self._intent(facts, entries)

    async def apply(self, approval: Approval) -> Outcome:
        """Consume the approval and add the version, in one transaction: either the old list or the new one."""
        entries, now = _parsed(self.text), self.services.clock()
        grant, app = self.request.call.grant, self.request.app

        async def work(writer: Writer) -> Outcome:
            current = await writer.allow_list(grant.dealer, app)
            number = current.version if current else 0
            if state_digest({"version": number}) != approval.state_digest:
                return refused(self.request, Refusal.OUTDATED)
            if not await writer.consume_approval(grant.dealer, approval.approval_id, now):
                return refused(self.request, Refusal.ALREADY_DECIDED)
            text = self.text if self.text is not None else (current.text if current else "")
            version = AllowListVersion(
                grant.dealer, app, number + 1, self.text is not None, text, now, grant.principal, self.reason
            )
            await writer.add_allow_list(version)
            changed = diff(stored_entries(current), entries)
            outcome = self._outcome(number + 1, changed, "In force.")
            await writer.append(
                [self.request.call.change_entry("allow_list.update", app, **self._details(approval, version))]
            )
            await finish(writer, self.request, approval, outcome)
            return outcome

        return await self.services.storage.write(work)

    async def _facts(self) -> Facts:
        call, name = self.request.call, self.request.app

        async def work(reader: Reader) -> Facts:
            dealer = call.grant.dealer
            traffic = await reader.traffic(dealer, name, call.now - LOOKBACK)
            return Facts(await known_app(reader, dealer, name), await reader.allow_list(dealer, name), traffic)

        return await self.services.storage.read(work)

    def _in_force_already(self, facts: Facts) -> bool:
        if self.text is None:
            return facts.current is None or not facts.current.enabled
        return facts.current is not None and facts.current.enabled and facts.current.text == self.text

    def _intent(self, facts: Facts, entries: Sequence[Entry]) -> Intent:
        grant = self.request.call.grant
        challenges = (Challenge("app", f"Type the app's name ({facts.app.name})", facts.app.name),)
        if self.text is not None and covers_everything(entries):
            challenges += (Challenge("override", f"Type: {EVERYTHING}", EVERYTHING),)
        return Intent(
            dealer=grant.dealer,
            app=facts.app.name,
            tool=self.request.tool,
            requester=grant.principal,
            confirm=facts.app.confirm,
            arguments=self.request.arguments,
            state={"version": facts.number},
            words="\n".join(self._words(facts, entries)),
            challenges=challenges,
        )

    def _words(self, facts: Facts, entries: Sequence[Entry]) -> list[str]:
        call, changed = self.request.call, diff(stored_entries(facts.current), entries)
        what = "Put a new allow list in force for" if self.text is not None else "Turn the allow list OFF for"
        words = [
            f"{what} app {facts.app.name} ({facts.app.environment}); version {facts.number} is in force.",
            f"Asked by {call.grant.principal} over {call.source}.",
            f"Reason given by the caller (not checked): {escaped(self.reason)}",
        ]
        if self.text is None:
            return [*words, "Requests from ANY address are then accepted by this layer."]
        words += _listed("Added", changed.added) + _listed("Removed", changed.removed)
        words.append(f"Unchanged: {len(changed.unchanged)}.")
        if covers_everything(entries):
            words.append("WARNING: this list allows EVERY address of a family: it protects nothing.")
        return [*words, _effect(entries, facts.traffic)]

    def _outcome(self, version: int, changed: ListDiff, message: str) -> dict[str, object]:
        return {
            "status": "applied",
            "app": self.request.app,
            "message": message,
            "version": version,
            "enabled": self.text is not None,
            "effective_by": rfc3339(self.services.clock() + IN_FORCE_WITHIN),
            "added": list(changed.added[:500]),
            "removed": list(changed.removed[:500]),
        }

    def _details(self, approval: Approval, version: AllowListVersion) -> dict[str, object]:
        return {
            "version": version.version,
            "enabled": version.enabled,
            "approval_id": approval.approval_id,
            "reason": escaped(self.reason),
        }


def _parsed(text: str | None) -> tuple[Entry, ...]:
    if text is None:
        return ()
    parsed = parse(text)
    if not parsed.ok:
        raise InvalidInput(_all_errors(parsed.errors), field="entries", code="bad_allow_list")
    if not parsed.entries:
        raise InvalidInput(
            "The list has no entries; an empty list would turn the layer off.",
            field="entries",
            code="empty_allow_list",
            fix="To turn it off, say disable=true instead.",
        )
    return parsed.entries


def _all_errors(errors: Sequence[ParseError]) -> str:
    shown = [
        f"Line {one.line}, column {one.column}: {one.code}" + (f" (write {one.suggestion})" if one.suggestion else "")
        for one in errors[:LISTED]
    ]
    rest = [f"and {len(errors) - LISTED} more"] if len(errors) > LISTED else []
    return "; ".join(shown + rest) + "."


def _listed(title: str, networks: Sequence[str]) -> list[str]:
    if not networks:
        return [f"{title}: none."]
    more = f" and {len(networks) - LISTED} more" if len(networks) > LISTED else ""
    return [f"{title} ({len(networks)}): {', '.join(networks[:LISTED])}{more}."]


def _effect(entries: Sequence[Entry], traffic: Sequence[Traffic]) -> str:
    matcher = AddressMatcher(entries)
    outside = [one for one in traffic if matcher.check(one.source_ip).matched is None]
    seen, refused_requests = sum(one.requests for one in traffic), sum(one.requests for one in outside)
    if not seen:
        return "The log holds no requests of the last 7 days to hold it against."
    return f"Of {seen} requests in the last 7 days it would refuse {refused_requests}, from {len(outside)} address(es)."
