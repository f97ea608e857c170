"""Rotations of what is CHeKT's: asked for here, done in its portal, over once the new value was adopted here.

The record says since when one is under way, so that `get_key_status` can remind; nothing here claims to have rotated.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from chekt_mcp.domain.api_key import Key, KeyKind
from chekt_mcp.domain.identifier import new_id
from chekt_mcp.domain.rotation import URGENT, Reason, Rotation, RotationState
from chekt_mcp.operations.change import Outcome, Request
from chekt_mcp.operations.keys.key_material import key_pair
from chekt_mcp.operations.keys.key_users import sources
from chekt_mcp.operations.keys.open_rotation import open_rotation
from chekt_mcp.operations.keys.portal import portal_required, rotate_steps
from chekt_mcp.operations.services import Services
from chekt_mcp.storage.interface import Reader, Writer

PORTAL = "portal"
LEAKED = Reason.SUSPECTED_COMPROMISE


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a caller asked to be done in the portal."""

    kind: KeyKind
    reason: Reason
    revoke_previous_now: bool


async def rotate_in_portal(services: Services, request: Request, wanted: Wanted) -> Outcome:
    """Record that a rotation is under way, and return the steps. Asking for the same again finds the same record."""
    fresh = _record(services, request, wanted)

    async def work(writer: Writer) -> tuple[Rotation, str]:
        stake = await _at_stake(writer, request, wanted)
        known = await open_rotation(writer, fresh.dealer, fresh.app, wanted.kind)
        if known is not None and (_asks(known) == wanted or _more_urgent(known, wanted)):
            return known, stake
        if known is not None:
            await writer.update_rotation(replace(known, state=RotationState.FAILED, ended_at=fresh.started_at))
        pair = await key_pair(writer, fresh.dealer, fresh.app, wanted.kind)
        recorded = replace(fresh, old_key_id=pair.current.key.key_id if pair.current else None)
        await writer.add_rotation(recorded)
        details = {"rotation_id": fresh.rotation_id, "kind": wanted.kind.value, "reason": wanted.reason.value}
        await writer.append([request.call.change_entry("key.rotate.portal", fresh.app, **details)])
        return recorded, stake

    rotation, stake = await services.storage.write(work)
    steps = rotate_steps(request.app, wanted.kind, revoke_now=wanted.revoke_previous_now)
    return {
        **portal_required(request, steps, stake),
        "rotation_id": rotation.rotation_id,
        "kind": wanted.kind.value,
        "next_step": "A person takes these steps; get_key_status shows the rotation as in_portal until the new value "
        "was adopted here.",
    }


async def close_in_portal(writer: Writer, adopted: Key, at: datetime) -> Rotation | None:
    """End the rotation that an adopted key was waited for by; None when nobody had asked for one here."""
    known = await open_rotation(writer, adopted.dealer, adopted.app, adopted.kind)
    if known is None or known.state is not RotationState.IN_PORTAL:
        return None
    done = replace(known, state=RotationState.COMPLETED, new_key_id=adopted.key_id, ended_at=at)
    await writer.update_rotation(done)
    return done


def _more_urgent(known: Rotation, wanted: Wanted) -> bool:
    """Tell whether the open request has a cause that a later, ordinary one must not take away."""
    return known.reason in URGENT and wanted.reason not in URGENT


def _record(services: Services, request: Request, wanted: Wanted) -> Rotation:
    now, random = services.clock(), services.random
    return Rotation(
        rotation_id=new_id("rot", random),
        dealer=request.call.grant.dealer,
        app=request.app,
        kind=wanted.kind,
        reason=wanted.reason,
        state=RotationState.IN_PORTAL,
        old_key_id=None,
        new_key_id=new_id("key", random),
        sink=PORTAL,
        target=PORTAL,
        revoke_previous_now=wanted.revoke_previous_now,
        requested_by=request.call.grant.principal,
        approval_id="",
        started_at=now,
        lease_until=now,
        sealed=None,
    )


def _asks(rotation: Rotation) -> Wanted:
    return Wanted(rotation.kind, rotation.reason, rotation.revoke_previous_now)


async def _at_stake(reader: Reader, request: Request, wanted: Wanted) -> str:
    """Say what would break, by the log that was imported."""
    dealer, now = request.call.grant.dealer, request.call.now
    pair = await key_pair(reader, dealer, request.app, wanted.kind)
    uses = await reader.key_uses(dealer, pair.current.key.key_id, now - timedelta(days=30)) if pair.current else ()
    seen = f"By the log known here, {sources(uses)} used the one in force in the last 30 days. "
    if wanted.kind is KeyKind.SIGNING_SECRET:
        seen = "Deliveries are then signed with the new one. "
    if wanted.revoke_previous_now:
        return seen + "Revoked at once, they fail until they have the new one."
    advice = " Since it may have leaked, click Revoke previous at once." if wanted.reason is LEAKED else ""
    return f"{seen}The old one works for 24 hours after a rotation unless it is revoked.{advice}"
