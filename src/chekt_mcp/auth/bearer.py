"""`Authorization: Bearer …` over HTTP: three kinds of credential, told apart by their form alone, into one grant.

| form | kind |
| --- | --- |
| `chekt_…` | API key of an app |
| three parts with dots between, `iss` is the configured issuer | OAuth 2.0 access token |
| three parts with dots between, anybody else | assertion of a partner |
| anything else | OAuth 2.0 access token that only its issuer can read |

Whatever is wrong, an outsider gets the same answer; the reason goes to the log as a code, never with the credential.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from mcp.server.auth.provider import AccessToken

from chekt_mcp.auth.access_token import AccessTokens
from chekt_mcp.auth.approver_token import ApproverToken, approver_of
from chekt_mcp.auth.assertion import Assertions
from chekt_mcp.auth.authenticate import UNKNOWN, authenticate_evenly
from chekt_mcp.auth.caller import Caller
from chekt_mcp.auth.credential import Problem
from chekt_mcp.auth.granted import GrantedToken, Refused, caller_of, of_key
from chekt_mcp.auth.signed_token import LONGEST, SignedToken, looks_signed, read_signed_token
from chekt_mcp.auth.token_problem import PASSING, Fault, problem_of
from chekt_mcp.storage.interface import Storage

OPAQUE = re.compile(r"[A-Za-z0-9._~+/-]+=*", re.ASCII)
"""What a bearer token is made of (RFC 6750, 2.1)."""

logger = logging.getLogger(__name__)


class BearerVerifier(Protocol):
    """Tells who presents a token. To be asked once per request: an assertion is used up by it."""

    @property
    def issuers(self) -> tuple[str, ...]:
        """Who issues access tokens that are taken: the authorization servers that clients are told of."""
        ...

    async def judge(self, token: str, now: datetime) -> GrantedToken | Refused:
        """Return the grant as the SDK carries it (the edge makes it the request's user), or why there is none.

        Raises:
            StateUnusable: the store cannot be asked now.
        """
        ...

    async def verify(self, token: str, now: datetime) -> Caller:
        """Return the same as a caller: its `grant` is a `Problem` where there is none."""
        ...

    async def approver(self, token: str, pages: str, now: datetime) -> ApproverToken | Refused:
        """Return the approver that an access token signs in at the approval pages (their URL), or why none."""
        ...


@dataclass(frozen=True, slots=True)
class BearerTokens:
    """A `BearerVerifier`, and the SDK's `TokenVerifier`.

    Attributes:
        clock: returns the present moment in UTC.
        access_tokens: None where no issuer is configured.
        assertions: None where nobody can be asked for a partner's keys.
    """

    storage: Storage
    clock: Callable[[], datetime]
    access_tokens: AccessTokens | None = None
    assertions: Assertions | None = None

    @property
    def issuers(self) -> tuple[str, ...]:
        """Return the configured issuer, if there is one."""
        return () if self.access_tokens is None else (self.access_tokens.issuer.issuer,)

    async def verify_token(self, token: str) -> AccessToken | None:
        """Return the accepted credential (a `GrantedToken`), or None with the reason in the log."""
        judged = await self.judge(token, self.clock())
        if isinstance(judged, GrantedToken):
            return judged
        logger.info("A credential was refused: %s", judged.problem.code)
        return None

    async def verify(self, token: str, now: datetime) -> Caller:
        """Return the caller, read anew; of a key that is known but no longer good, also whose it was."""
        judged = await self.judge(token, now)
        return judged.caller() if isinstance(judged, Refused) else caller_of(judged)

    async def judge(self, token: str, now: datetime, *, use_up: bool = True) -> GrantedToken | Refused:
        """Judge a credential; see `BearerVerifier`. Without `use_up` an assertion stays good: to explain it only."""
        if len(token) > LONGEST or not token.isascii():
            return _refused(Fault.NOT_A_TOKEN)
        if token.startswith("chekt_"):
            return await self._key(token, now)
        judged = await (self._signed(token, now, use_up=use_up) if looks_signed(token) else self._opaque(token, now))
        return _refused(judged) if isinstance(judged, Fault) else judged

    async def approver(self, token: str, pages: str, now: datetime) -> ApproverToken | Refused:
        """Judge an access token that was issued for the approval pages; see `approver_token`."""
        if self.access_tokens is None or not OPAQUE.fullmatch(token) or len(token) > LONGEST:
            return _refused(Fault.OPAQUE)
        return await approver_of(self.access_tokens, token, pages, now)

    async def _key(self, value: str, now: datetime) -> GrantedToken | Refused:
        grant, key = await self.storage.read(lambda reader: authenticate_evenly(reader, value, now))
        if isinstance(grant, Problem):
            return Refused(grant, key)
        return Refused(UNKNOWN) if key is None else of_key(grant, key)

    async def _signed(self, text: str, now: datetime, *, use_up: bool) -> GrantedToken | Fault:
        """Let the issuer that a token names tell whose rules it is held to; both check that it is theirs."""
        token = read_signed_token(text)
        if isinstance(token, Fault):
            return token
        if self.access_tokens is not None and _issuer(token) == self.access_tokens.issuer.issuer:
            return await self.access_tokens.judge(text, token, now)
        if self.assertions is None:
            return Fault.UNKNOWN_ISSUER
        return await self.assertions.judge(token, now, use_up=use_up)

    async def _opaque(self, text: str, now: datetime) -> GrantedToken | Fault:
        """Ask the issuer about what is plain text (RFC 6750, 2.1), if one can be asked."""
        if self.access_tokens is None or not OPAQUE.fullmatch(text):
            return Fault.OPAQUE
        return await self.access_tokens.judge(text, None, now)


def _issuer(token: SignedToken) -> object:
    return token.claims.get("iss")


def _refused(fault: Fault) -> Refused:
    return Refused(problem_of(fault), temporary=fault in PASSING)
