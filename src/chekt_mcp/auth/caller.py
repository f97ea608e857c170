"""Who is calling: the grant of the credential presented, or the problem with it, read anew at every call."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from chekt_mcp.auth.authenticate import NOT_YET, authenticate
from chekt_mcp.auth.credential import KeySource, Problem
from chekt_mcp.domain.api_key import Key
from chekt_mcp.domain.scope import Grant
from chekt_mcp.storage.interface import Reader, Storage

NO_DEALER = ""
"""The log of callers that no dealer can be named for."""


@dataclass(frozen=True, slots=True)
class Caller:
    """A caller as it is recorded: with a grant, or with the reason for none.

    `source_ip` and `request_id` are given where the edge has told them already: over HTTP.
    """

    grant: Grant | Problem
    dealer: str
    actor: str
    app: str | None
    key_id: str | None
    source_ip: str | None = None
    request_id: str | None = None


Identify = Callable[[Storage, datetime], Awaitable[Caller]]
"""How a transport learns who calls; over stdio from the key source, over HTTP from the request."""


def by_key(source: KeySource) -> Identify:
    """Identify by the API key that `source` gives at that moment.

    Between the delivery of a new key and its commit, which another process may be making, the file holds a key that
    is not in force yet. The one that was accepted last then counts, as long as it is itself in force.
    """
    accepted = ""

    async def identify(storage: Storage, now: datetime) -> Caller:
        nonlocal accepted
        value, last = source.current(), accepted
        if isinstance(value, Problem):
            return nobody(value)
        grant, key, presented = await storage.read(lambda reader: _in_force(reader, value, last, now))
        if isinstance(grant, Grant):
            accepted = presented
        return known_caller(grant, key)

    return identify


async def _in_force(reader: Reader, value: str, last: str, now: datetime) -> tuple[Grant | Problem, Key | None, str]:
    """Authenticate `value`, or `last` while `value` waits for its rotation; both on one snapshot."""
    grant, key = await authenticate(reader, value, now)
    if grant is NOT_YET and last:
        earlier, earlier_key = await authenticate(reader, last, now)
        if isinstance(earlier, Grant):
            return earlier, earlier_key, last
    return grant, key, value


def known_caller(grant: Grant | Problem, key: Key | None) -> Caller:
    """Return the caller of what `authenticate` found; of a key that is no longer good, whose it was."""
    if isinstance(grant, Grant):
        return Caller(grant, grant.dealer, grant.principal, grant.app, grant.key_id)
    return Caller(grant, key.dealer, f"app:{key.app}", key.app, key.key_id) if key else nobody(grant)


def nobody(problem: Problem) -> Caller:
    """Return the caller of whom nothing is known but what is wrong."""
    return Caller(problem, NO_DEALER, "unknown", None, None)
