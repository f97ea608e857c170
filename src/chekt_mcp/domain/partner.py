"""A partner whose services sign assertions with keys of its own, as an operator registered it. Source: CHEKT.md."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from chekt_mcp.domain.scope import Scope


@dataclass(frozen=True, slots=True)
class Partner:
    """Who may sign for which apps, and what at most. `issuer` is unique in an installation: it tells whose keys count.

    Attributes:
        apps: at least one; the first is the calling app, whose allow list and rate apply.
        jwks: the https URL of the key set that the partner publishes.
    """

    dealer: str
    name: str
    issuer: str
    jwks: str
    apps: tuple[str, ...]
    scopes: frozenset[Scope]
    created_at: datetime

    def principal(self, subject: str) -> str:
        """Return the principal of one of the partner's services; it outlives any key and any assertion."""
        return f"partner:{self.name}#{subject}"


@dataclass(frozen=True, slots=True)
class UsedAssertion:
    """An assertion that is used up, by the SHA-256 of its id; remembered until it could not be taken anyway."""

    issuer: str
    digest: bytes
    used_at: datetime
    keep_until: datetime
