"""A CHeKT App as this server knows it: whose it is, where it runs, and how its changes are confirmed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from chekt_mcp.domain.scope import Scope
from chekt_mcp.errors import InvalidInput

NAME_PATTERN = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,46}[a-z0-9])?")
"""Lower-case ASCII only: the name is typed to confirm, so no two may look alike."""


class Environment(StrEnum):
    """Where the app's credentials are good: production or sandbox."""

    LIVE = "live"
    TEST = "test"


class Authority(StrEnum):
    """Who owns the credentials: this server issued them, or CHeKT did and they were adopted."""

    LOCAL = "local"
    PLATFORM = "platform"


class ConfirmBy(StrEnum):
    """Who may confirm a change: an approver elsewhere, or a form in the caller's own client."""

    OUT_OF_BAND = "out_of_band"
    CLIENT = "client"


@dataclass(frozen=True, slots=True)
class App:
    """One app of one dealer. `covers` names further apps of the same dealer its key may ask about."""

    dealer: str
    name: str
    environment: Environment
    authority: Authority
    scopes: frozenset[Scope]
    confirm: ConfirmBy
    created_at: datetime
    covers: tuple[str, ...] = ()

    @property
    def principal(self) -> str:
        """The caller's name in approvals and the audit log; it outlives any key."""
        return f"app:{self.name}"


def default_confirmation(environment: Environment) -> ConfirmBy:
    """A form answered in a client proves a client, not a person: enough for test apps only."""
    return ConfirmBy.OUT_OF_BAND if environment is Environment.LIVE else ConfirmBy.CLIENT


def check_name(name: str, *, field: str = "app") -> str:
    """Return `name` when it is a well-formed app or dealer name: 1 to 48 of `a-z 0-9 -`, no dash at an end.

    Raises:
        InvalidInput: code `bad_name`.
    """
    if not NAME_PATTERN.fullmatch(name):
        raise InvalidInput(
            "A name has 1 to 48 characters of a-z, 0-9 and '-', and starts and ends with a letter or digit.",
            field=field,
            code="bad_name",
        )
    return name
