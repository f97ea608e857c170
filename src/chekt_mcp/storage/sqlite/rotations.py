"""Rotations of keys, and the sources of calls that a person says are gone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from chekt_mcp.domain.api_key import KeyKind
from chekt_mcp.domain.rotation import Reason, Rotation, RotationState
from chekt_mcp.errors import NotFound
from chekt_mcp.storage.records import GoneSource
from chekt_mcp.storage.sqlite.session import Row, Session
from chekt_mcp.storage.sqlite.values import microseconds, moment, optional_microseconds, optional_moment

ROTATION = (
    "SELECT rotation_id, dealer, app, kind, reason, state, old_key_id, new_key_id, sink, target, revoke_previous_now,"
    " requested_by, approval_id, started_at, lease_until, sealed, ended_at FROM rotations"
)


class RotationReader(Session):
    """Lookups, see `storage.interface.Reader`."""

    async def rotation(self, dealer: str, rotation_id: str) -> Rotation | None:
        """Return one rotation."""
        row = self._row(f"{ROTATION} WHERE rotation_id = ? AND dealer = ?", rotation_id, dealer)
        return None if row is None else _rotation(row)

    async def rotations(self, dealer: str, app: str, kind: KeyKind, limit: int) -> Sequence[Rotation]:
        """Return the newest `limit` rotations of one kind of key, newest first."""
        newest = f"{ROTATION} WHERE dealer = ? AND app = ? AND kind = ? ORDER BY started_at DESC, rowid DESC LIMIT ?"
        return [_rotation(row) for row in self._rows(newest, dealer, app, kind.value, limit)]

    async def unfinished_rotations(self) -> Sequence[Rotation]:
        """Return the rotations of every dealer that are still `delivering`, oldest first."""
        return [_rotation(row) for row in self._rows(f"{ROTATION} WHERE state = 'delivering' ORDER BY started_at")]

    async def undecided_rotations(self) -> Sequence[Rotation]:
        """Return the rotations of every dealer that are `delivery_unknown`, oldest first."""
        undecided = f"{ROTATION} WHERE state = 'delivery_unknown' ORDER BY started_at"
        return [_rotation(row) for row in self._rows(undecided)]

    async def gone_sources(self, dealer: str, app: str) -> Sequence[GoneSource]:
        """Return the sources that a person says are gone, by name."""
        rows = self._rows(
            "SELECT source, named_by, named_at FROM gone_sources WHERE dealer = ? AND app = ? ORDER BY source",
            dealer,
            app,
        )
        return [GoneSource(dealer, app, source, named_by, moment(named_at)) for source, named_by, named_at in rows]


class RotationWriter(RotationReader):
    """Changes, see `storage.interface.Writer`."""

    async def add_rotation(self, rotation: Rotation) -> None:
        """Add a rotation."""
        self._change(
            "INSERT INTO rotations (rotation_id, dealer, app, kind, reason, state, old_key_id, new_key_id, sink,"
            " target, revoke_previous_now, requested_by, approval_id, started_at, lease_until, sealed, ended_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
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
            optional_microseconds(rotation.ended_at),
        )

    async def update_rotation(self, rotation: Rotation) -> None:
        """Store `state`, `new_key_id`, `lease_until`, `sealed` and `ended_at` of a known rotation."""
        changed = self._change(
            "UPDATE rotations SET state = ?, new_key_id = ?, lease_until = ?, sealed = ?, ended_at = ?"
            " WHERE rotation_id = ? AND dealer = ?",
            rotation.state.value,
            rotation.new_key_id,
            microseconds(rotation.lease_until),
            rotation.sealed,
            optional_microseconds(rotation.ended_at),
            rotation.rotation_id,
            rotation.dealer,
        )
        if not changed:
            raise NotFound("There is no such rotation.")

    async def destroy_sealed(self, completed_before: datetime, used_key_id: str | None) -> int:
        """Remove the sealed values of rotations completed by then, and of the one whose new key was used."""
        return self._change(
            "UPDATE rotations SET sealed = NULL WHERE sealed IS NOT NULL AND state = 'completed'"
            " AND (ended_at <= ? OR new_key_id = ?)",
            microseconds(completed_before),
            used_key_id,
        )

    async def add_gone_source(self, gone: GoneSource) -> None:
        """Keep that a source is gone; saying it again changes nothing."""
        self._change(
            "INSERT INTO gone_sources (dealer, app, source, named_by, named_at) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT DO NOTHING",
            gone.dealer,
            gone.app,
            gone.source,
            gone.named_by,
            microseconds(gone.named_at),
        )

    async def remove_gone_source(self, dealer: str, app: str, source: str) -> bool:
        """Forget that a source is gone; False when nobody had said so."""
        removed = self._change(
            "DELETE FROM gone_sources WHERE dealer = ? AND app = ? AND source = ?", dealer, app, source
        )
        return removed == 1


def _rotation(row: Row) -> Rotation:
    rotation_id, dealer, app, kind, reason, state, old_key_id, new_key_id, sink, target, revoke_now, *rest = row
    requested_by, approval_id, started_at, lease_until, sealed, ended_at = rest
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
        ended_at=optional_moment(ended_at),
    )
