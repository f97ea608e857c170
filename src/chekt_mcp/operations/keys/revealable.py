"""Which new keys may still be shown to a person: delivered within the hour, not used, not shown."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from chekt_mcp.domain.api_key import KeyKind
from chekt_mcp.domain.rotation import Rotation
from chekt_mcp.storage.interface import Reader

NEWEST = 5
"""Rotations looked at for each key: an hour holds no more."""


async def revealable(reader: Reader, dealer: str, now: datetime) -> Sequence[Rotation]:
    """Return the rotations whose key `reveal_key.reveal` would show now, newest first."""
    found = [
        rotation
        for app in await reader.apps(dealer)
        for kind in KeyKind
        for rotation in await reader.rotations(dealer, app.name, kind, NEWEST)
        if rotation.revealable_at(now) and await reader.last_use(dealer, rotation.new_key_id) is None
    ]
    return sorted(found, key=lambda one: one.started_at, reverse=True)
