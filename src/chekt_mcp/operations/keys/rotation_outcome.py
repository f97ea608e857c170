"""What a rotation answers, the same whether it was completed by the call that asked, by a recovery, or by a person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NotRequired

from typing_extensions import TypedDict

from chekt_mcp.domain.api_key import Key, KeyKind
from chekt_mcp.domain.app import principal_of
from chekt_mcp.domain.rotation import Reason, Rotation
from chekt_mcp.domain.timespan import rfc3339
from chekt_mcp.errors import DeliveryFailed
from chekt_mcp.operations.change import ChangeResult
from chekt_mcp.secrets.interface import DELIVERY_UNKNOWN, Sink


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
class Completed:
    """A finished rotation: the new key, and until when the old one works (None: it was revoked)."""

    rotation: Rotation
    new: Key
    previous_valid_until: datetime | None
    at: datetime


def rotated(done: Completed, sink: Sink) -> dict[str, object]:
    """Say that the new key is delivered and in force, and what to do next."""
    rotation = done.rotation
    until = rfc3339(done.previous_valid_until) if done.previous_valid_until else None
    return {
        "status": "rotated",
        "app": rotation.app,
        "message": f"The new {rotation.kind.value} is delivered and in force; the old one "
        + (f"works until {until}." if until else "is revoked."),
        "rotation_id": rotation.rotation_id,
        "kind": rotation.kind.value,
        "key_id": done.new.key_id,
        "fingerprint": done.new.fingerprint,
        "delivered_to": {"sink": sink.name, "reference": sink.reference},
        "previous_valid_until": until,
        "used_by_this_session": rotation.kind is KeyKind.API_KEY
        and rotation.requested_by == principal_of(rotation.app),
        "next_step": _next_step(rotation.reason, until),
    }


def _next_step(reason: Reason, until: str | None) -> str:
    if until is None:
        return "Deploy the new one everywhere: nothing else works any more."
    if reason is Reason.SUSPECTED_COMPROMISE:
        return f"The old one may be in wrong hands and works until {until}: end that with revoke_previous_key."
    return "Deploy the new one everywhere, watch get_key_status, then revoke_previous_key."


def undelivered(rotation: Rotation, error: DeliveryFailed) -> dict[str, object]:
    """Say that the old key is still current, and whether the new one may lie in its sink all the same."""
    answer: dict[str, object] = {
        "status": "refused",
        "app": rotation.app,
        "code": error.code,
        "message": f"{error} The old key is still current; nothing else changed.",
        "rotation_id": rotation.rotation_id,
        "kind": rotation.kind.value,
    }
    if error.code != DELIVERY_UNKNOWN:
        return answer
    return answer | {
        "message": f"{error} The old key is still current, and the new one opens nothing yet.",
        "next_step": how_to_decide(rotation.rotation_id),
    }


def how_to_decide(rotation_id: str) -> str:
    """Return what a person can do about a rotation of which nobody knows whether its key arrived."""
    return (
        f"A person runs `chekt-mcp keys deliver {rotation_id}` at a terminal to deliver the same key again and put it "
        f"in force, or `chekt-mcp keys discard {rotation_id}` to give it up."
    )
