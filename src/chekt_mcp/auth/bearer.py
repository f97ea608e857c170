"""Who presents a bearer token over HTTP. One verifier for every kind of token; the edge knows only this one."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from chekt_mcp.auth.authenticate import authenticate
from chekt_mcp.auth.caller import Caller, known_caller
from chekt_mcp.storage.interface import Storage


class BearerVerifier(Protocol):
    """Tells who presents a token. Expected refusals are values: the caller's `grant` is then a `Problem`."""

    async def verify(self, token: str, now: datetime) -> Caller:
        """Return the caller, read anew; `Unavailable` when that cannot be told now."""
        ...


class ApiKeyVerifier:
    """Verifies API keys, current and previous within grace."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    async def verify(self, token: str, now: datetime) -> Caller:
        """Return the caller; of a key that is known but no longer good, also whose it was."""
        grant, key = await self._storage.read(lambda reader: authenticate(reader, token, now))
        return known_caller(grant, key)
