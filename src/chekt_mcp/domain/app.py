"""A CHeKT App as this server knows it: whose it is, where it runs, and how its changes are confirmed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from chekt_mcp.domain.rate_tier import RateTier
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
    """Who may confirm a change: an approver elsewhere, a form in the caller's own client, or nobody has to."""

    OUT_OF_BAND = "out_of_band"
    CLIENT = "client"
    UNATTENDED = "unattended"


BY_A_PERSON = (ConfirmBy.OUT_OF_BAND, ConfirmBy.CLIENT)
"""What an app can be set to; `unattended` is not a setting of an app but of the callers it names."""


@dataclass(frozen=True, slots=True)
class App:
    """One app of one dealer. `covers` names further apps of the same dealer its key may ask about.

    `unattended` names apps of the same dealer whose runbooks change this one without being asked: test apps only.
    `rate` is how often its callers may call over HTTP; `own_key_over_http` lets the key of an adopted app do so.
    """

    dealer: str
    name: str
    environment: Environment
    authority: Authority
    scopes: frozenset[Scope]
    confirm: ConfirmBy
    created_at: datetime
    covers: tuple[str, ...] = ()
    unattended: tuple[str, ...] = ()
    rate: RateTier = RateTier.PRO
    own_key_over_http: bool = False

    @property
    def principal(self) -> str:
        """The caller's name in approvals and the audit log; it outlives any key."""
        return principal_of(self.name)

    def confirmed_by(self, principal: str) -> ConfirmBy:
        """Tell who confirms what `principal` asks for; a live app is never changed unattended, whatever it names."""
        runbooks = {principal_of(name) for name in self.unattended}
        if self.environment is Environment.TEST and principal in runbooks:
            return ConfirmBy.UNATTENDED
        return self.confirm


def principal_of(name: str) -> str:
    """Return the principal of an app's own key."""
    return f"app:{name}"


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
