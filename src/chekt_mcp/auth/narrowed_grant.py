"""A token's grant, cut down to what the apps it names hold here: no issuer can give what an operator has not."""

from __future__ import annotations

from dataclasses import dataclass

from chekt_mcp.auth.token_problem import Fault
from chekt_mcp.domain.scope import CredentialKind, Grant, Scope
from chekt_mcp.storage.interface import Reader

MOST_APPS = 100


@dataclass(frozen=True, slots=True)
class Asked:
    """What a token asks for. `apps`: at least one; the first is the calling app, whose layers it passes."""

    kind: CredentialKind
    principal: str
    dealer: str
    apps: tuple[str, ...]
    scopes: frozenset[Scope]


async def narrowed(reader: Reader, asked: Asked) -> Grant | Fault:
    """Return the grant: the scopes asked for that every one of the apps holds. One unknown app refuses all."""
    scopes = asked.scopes
    for name in asked.apps:
        app = await reader.app(asked.dealer, name)
        if app is None:
            return Fault.UNKNOWN_APP
        scopes &= app.scopes
    return Grant(asked.dealer, asked.principal, asked.kind, asked.apps[0], asked.apps, scopes)


def read_scopes(*values: object) -> frozenset[Scope]:
    """Return the scopes of our catalogue in a `scope` or `scp` claim: words in one text, or a list of them."""
    words = (
        word for value in values for part in (value if isinstance(value, list) else [value]) for word in _words(part)
    )
    known = {scope.value for scope in Scope}
    return frozenset(Scope(word) for word in words if word in known)


def read_names(value: object) -> tuple[str, ...]:
    """Return the app names in a claim: words in one text, or a list of them; none when there are too many."""
    parts = value if isinstance(value, list) else [value]
    names = tuple(dict.fromkeys(word for part in parts for word in _words(part)))
    return names if len(names) <= MOST_APPS else ()


def _words(value: object) -> list[str]:
    return value.replace(",", " ").split() if isinstance(value, str) else []
