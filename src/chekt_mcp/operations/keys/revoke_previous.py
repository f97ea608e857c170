"""End the grace of a previous key now, once a person has confirmed it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import NotRequired

from chekt_mcp.domain.api_key import KeyKind, KeyState
from chekt_mcp.domain.app import App, Authority
from chekt_mcp.domain.approval import Approval, Challenge, Intent, Refusal, state_digest
from chekt_mcp.domain.audit import KeyUse
from chekt_mcp.domain.key_usage import LOOKBACK
from chekt_mcp.domain.timespan import rfc3339
from chekt_mcp.operations.change import ChangeResult, Outcome, Request, finish, refusal, refused
from chekt_mcp.operations.keys.key_material import key_pair
from chekt_mcp.operations.keys.key_users import named, shows_addresses, sources
from chekt_mcp.operations.keys.portal import portal_required, revoke_steps
from chekt_mcp.operations.known_app import known_app
from chekt_mcp.operations.services import Services
from chekt_mcp.storage.interface import Reader, Writer
from chekt_mcp.storage.records import SealedKey


class RevokePreviousKey(ChangeResult):
    """Result of `revoke_previous_key`."""

    kind: NotRequired[str]
    key_id: NotRequired[str]
    fingerprint: NotRequired[str]
    revoked_at: NotRequired[str]


@dataclass(frozen=True, slots=True)
class Revoke:
    """One requested revocation. See `operations.change.Change`."""

    services: Services = field(repr=False)
    request: Request
    kind: KeyKind

    async def propose(self) -> Intent | Outcome:
        """Return the words to confirm, or why there is nothing to revoke here."""
        app, live, uses = await self._facts()
        if app.authority is Authority.PLATFORM:
            return portal_required(
                self.request, revoke_steps(app.name), "Whatever still uses the old key fails at once."
            )
        if live is None:
            return refusal(self.request, "nothing_to_revoke", "There is no previous key in its time of grace.")
        return self._intent(app, live, uses)

    async def apply(self, approval: Approval) -> Outcome:
        """Consume the approval and revoke, in one transaction."""
        now = self.services.clock()

        async def work(writer: Writer) -> Outcome:
            app, dealer = self.request.app, self.request.call.grant.dealer
            live = (await key_pair(writer, dealer, app, self.kind)).live_previous(now)
            if live is None or state_digest({"previous": live.key.key_id}) != approval.state_digest:
                return refused(self.request, Refusal.OUTDATED)
            if not await writer.consume_approval(dealer, approval.approval_id, now):
                return refused(self.request, Refusal.ALREADY_DECIDED)
            await writer.update_key(replace(live.key, state=KeyState.REVOKED, revoked_at=now))
            outcome = self._outcome(live, rfc3339(now))
            details = {"kind": self.kind.value, "revoked_key_id": live.key.key_id, "approval_id": approval.approval_id}
            await writer.append([self.request.call.change_entry("key.revoke", app, **details)])
            await finish(writer, self.request, approval, outcome)
            return outcome

        return await self.services.storage.write(work)

    async def _facts(self) -> tuple[App, SealedKey | None, Sequence[KeyUse]]:
        call, name = self.request.call, self.request.app

        async def work(reader: Reader) -> tuple[App, SealedKey | None, Sequence[KeyUse]]:
            live = (await key_pair(reader, call.grant.dealer, name, self.kind)).live_previous(call.now)
            since = call.now - LOOKBACK
            uses = await reader.key_uses(call.grant.dealer, live.key.key_id, since) if live else ()
            return await known_app(reader, call.grant.dealer, name), live, uses

        return await self.services.storage.read(work)

    def _intent(self, app: App, live: SealedKey, uses: Sequence[KeyUse]) -> Intent:
        call = self.request.call
        words = [
            f"Revoke the previous {self.kind} of app {app.name} ({app.environment}): {live.key.fingerprint}.",
            f"Asked by {call.grant.principal} over {call.source}.",
            f"It would work until {rfc3339(live.key.valid_until or call.now)}; it stops AT ONCE.",
            f"In the last 30 days it was used from {sources(uses)}. Whatever still uses it fails.",
            *named(uses, addresses=shows_addresses(app, call.grant)),
        ]
        if live.key.key_id == call.grant.key_id:
            words.append("This very session uses that key: it loses access.")
        return Intent(
            dealer=app.dealer,
            app=app.name,
            tool=self.request.tool,
            requester=call.grant.principal,
            confirm=app.confirm,
            arguments=self.request.arguments,
            state={"previous": live.key.key_id},
            words="\n".join(words),
            challenges=(Challenge("app", f"Type the app's name ({app.name})", app.name),),
        )

    def _outcome(self, live: SealedKey, at: str) -> dict[str, object]:
        return {
            "status": "revoked",
            "app": self.request.app,
            "message": "The previous one no longer works anywhere this server decides.",
            "kind": self.kind.value,
            "key_id": live.key.key_id,
            "fingerprint": live.key.fingerprint,
            "revoked_at": at,
        }
