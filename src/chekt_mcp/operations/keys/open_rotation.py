"""The rotation of a key that is not over yet: what it waits for, and what a person does about it."""

from __future__ import annotations

from datetime import datetime

from typing_extensions import TypedDict

from chekt_mcp.domain.api_key import KeyKind
from chekt_mcp.domain.rotation import Rotation, RotationState
from chekt_mcp.domain.timespan import rfc3339
from chekt_mcp.operations.keys.rotation_outcome import how_to_decide
from chekt_mcp.storage.interface import Reader

LATEST = 5
"""Rotations looked at for one that is not over: there is at most one, and it is the newest."""

OVER = frozenset({RotationState.COMPLETED, RotationState.FAILED})


class OpenRotation(TypedDict):
    """A rotation that is not over; `message` says what it waits for."""

    rotation_id: str
    app: str
    kind: str
    state: str
    reason: str
    started_at: str
    message: str


async def open_rotation(reader: Reader, dealer: str, app: str, kind: KeyKind) -> Rotation | None:
    """Return the rotation of this kind that is not over: being delivered, undecided, or under way in the portal."""
    latest = await reader.rotations(dealer, app, kind, LATEST)
    return next((one for one in latest if one.state not in OVER), None)


def described(rotation: Rotation, now: datetime) -> OpenRotation:
    """Describe it."""
    return {
        "rotation_id": rotation.rotation_id,
        "app": rotation.app,
        "kind": rotation.kind.value,
        "state": rotation.state.value,
        "reason": rotation.reason.value,
        "started_at": rfc3339(rotation.started_at),
        "message": _message(rotation, now),
    }


def _message(rotation: Rotation, now: datetime) -> str:
    match rotation.state:
        case RotationState.DELIVERY_UNKNOWN:
            why = "Nobody can tell whether the new one arrived in its place. The old one is still current. "
            return why + how_to_decide(rotation.rotation_id)
        case RotationState.IN_PORTAL:
            return (
                "Asked for, and to be done in CHeKT's dealer portal. Once it is, a person runs "
                f"`chekt-mcp keys adopt {rotation.app}` at a terminal."
            )
        case _ if rotation.leased_at(now):
            return "The new one is being delivered. Look again in two minutes."
        case _:
            return "The process that delivered it has ended. `chekt-mcp doctor` delivers the same one again."
