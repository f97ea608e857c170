"""Who works at the terminal, and how their work is logged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from chekt_mcp.domain.api_key import RandomBytes
from chekt_mcp.domain.audit import Kind, NewEntry, Result
from chekt_mcp.domain.identifier import new_id
from chekt_mcp.domain.scope import Grant, Scope
from chekt_mcp.operations.services import Call

SOURCE = "terminal"


@dataclass(frozen=True, slots=True)
class Operator:
    """One command by one operating-system user; the system vouches for the name, nobody else does."""

    user: str
    request_id: str

    @property
    def principal(self) -> str:
        """The operator's name in approvals and the audit log."""
        return f"terminal:{self.user}"

    def call(self, dealer: str, app: str, now: datetime) -> Call:
        """Return a call by which the operator acts on one app: no key limits somebody who has the state itself."""
        grant = Grant(dealer, self.principal, "none", None, (app,), frozenset(Scope))
        return Call(grant, self.request_id, now, SOURCE)

    def entry(
        self,
        dealer: str,
        action: str,
        at: datetime,
        *,
        app: str | None = None,
        details: Mapping[str, object] | None = None,
    ) -> NewEntry:
        """Return the log entry of something done at the terminal; it is written in the transaction that does it."""
        return NewEntry(
            dealer=dealer,
            timestamp=at,
            actor=self.principal,
            kind=Kind.OPERATOR_ACTION,
            action=action,
            result=Result.OK,
            request_id=self.request_id,
            app=app,
            source=SOURCE,
            details=details or {},
        )


def operator_of(user: str, random: RandomBytes) -> Operator:
    """Give a command its request id."""
    return Operator(user, new_id("req", random))
