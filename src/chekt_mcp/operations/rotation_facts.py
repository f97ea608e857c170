"""What a rotation rests on, and the words in which a person is asked to confirm it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from chekt_mcp.domain.api_key import KeyKind
from chekt_mcp.domain.app import App
from chekt_mcp.domain.rotation import Reason
from chekt_mcp.operations.change import Request
from chekt_mcp.operations.key_material import KeyPair
from chekt_mcp.secrets.interface import Sink


@dataclass(frozen=True, slots=True)
class Facts:
    """What a rotation rests on."""

    app: App
    pair: KeyPair
    sink: Sink
    own: bool
    used_by: int


def rotation_words(
    request: Request, facts: Facts, *, kind: KeyKind, reason: Reason, grace: timedelta | None
) -> list[str]:
    """Say what will happen, to what, where the new value goes, and what would break. `grace` None: at once."""
    return [
        f"Rotate the {_name(kind)} of app {facts.app.name} ({facts.app.environment}).",
        f"Asked by {request.call.grant.principal} over {request.call.source}; reason: {reason}.",
        *_in_force(facts),
        f"The new one goes to: {facts.sink.reference} ({facts.sink.name}). It is shown to nobody here.",
        _old_one(grace),
        *_older_one(request, facts),
        *_own_session(facts),
        *_advice(reason, grace),
    ]


def _name(kind: KeyKind) -> str:
    return "API key" if kind is KeyKind.API_KEY else "webhook signing secret"


def _in_force(facts: Facts) -> list[str]:
    current = facts.pair.current
    if current is None:
        return ["None is in force now."]
    return [f"In force now: {current.key.fingerprint}, used from {facts.used_by} source(s) in the last 24 h."]


def _old_one(grace: timedelta | None) -> str:
    if grace is None:
        return "The old one stops working AT ONCE; whatever still uses it fails."
    return f"The old one works for {int(grace.total_seconds() // 3600)} h more."


def _older_one(request: Request, facts: Facts) -> list[str]:
    live = facts.pair.live_previous(request.call.now)
    return [f"An even older one, {live.key.fingerprint}, still works and would stop AT ONCE."] if live else []


def _own_session(facts: Facts) -> list[str]:
    if not facts.own:
        return []
    return ["This very session uses the key; it goes on with the new one if that goes to its key file."]


def _advice(reason: Reason, grace: timedelta | None) -> list[str]:
    if reason is not Reason.SUSPECTED_COMPROMISE or grace is None:
        return []
    return ["The key may have leaked, and the old one would still work: consider revoking at once."]
