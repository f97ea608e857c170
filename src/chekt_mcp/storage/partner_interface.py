"""What every storage engine promises of partners and their assertions. Part of `interface.Reader` and `.Writer`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from chekt_mcp.domain.partner import Partner, UsedAssertion


class PartnerLookups(Protocol):
    """What can be asked of partners. See `interface.Reader`."""

    async def partner_by_issuer(self, issuer: str) -> Partner | None:
        """The partner that signs as this issuer, of any dealer."""
        ...

    async def partners(self, dealer: str) -> Sequence[Partner]:
        """Every partner of the dealer, by name."""
        ...


class PartnerChanges(Protocol):
    """What can be changed of partners. See `interface.Writer`."""

    async def add_partner(self, partner: Partner) -> None:
        """Add a partner; `Conflict` when the dealer has one of that name, or any dealer one of that issuer."""
        ...

    async def remove_partner(self, dealer: str, name: str) -> bool:
        """Forget a partner; False when there was none. What it has used up stays used up."""
        ...

    async def use_assertion(self, used: UsedAssertion) -> bool:
        """Use an assertion up, and forget those whose time is over; False when it was used before."""
        ...
