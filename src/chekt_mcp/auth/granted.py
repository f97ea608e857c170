"""What a bearer credential came to: a grant the SDK can carry, or a refusal that says why to whoever runs the server.

The SDK ties sessions and request state to (client id, issuer, subject) of its `AccessToken`. So these three are the
same before and after a rotation or a refresh, and differ between dealers.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from mcp.server.auth.provider import AccessToken

from chekt_mcp.auth.caller import Caller, known_caller
from chekt_mcp.auth.credential import Problem
from chekt_mcp.domain.api_key import Key
from chekt_mcp.domain.scope import Grant


class GrantedToken(AccessToken):
    """The SDK's view of an accepted credential, with our grant. `token` is only a mark: no credential is kept."""

    grant: Grant


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a bearer credential opens nothing. For the log and the operator; an outsider learns none of it.

    Attributes:
        problem: a stable code, what happened, and how to mend it.
        key: the stored key that was presented, where there is one, for the audit entry.
        temporary: what the decision depends on cannot be asked now; another time the answer may be yes.
    """

    problem: Problem
    key: Key | None = None
    temporary: bool = False

    def caller(self) -> Caller:
        """Return the caller as the audit log has it: the app whose key it was, or nobody."""
        return known_caller(self.problem, self.key)


@lru_cache(maxsize=4_096)  # making one is a twentieth of a call; equal grants of equal keys are the same
def of_key(grant: Grant, key: Key) -> GrantedToken:
    """Carry the grant of an API key: the app is client and subject in one, and no key of it is named."""
    return GrantedToken(
        token=key.fingerprint,
        client_id=f"{grant.dealer}/{grant.principal}",
        scopes=_written(grant),
        subject=grant.principal,
        grant=grant,
    )


def of_token(  # noqa: PLR0913 -- each is a claim of its own
    grant: Grant, *, client_id: str, issuer: str, subject: str, expires_at: datetime, resource: str
) -> GrantedToken:
    """Carry the grant of a token somebody issued."""
    return GrantedToken(
        token=grant.credential,
        client_id=f"{grant.dealer}/{client_id}",
        scopes=_written(grant),
        expires_at=int(expires_at.timestamp()),
        resource=resource,
        subject=subject,
        claims={"iss": issuer},
        grant=grant,
    )


def caller_of(token: GrantedToken) -> Caller:
    """Return the caller as the gateway takes it."""
    return known_caller(token.grant, None)


def _written(grant: Grant) -> list[str]:
    return sorted(scope.value for scope in grant.scopes)
