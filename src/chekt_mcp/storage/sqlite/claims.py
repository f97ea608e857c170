"""Claims of webhook deliveries: who may deal with one, and which are done."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from chekt_mcp.storage.records import DeliveryClaim
from chekt_mcp.storage.sqlite.session import Session
from chekt_mcp.storage.sqlite.values import microseconds

if TYPE_CHECKING:  # start-up is measured, and only a receiver needs the rules
    from chekt_mcp.domain.webhook import Claim

MICROSECONDS = 1_000_000


class ClaimWriter(Session):
    """Changes, see `storage.interface.Writer`."""

    async def claim_delivery(self, claim: DeliveryClaim) -> Claim:
        """Lease a delivery under its digest and its event's id, or say how it stands; drop what has had its time."""
        from chekt_mcp.domain.webhook import Claim, strictest  # noqa: PLC0415 -- as above

        self._change("DELETE FROM delivery_claims WHERE keep_until <= ?", microseconds(claim.claimed_at))
        marks = _marks(claim)
        found = strictest(*(self._standing(claim, kind, mark) for kind, mark, _ in marks))
        if found is Claim.GRANTED:
            for kind, mark, keep_until in marks:
                self._lease(claim, kind, mark, keep_until)
        return found

    async def complete_claim(self, claim: DeliveryClaim) -> bool:
        """Mark a delivery as done; False, and nothing is changed, when a part of it was taken over meanwhile."""
        mine = (claim.dealer, claim.app, claim.claim_id)
        held = "dealer = ? AND app = ? AND claim_id = ?"
        row = self._row(f"SELECT count(*) FROM delivery_claims WHERE {held}", *mine)  # noqa: S608 -- constants
        if row is None or row[0] != len(_marks(claim)):
            return False
        self._change(f"UPDATE delivery_claims SET state = 'completed' WHERE {held}", *mine)  # noqa: S608 -- constants
        return True

    def _standing(self, claim: DeliveryClaim, kind: str, mark: bytes) -> Claim:
        from chekt_mcp.domain.webhook import LeaseState, decide_claim  # noqa: PLC0415 -- as above

        row = self._row(
            "SELECT state, lease_until FROM delivery_claims WHERE dealer = ? AND app = ? AND kind = ? AND mark = ?",
            claim.dealer,
            claim.app,
            kind,
            mark,
        )
        state, lease_until = (LeaseState(row[0]), row[1]) if row else (None, 0)
        return decide_claim(state, lease_until / MICROSECONDS, microseconds(claim.claimed_at) / MICROSECONDS)

    def _lease(self, claim: DeliveryClaim, kind: str, mark: bytes, keep_until: datetime) -> None:
        self._change(
            "INSERT INTO delivery_claims (dealer, app, kind, mark, claim_id, state, lease_until, keep_until)"
            " VALUES (?, ?, ?, ?, ?, 'leased', ?, ?) ON CONFLICT (dealer, app, kind, mark) DO UPDATE SET"
            " claim_id = excluded.claim_id, lease_until = excluded.lease_until,"
            " keep_until = max(keep_until, excluded.keep_until)",
            claim.dealer,
            claim.app,
            kind,
            mark,
            claim.claim_id,
            microseconds(claim.lease_until),
            microseconds(max(keep_until, claim.lease_until)),
        )


def _marks(claim: DeliveryClaim) -> list[tuple[str, bytes, datetime]]:
    """Return what the delivery is claimed under: kind, mark, and until when it is remembered."""
    marks = [("digest", claim.digest, claim.digest_until)]
    if claim.event_id is not None:
        marks.append(("event", claim.event_id.encode("utf-8", "surrogatepass"), claim.event_until))
    return marks
