"""Keys and signing secrets, and the rotations that replace them."""

from __future__ import annotations

from collections.abc import Sequence

from chekt_mcp.domain.api_key import Key, KeyKind, KeyState
from chekt_mcp.domain.rotation import Reason, Rotation, RotationState
from chekt_mcp.errors import NotFound
from chekt_mcp.storage.records import SealedKey
from chekt_mcp.storage.sqlite.failure import unique
from chekt_mcp.storage.sqlite.session import Row, Session
from chekt_mcp.storage.sqlite.values import microseconds, moment, optional_microseconds, optional_moment

KEY = "SELECT key_id, dealer, app, kind, state, fingerprint, created_at, valid_until, revoked_at"
ROTATION = (
    "SELECT rotation_id, dealer, app, kind, reason, state, old_key_id, new_key_id, sink, target, revoke_previous_now,"
    " requested_by, approval_id, started_at, lease_until, sealed FROM rotations"
)


class KeyReader(Session):
    """Lookups, see `storage.interface.Reader`."""

    async def key_by_hash(self, value_hash: bytes) -> Key | None:
        """Return the API key with this SHA-256, of any dealer and in any state."""
        row = self._row(f"{KEY} FROM keys WHERE value_hash = ? AND kind = ?", value_hash, KeyKind.API_KEY.value)
        return None if row is None else _key(row)

    async def keys(self, dealer: str, app: str, kind: KeyKind) -> Sequence[SealedKey]:
        """Return all keys of one kind, newest first; void ones left out."""
        rows = self._rows(
            f"{KEY}, value_hash, sealed FROM keys WHERE dealer = ? AND app = ? AND kind = ? AND state <> ?"
            " ORDER BY created_at DESC, rowid DESC",
            dealer,
            app,
            kind.value,
            KeyState.VOID.value,
        )
        return [SealedKey(_key(row[:-2]), *row[-2:]) for row in rows]

    async def rotation(self, dealer: str, rotation_id: str) -> Rotation | None:
        """Return one rotation."""
        row = self._row(f"{ROTATION} WHERE rotation_id = ? AND dealer = ?", rotation_id, dealer)
        return None if row is None else _rotation(row)

    async def unfinished_rotations(self) -> Sequence[Rotation]:
        """Return the rotations of every dealer that are still `delivering`, oldest first."""
        return [_rotation(row) for row in self._rows(f"{ROTATION} WHERE state = 'delivering' ORDER BY started_at")]


class KeyWriter(KeyReader):
    """Changes, see `storage.interface.Writer`."""

    async def add_key(self, key: SealedKey) -> None:
        """Add a key; `Conflict` when the same value is already known."""
        one = key.key
        with unique("key_known", "That key is known already."):
            self._change(
                "INSERT INTO keys (key_id, dealer, app, kind, state, fingerprint, created_at, valid_until,"
                " revoked_at, value_hash, sealed) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                one.key_id,
                one.dealer,
                one.app,
                one.kind.value,
                one.state.value,
                one.fingerprint,
                microseconds(one.created_at),
                optional_microseconds(one.valid_until),
                optional_microseconds(one.revoked_at),
                key.value_hash,
                key.sealed,
            )

    async def update_key(self, key: Key) -> None:
        """Store `state`, `valid_until` and `revoked_at` of a known key."""
        changed = self._change(
            "UPDATE keys SET state = ?, valid_until = ?, revoked_at = ? WHERE key_id = ? AND dealer = ?",
            key.state.value,
            optional_microseconds(key.valid_until),
            optional_microseconds(key.revoked_at),
            key.key_id,
            key.dealer,
        )
        if not changed:
            raise NotFound("There is no such key.")

    async def add_rotation(self, rotation: Rotation) -> None:
        """Add a rotation."""
        self._change(
            "INSERT INTO rotations (rotation_id, dealer, app, kind, reason, state, old_key_id, new_key_id, sink,"
            " target, revoke_previous_now, requested_by, approval_id, started_at, lease_until, sealed)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            rotation.rotation_id,
            rotation.dealer,
            rotation.app,
            rotation.kind.value,
            rotation.reason.value,
            rotation.state.value,
            rotation.old_key_id,
            rotation.new_key_id,
            rotation.sink,
            rotation.target,
            rotation.revoke_previous_now,
            rotation.requested_by,
            rotation.approval_id,
            microseconds(rotation.started_at),
            microseconds(rotation.lease_until),
            rotation.sealed,
        )

    async def update_rotation(self, rotation: Rotation) -> None:
        """Store `state`, `lease_until` and `sealed` of a known rotation."""
        changed = self._change(
            "UPDATE rotations SET state = ?, lease_until = ?, sealed = ? WHERE rotation_id = ? AND dealer = ?",
            rotation.state.value,
            microseconds(rotation.lease_until),
            rotation.sealed,
            rotation.rotation_id,
            rotation.dealer,
        )
        if not changed:
            raise NotFound("There is no such rotation.")


def _key(row: Row) -> Key:
    key_id, dealer, app, kind, state, fingerprint, created_at, valid_until, revoked_at = row
    return Key(
        key_id=key_id,
        dealer=dealer,
        app=app,
        kind=KeyKind(kind),
        state=KeyState(state),
        fingerprint=fingerprint,
        created_at=moment(created_at),
        valid_until=optional_moment(valid_until),
        revoked_at=optional_moment(revoked_at),
    )


def _rotation(row: Row) -> Rotation:
    rotation_id, dealer, app, kind, reason, state, old_key_id, new_key_id, sink, target, revoke_now, *rest = row
    requested_by, approval_id, started_at, lease_until, sealed = rest
    return Rotation(
        rotation_id=rotation_id,
        dealer=dealer,
        app=app,
        kind=KeyKind(kind),
        reason=Reason(reason),
        state=RotationState(state),
        old_key_id=old_key_id,
        new_key_id=new_key_id,
        sink=sink,
        target=target,
        revoke_previous_now=bool(revoke_now),
        requested_by=requested_by,
        approval_id=approval_id,
        started_at=moment(started_at),
        lease_until=moment(lease_until),
        sealed=sealed,
    )
