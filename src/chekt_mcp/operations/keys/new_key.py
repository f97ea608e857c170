"""A key or secret on its way into storage: a hash of the one, a sealed copy of the other, never the value."""

from __future__ import annotations

from datetime import datetime

from chekt_mcp.domain import api_key
from chekt_mcp.domain.api_key import Key, KeyKind, KeyState
from chekt_mcp.domain.identifier import new_id
from chekt_mcp.operations.keys.key_material import secret_identity
from chekt_mcp.operations.services import Services
from chekt_mcp.storage.records import Dealer, SealedKey


def stored(  # noqa: PLR0913, PLR0917 -- a key's identity has this many parts
    services: Services, dealer: Dealer, app: str, kind: KeyKind, value: str, at: datetime, *, key_id: str | None = None
) -> SealedKey:
    """Return the row of a key that is in force from now on; `key_id` where its issuer has named it already.

    Raises:
        SecretUnreadable: the key-encryption key cannot be had, so nothing can be sealed.
    """
    key = Key(
        key_id=key_id or new_id("key", services.random),
        dealer=dealer.name,
        app=app,
        kind=kind,
        state=KeyState.CURRENT,
        fingerprint=api_key.fingerprint(value),
        created_at=at,
    )
    if kind is KeyKind.API_KEY:
        return SealedKey(key, value_hash=api_key.key_hash(value))
    sealed = services.sealing().seal(dealer.wrapped_key, dealer.name, secret_identity(SealedKey(key)), value)
    return SealedKey(key, sealed=sealed)
