"""`Authorization: Bearer …` over HTTP: three kinds of credential, told apart by their form alone, into one grant.

| form | kind |
| --- | --- |
| `chekt_…` | API key of an app |

Whatever is wrong, an outsider gets the same answer; the reason goes to the log as a code, never with the credential.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from mcp.server.auth.provider import AccessToken

from chekt_mcp.auth.authenticate import UNKNOWN, authenticate_evenly
from chekt_mcp.auth.caller import Caller
from chekt_mcp.auth.credential import Problem
from chekt_mcp.auth.granted import GrantedToken, Refused, caller_of, of_key
from chekt_mcp.storage.interface import Storage

LONGEST = 8_192
"""Characters of a credential that are looked at: what common servers take as one header line."""
UNRECOGNISED = Problem(
    "unrecognised_credential",
    "What was presented has the form of no credential that this server takes.",
    "Send an app's API key (chekt_live_… or chekt_test_…) as `Authorization: Bearer …`.",
)

logger = logging.getLogger(__name__)


class BearerVerifier(Protocol):
    """Tells who presents a token. To be asked once per request: an assertion is used up by it."""

    async def judge(self, token: str, now: datetime) -> GrantedToken | Refused:
        """Return the grant as the SDK carries it (the edge makes it the request's user), or why there is none.

        Raises:
            StateUnusable: the store cannot be asked now.
        """
        ...

    async def verify(self, token: str, now: datetime) -> Caller:
        """Return the same as a caller: its `grant` is a `Problem` where there is none."""
        ...


@dataclass(frozen=True, slots=True)
class BearerTokens:
    """A `BearerVerifier`, and the SDK's `TokenVerifier`. `clock` returns the present moment in UTC."""

    storage: Storage
    clock: Callable[[], datetime]

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

    async def judge(self, token: str, now: datetime) -> GrantedToken | Refused:
        """Judge a credential; see `BearerVerifier`."""
        if len(token) <= LONGEST and token.isascii() and token.startswith("chekt_"):
            return await self._key(token, now)
        return Refused(UNRECOGNISED)

    async def _key(self, value: str, now: datetime) -> GrantedToken | Refused:
        grant, key = await self.storage.read(lambda reader: authenticate_evenly(reader, value, now))
        if isinstance(grant, Problem):
            return Refused(grant, key)
        return Refused(UNKNOWN) if key is None else of_key(grant, key)
