"""Scopes and grants: what a caller may do. Source: CHeKT's public scope catalogue, and five of ours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from chekt_mcp.errors import InvalidInput


class Scope(StrEnum):
    """A permission, `family:verb`. Additive; holding one never implies another."""

    DEVICES_READ = "devices:read"
    DEVICES_WRITE = "devices:write"
    EVENTS_READ = "events:read"
    EVENTS_WRITE = "events:write"
    ALARMS_WRITE = "alarms:write"
    SNAPSHOTS_READ = "snapshots:read"
    SITES_READ = "sites:read"
    OPERATORS_READ = "operators:read"
    ALLOWLIST_READ = "allowlist:read"
    ALLOWLIST_WRITE = "allowlist:write"
    WEBHOOKS_READ = "webhooks:read"
    KEYS_READ = "keys:read"
    KEYS_WRITE = "keys:write"


SERVER_SCOPES = (
    Scope.ALLOWLIST_READ,
    Scope.ALLOWLIST_WRITE,
    Scope.WEBHOOKS_READ,
    Scope.KEYS_READ,
    Scope.KEYS_WRITE,
    Scope.OPERATORS_READ,
)
"""The scopes that open a tool of this server."""

ToolScopes = Mapping[str, Scope | None]
"""Tool → the scope that opens it; None: any valid caller."""

CredentialKind = Literal["api_key", "oauth", "assertion", "none"]


@dataclass(frozen=True, slots=True)
class Grant:
    """What one credential opens.

    Attributes:
        dealer: the alarm company everything is confined to; never taken from an argument.
        principal: who calls, the same before and after a key rotation, e.g. `app:front-desk`.
        app: the calling app, or None for a person's token.
        apps: every app this caller may ask about, its own first.
        scopes: what it may do with them.
        key_id: the key presented, for the audit log.
    """

    dealer: str
    principal: str
    credential: CredentialKind
    app: str | None
    apps: tuple[str, ...]
    scopes: frozenset[Scope]
    key_id: str | None = None

    def allows(self, scope: Scope | None) -> bool:
        """Tell whether this grant holds `scope`; None means any valid caller."""
        return scope is None or scope in self.scopes


def parse_scopes(text: str) -> frozenset[Scope]:
    """Read scopes separated by commas or spaces. An unknown one is refused, never dropped.

    Raises:
        InvalidInput: a name that is not in the catalogue, or none at all.
    """
    names = text.replace(",", " ").split()
    known = {scope.value for scope in Scope}
    if not names or not known.issuperset(names):
        raise InvalidInput(
            "That is not a list of known scopes.",
            field="scopes",
            code="unknown_scope",
            fix="Known scopes: " + ", ".join(sorted(known)) + ".",
        )
    return frozenset(Scope(name) for name in names)
