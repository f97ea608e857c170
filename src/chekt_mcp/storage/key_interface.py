"""What every storage engine promises of keys and their rotations. Part of `interface.Reader` and `interface.Writer`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from chekt_mcp.domain.api_key import Key, KeyKind
from chekt_mcp.domain.rotation import Rotation
from chekt_mcp.storage.records import GoneSource, SealedKey


class KeyLookups(Protocol):
    """What can be asked of keys. See `interface.Reader`."""

    async def key_by_hash(self, value_hash: bytes) -> Key | None:
        """The API key with this SHA-256, of any dealer and in any state."""
        ...

    async def keys(self, dealer: str, app: str, kind: KeyKind) -> Sequence[SealedKey]:
        """All keys of one kind, newest first; void ones left out."""
        ...

    async def ended_graces(self, now: datetime) -> Sequence[Key]:
        """Previous keys of every dealer whose time of grace is over, and of which `note_ended_grace` knows nothing."""
        ...

    async def rotation(self, dealer: str, rotation_id: str) -> Rotation | None:
        """One rotation of this dealer."""
        ...

    async def rotations(self, dealer: str, app: str, kind: KeyKind, limit: int) -> Sequence[Rotation]:
        """The newest `limit` rotations of one kind of key, newest first."""
        ...

    async def unfinished_rotations(self) -> Sequence[Rotation]:
        """Rotations of every dealer that are still `delivering`."""
        ...

    async def undecided_rotations(self) -> Sequence[Rotation]:
        """Rotations of every dealer that are `delivery_unknown`."""
        ...

    async def gone_sources(self, dealer: str, app: str) -> Sequence[GoneSource]:
        """Sources of an app's calls that a person says are gone, by name."""
        ...


class KeyChanges(Protocol):
    """What can be changed of keys. See `interface.Writer`."""

    async def add_key(self, key: SealedKey) -> None:
        """Add a key; `Conflict` when the same value is already known."""
        ...

    async def update_key(self, key: Key) -> None:
        """Store `state`, `valid_until` and `revoked_at` of a known key."""
        ...

    async def note_ended_grace(self, key: Key) -> None:
        """Remember that the log says of this key that its time of grace is over."""
        ...

    async def add_rotation(self, rotation: Rotation) -> None:
        """Add a rotation."""
        ...

    async def update_rotation(self, rotation: Rotation) -> None:
        """Store `state`, `new_key_id`, `lease_until`, `sealed` and `ended_at` of a known rotation."""
        ...

    async def destroy_sealed(self, completed_before: datetime, used_key_id: str | None) -> int:
        """Remove sealed values of rotations completed by then, and of the one that brought `used_key_id`; how many."""
        ...

    async def add_gone_source(self, gone: GoneSource) -> None:
        """Keep that a source is gone; saying it again changes nothing."""
        ...

    async def remove_gone_source(self, dealer: str, app: str, source: str) -> bool:
        """Forget it; False when nobody had said so."""
        ...
