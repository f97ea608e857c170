"""Partners, and the assertions of theirs that are used up."""

from __future__ import annotations

from collections.abc import Sequence

from chekt_mcp.domain.partner import Partner, UsedAssertion
from chekt_mcp.domain.scope import Scope
from chekt_mcp.storage.sqlite.failure import unique
from chekt_mcp.storage.sqlite.session import Row, Session
from chekt_mcp.storage.sqlite.values import microseconds, moment

PARTNER = "SELECT dealer, name, issuer, jwks, apps, scopes, created_at FROM partners"


class PartnerReader(Session):
    """Lookups, see `storage.interface.Reader`."""

    async def partner_by_issuer(self, issuer: str) -> Partner | None:
        """Return the partner that signs as this issuer."""
        row = self._row(f"{PARTNER} WHERE issuer = ?", issuer)
        return None if row is None else _partner(row)

    async def partners(self, dealer: str) -> Sequence[Partner]:
        """Return every partner of the dealer, by name."""
        return [_partner(row) for row in self._rows(f"{PARTNER} WHERE dealer = ? ORDER BY name", dealer)]


class PartnerWriter(PartnerReader):
    """Changes, see `storage.interface.Writer`."""

    async def add_partner(self, partner: Partner) -> None:
        """Add a partner; `Conflict` when its name or issuer is taken."""
        with unique("partner_exists", "There is a partner of that name or issuer already."):
            self._change(
                "INSERT INTO partners (dealer, name, issuer, jwks, apps, scopes, created_at)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                partner.dealer,
                partner.name,
                partner.issuer,
                partner.jwks,
                " ".join(partner.apps),
                " ".join(sorted(partner.scopes)),
                microseconds(partner.created_at),
            )

    async def remove_partner(self, dealer: str, name: str) -> bool:
        """Forget a partner; False when there was none."""
        return self._change("DELETE FROM partners WHERE dealer = ? AND name = ?", dealer, name) > 0

    async def use_assertion(self, used: UsedAssertion) -> bool:
        """Use an assertion up, and forget those whose time is over; False when it was used before."""
        self._change("DELETE FROM used_assertions WHERE keep_until <= ?", microseconds(used.used_at))
        return (
            self._change(
                "INSERT INTO used_assertions (issuer, digest, keep_until) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                used.issuer,
                used.digest,
                microseconds(used.keep_until),
            )
            > 0
        )


def _partner(row: Row) -> Partner:
    dealer, name, issuer, jwks, apps, scopes, created_at = row
    return Partner(
        dealer=dealer,
        name=name,
        issuer=issuer,
        jwks=jwks,
        apps=tuple(apps.split()),
        scopes=frozenset(Scope(scope) for scope in scopes.split()),
        created_at=moment(created_at),
    )
