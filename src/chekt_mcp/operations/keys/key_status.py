"""What state are an app's keys in, and is it safe to revoke the previous one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from typing_extensions import TypedDict

from chekt_mcp.domain.api_key import Key, KeyKind
from chekt_mcp.domain.app import App, Authority
from chekt_mcp.domain.audit import KeyUse
from chekt_mcp.domain.key_usage import LOOKBACK, Judgement, first_gap, rotation_due, safe_to_revoke
from chekt_mcp.domain.rotation import URGENT
from chekt_mcp.domain.scope import Scope
from chekt_mcp.domain.timespan import rfc3339
from chekt_mcp.domain.wording import counted
from chekt_mcp.operations.keys.key_material import key_pair
from chekt_mcp.operations.keys.open_rotation import LATEST, OpenRotation, described, open_rotation
from chekt_mcp.operations.known_app import known_app
from chekt_mcp.operations.services import Call
from chekt_mcp.storage.interface import Reader


class CurrentKey(TypedDict):
    """The key in force."""

    key_id: str
    fingerprint: str
    created_at: str
    age_days: int
    last_used_at: str | None
    calls_24h: int


class PreviousKey(CurrentKey):
    """The key in its time of grace. `source_ips` is null for callers without operators:read."""

    valid_until: str
    sources: int
    source_ips: list[str] | None


class KeyStatus(TypedDict):
    """Result of `get_key_status`."""

    app: str
    kind: str
    authority: str
    current: CurrentKey | None
    previous: PreviousKey | None
    rotation_due: str | None
    rotation: OpenRotation | None
    used_by_this_session: bool
    safe_to_revoke: str
    reasons: list[str]
    missing_scope: str | None


OWN_SOURCES = frozenset({"stdio", "terminal"})
"""Calls to this server: that a platform app's key works here says nothing of where it is deployed."""
WITHOUT_ADDRESS = OWN_SOURCES | {"import"}
"""How a use reads that has no address; traffic counts only calls that have one, so only such are set against it."""
UNATTRIBUTED = (
    "The imported log holds calls of this app that name no key known here, so they may be the old one's: link its keys "
    "with `chekt-mcp keys adopt --key-id`, or import a log that names them."
)


@dataclass(frozen=True, slots=True)
class Use:
    """A key with what the log says of it."""

    key: Key
    uses: Sequence[KeyUse]
    calls_24h: int


async def key_status(reader: Reader, call: Call, app: str, kind: KeyKind) -> KeyStatus:
    """Describe the keys of one kind.

    Raises:
        NotFound: the app is gone.
    """
    known = await known_app(reader, call.grant.dealer, app)
    pair = await key_pair(reader, call.grant.dealer, app, kind)
    live = pair.live_previous(call.now)
    current = await _use(reader, call, pair.current.key) if pair.current else None
    previous = await _use(reader, call, live.key) if live else None
    judged = await _judge(reader, known, kind, current, previous, call.now)
    waiting = await open_rotation(reader, known.dealer, known.name, kind)
    sees_addresses = call.grant.allows(Scope.OPERATORS_READ)
    return {
        "app": app,
        "kind": kind.value,
        "authority": known.authority.value,
        "current": _current(call, current) if current else None,
        "previous": _previous(call, previous, sees_addresses) if previous else None,
        "rotation_due": rfc3339(await _due(reader, current.key)) if current else None,
        "rotation": described(waiting, call.now) if waiting else None,
        "used_by_this_session": call.grant.key_id in {use.key.key_id for use in (current, previous) if use},
        "safe_to_revoke": judged.answer,
        "reasons": list(judged.reasons),
        "missing_scope": None if sees_addresses or not previous else Scope.OPERATORS_READ.value,
    }


def summary(result: KeyStatus) -> str:
    """Say the status in words."""
    current, previous = result["current"], result["previous"]
    session = " This session uses it." if result["used_by_this_session"] else ""
    lines = [f"{result['kind']} of {result['app']} ({result['authority']}).{session}"]
    if current:
        lines.append(
            f"Current {current['key_id']} {current['fingerprint']}: {current['age_days']} days old, "
            f"last used {current['last_used_at'] or 'never'}, {current['calls_24h']} calls in 24 h; "
            f"rotation due {result['rotation_due']}."
        )
    else:
        lines.append("There is no current one.")
    if previous:
        lines.append(
            f"Previous {previous['key_id']} {previous['fingerprint']}: works until {previous['valid_until']}, "
            f"last used {previous['last_used_at'] or 'never'} from {counted(previous['sources'], 'source', 'sources')}."
        )
    if result["rotation"]:
        waiting = result["rotation"]
        lines.append(f"Rotation {waiting['rotation_id']} ({waiting['state']}): {waiting['message']}")
    lines.append(f"Safe to revoke the previous one: {result['safe_to_revoke']}. " + " ".join(result["reasons"]))
    return "\n".join(lines)


async def _use(reader: Reader, call: Call, key: Key) -> Use:
    uses = await reader.key_uses(key.dealer, key.key_id, call.now - LOOKBACK)
    day = await reader.key_uses(key.dealer, key.key_id, call.now - timedelta(hours=24))
    return Use(key, uses, sum(use.calls for use in day))


async def _judge(  # noqa: PLR0913, PLR0917 -- the question has this many sides
    reader: Reader, app: App, kind: KeyKind, current: Use | None, previous: Use | None, now: datetime
) -> Judgement:
    if previous is None:
        return Judgement("not_applicable", ("There is no previous key in its time of grace.",))
    if kind is KeyKind.SIGNING_SECRET:
        return Judgement("unknown", ("The log does not record which secret signed a delivery CHeKT has yet to send.",))
    live = app.authority is Authority.LOCAL
    # Calls to CHeKT only: our own entries, such as the call that asks this, must not make an old import look fresh.
    traffic = None if live else await reader.traffic_extent(app.dealer, app.name)
    hours = [] if live else await reader.traffic_hours(app.dealer, app.name, now - LOOKBACK)
    new = current.uses if current else ()
    if not live:
        if await _calls_without_a_known_key(reader, app, now):
            return Judgement("unknown", (UNATTRIBUTED,))
        new = [use for use in new if use.source not in OWN_SOURCES]
    return safe_to_revoke(
        previous.uses,
        new,
        now=now,
        log_newest=traffic[1] if traffic else None,
        live_log=live,
        gone={one.source for one in await reader.gone_sources(app.dealer, app.name)},
        gap=first_gap(hours),
    )


async def _calls_without_a_known_key(reader: Reader, app: App, now: datetime) -> bool:
    """Tell whether CHeKT's log holds calls that cannot be laid to any key known here."""
    since = (now - LOOKBACK).replace(minute=0, second=0, microsecond=0)
    calls = sum(source.requests for source in await reader.traffic(app.dealer, app.name, since))
    keys = await reader.keys(app.dealer, app.name, KeyKind.API_KEY)
    uses = [use for one in keys for use in await reader.key_uses(app.dealer, one.key.key_id, since)]
    return calls > sum(use.calls for use in uses if use.source not in WITHOUT_ADDRESS)


async def _due(reader: Reader, key: Key) -> datetime:
    """Return when to rotate: at once where the app's other credential was, or this one should have been, for a cause.

    Whoever left the team, or leaked one of an app's two credentials, had the other in reach as well.
    """
    causes = [one for kind in KeyKind for one in await reader.rotations(key.dealer, key.app, kind, LATEST)]
    since = [one.started_at for one in causes if one.reason in URGENT and one.new_key_id != key.key_id]
    later = [moment for moment in since if moment > key.created_at]
    return rotation_due(key.created_at, min(later, default=None))


def _current(call: Call, use: Use) -> CurrentKey:
    last = max((one.last_at for one in use.uses), default=None)
    return {
        "key_id": use.key.key_id,
        "fingerprint": use.key.fingerprint,
        "created_at": rfc3339(use.key.created_at),
        "age_days": (call.now - use.key.created_at).days,
        "last_used_at": rfc3339(last) if last else None,
        "calls_24h": use.calls_24h,
    }


def _previous(call: Call, use: Use, sees_addresses: bool) -> PreviousKey:  # noqa: FBT001 -- a private step
    return {
        **_current(call, use),
        "valid_until": rfc3339(use.key.valid_until) if use.key.valid_until else "",
        "sources": len(use.uses),
        "source_ips": sorted(one.source for one in use.uses) if sees_addresses else None,
    }
