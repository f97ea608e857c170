"""What a rotation rests on, and the words in which a person is asked to confirm it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from chekt_mcp.domain.api_key import KeyKind
from chekt_mcp.domain.app import App
from chekt_mcp.domain.audit import KeyUse
from chekt_mcp.domain.rotation import Reason, Rotation
from chekt_mcp.operations.change import Request
from chekt_mcp.operations.keys.key_material import KeyPair, key_pair
from chekt_mcp.operations.keys.key_users import named, shows_addresses, sources
from chekt_mcp.operations.keys.open_rotation import open_rotation
from chekt_mcp.operations.known_app import known_app
from chekt_mcp.operations.services import Services
from chekt_mcp.secrets.interface import Sink
from chekt_mcp.storage.interface import Reader


@dataclass(frozen=True, slots=True)
class Facts:
    """What a rotation rests on. `uses`: of the key in force, in the last 24 h. `open`: a rotation not over yet."""

    app: App
    pair: KeyPair
    sink: Sink
    own: bool
    uses: Sequence[KeyUse]
    open: Rotation | None

    @property
    def state(self) -> dict[str, object]:
        """What a confirmation is given for: it is outdated once any of this has changed."""
        current, previous = self.pair.current, self.pair.previous
        return {
            "current": current.key.key_id if current else None,
            "previous": previous.key.key_id if previous else None,
            "open": self.open.rotation_id if self.open else None,
            "sink": [self.sink.name, self.sink.target],
        }


async def rotation_facts(services: Services, request: Request, kind: KeyKind) -> Facts:
    """Read what a rotation rests on, from one snapshot."""
    return await services.storage.read(lambda reader: facts_of(reader, services, request, kind))


async def facts_of(reader: Reader, services: Services, request: Request, kind: KeyKind) -> Facts:
    """Read the same within a transaction."""
    grant, name = request.call.grant, request.app
    pair = await key_pair(reader, grant.dealer, name, kind)
    since = request.call.now - timedelta(hours=24)
    uses = await reader.key_uses(grant.dealer, pair.current.key.key_id, since) if pair.current else ()
    own = kind is KeyKind.API_KEY and grant.credential == "api_key" and name == grant.app
    sink = services.sinks.choose(grant.dealer, name, kind, own=own)
    app = await known_app(reader, grant.dealer, name)
    return Facts(app, pair, sink, own, uses, await open_rotation(reader, grant.dealer, name, kind))


def rotation_words(
    request: Request, facts: Facts, *, kind: KeyKind, reason: Reason, grace: timedelta | None
) -> list[str]:
    """Say what will happen, to what, where the new value goes, and what would break. `grace` None: at once."""
    return [
        f"Rotate the {_name(kind)} of app {facts.app.name} ({facts.app.environment}).",
        f"Asked by {request.call.grant.principal} over {request.call.source}; reason: {reason}.",
        *_in_force(request, facts),
        f"The new one goes to: {facts.sink.reference} ({facts.sink.name}). It is shown to nobody here.",
        _old_one(grace),
        *_older_one(request, facts),
        *_open_one(facts),
        *_own_session(facts),
        *_advice(facts, reason, grace),
    ]


def _name(kind: KeyKind) -> str:
    return "API key" if kind is KeyKind.API_KEY else "webhook signing secret"


def _in_force(request: Request, facts: Facts) -> list[str]:
    current = facts.pair.current
    if current is None:
        return ["None is in force now."]
    in_force = f"In force now: {current.key.fingerprint}, used from {sources(facts.uses)} in the last 24 h."
    return [in_force, *named(facts.uses, addresses=shows_addresses(facts.app, request.call.grant))]


def _old_one(grace: timedelta | None) -> str:
    if grace is None:
        return "The old one stops working AT ONCE; whatever still uses it fails."
    return f"The old one works for {int(grace.total_seconds() // 3600)} h more."


def _older_one(request: Request, facts: Facts) -> list[str]:
    live = facts.pair.live_previous(request.call.now)
    return [f"An even older one, {live.key.fingerprint}, still works and would stop AT ONCE."] if live else []


def _open_one(facts: Facts) -> list[str]:
    if facts.open is None:
        return []
    return [f"Rotation {facts.open.rotation_id} is undecided: its key may lie in its place, and is given up with this."]


def _own_session(facts: Facts) -> list[str]:
    if not facts.own:
        return []
    return ["This very session uses the key; it goes on with the new one if that goes to its key file."]


def _advice(facts: Facts, reason: Reason, grace: timedelta | None) -> list[str]:
    if reason is not Reason.SUSPECTED_COMPROMISE or grace is None:
        return []
    return [
        "The key may have leaked, and the old one would still work. Proposed instead: revoke_previous_now.",
        f"What uses it, by the log from {sources(facts.uses)}, would then fail until it has the new one.",
    ]
