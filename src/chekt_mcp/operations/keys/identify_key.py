"""Which app does this key belong to, and is it still good? For a key that was found somewhere. It is not stored."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import datetime

from chekt_mcp.domain import api_key
from chekt_mcp.domain.api_key import Key, KeyKind
from chekt_mcp.errors import InvalidInput, SecretUnreadable
from chekt_mcp.operations.keys.key_material import open_secret
from chekt_mcp.operations.services import Sealing, Services
from chekt_mcp.storage.interface import Reader
from chekt_mcp.storage.records import Dealer, SealedKey


@dataclass(frozen=True, slots=True)
class Identified:
    """A known key, and whether it still opens anything; `unreadable` secrets could not be compared."""

    key: Key | None
    good: bool
    unreadable: int = 0


async def identify(services: Services, value: str) -> Identified:
    """Look a key or signing secret up.

    Raises:
        InvalidInput: code `malformed_key`: it has the form of neither.
    """
    now = services.clock()
    if api_key.environment_of(value, KeyKind.SIGNING_SECRET) is not None:
        stored = await services.storage.read(_secrets)
        return _among(stored, services.sealing(), value, now)
    if api_key.environment_of(value, KeyKind.API_KEY) is None:
        raise InvalidInput(
            "That does not have the form of a key or signing secret of CHeKT.",
            code="malformed_key",
            fix="Check for missing characters, quotes or spaces.",
        )
    key = await services.storage.read(lambda reader: reader.key_by_hash(api_key.key_hash(value)))
    return Identified(key, key is not None and key.live_at(now))


def _among(stored: list[tuple[Dealer, SealedKey]], sealing: Sealing, value: str, now: datetime) -> Identified:
    unreadable = 0
    for dealer, one in stored:
        try:
            secret = open_secret(sealing, dealer, one)
        except SecretUnreadable:
            unreadable += 1
            continue
        if hmac.compare_digest(secret.encode(), value.encode()):
            return Identified(one.key, one.key.live_at(now), unreadable)
    return Identified(None, good=False, unreadable=unreadable)


async def _secrets(reader: Reader) -> list[tuple[Dealer, SealedKey]]:
    return [
        (dealer, one)
        for dealer in await reader.dealers()
        for app in await reader.apps(dealer.name)
        for one in await reader.keys(dealer.name, app.name, KeyKind.SIGNING_SECRET)
    ]
