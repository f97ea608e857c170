"""The person who works here, at the terminal or on the approval pages, and how their work is logged."""

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
    """One command or one request by one person.

    Attributes:
        principal: their name in approvals and the audit log. At the terminal that is the operating-system user, for
            whom the system vouches and nobody else.
        source: where they work.
        source_ip: the address they came from; None at the terminal.
    """

    principal: str
    request_id: str
    source: str = SOURCE
    source_ip: str | None = None

    def call(self, dealer: str, app: str, now: datetime) -> Call:
        """Return a call by which the operator acts on one app: no key limits somebody who has the state itself."""
        grant = Grant(dealer, self.principal, "none", None, (app,), frozenset(Scope))
        return Call(grant, self.request_id, now, self.source, self.source_ip)

    def entry(
        self,
        dealer: str,
        action: str,
        at: datetime,
        *,
        app: str | None = None,
        details: Mapping[str, object] | None = None,
    ) -> NewEntry:
        """Return the log entry of something this person did; it is written in the transaction that does it."""
        return NewEntry(
            dealer=dealer,
            timestamp=at,
            actor=self.principal,
            kind=Kind.OPERATOR_ACTION,
            action=action,
            result=Result.OK,
            request_id=self.request_id,
            app=app,
            source=self.source,
            source_ip=self.source_ip,
            details=details or {},
        )


def operator_of(user: str, random: RandomBytes) -> Operator:
    """Give a command its request id."""
    return at_terminal(user, new_id("req", random))


def at_terminal(user: str, request_id: str) -> Operator:
    """Return the operator of one command."""
    return Operator(f"terminal:{user}", request_id)
