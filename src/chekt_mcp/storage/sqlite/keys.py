"""Keys and signing secrets."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from chekt_mcp.domain.api_key import Key, KeyKind, KeyState
from chekt_mcp.errors import NotFound
from chekt_mcp.storage.records import SealedKey
from chekt_mcp.storage.sqlite.failure import unique
from chekt_mcp.storage.sqlite.session import Row, Session
from chekt_mcp.storage.sqlite.values import microseconds, moment, optional_microseconds, optional_moment

KEY = "SELECT key_id, dealer, app, kind, state, fingerprint, created_at, valid_until, revoked_at"


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

    async def ended_graces(self, now: datetime) -> Sequence[Key]:
        """Return previous keys whose time of grace is over at `now`, and of which the log does not say so yet."""
        rows = self._rows(
            f"{KEY} FROM keys WHERE state = 'previous' AND grace_end_noted = 0 AND valid_until <= ?", microseconds(now)
        )
        return [_key(row) for row in rows]


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

    async def note_ended_grace(self, key: Key) -> None:
        """Remember that the log says of this key that its time of grace is over."""
        self._change("UPDATE keys SET grace_end_noted = 1 WHERE key_id = ? AND dealer = ?", key.key_id, key.dealer)


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
