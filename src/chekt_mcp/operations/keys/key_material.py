"""The stored keys of an app: which is current, which previous, and the secrets opened for use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from chekt_mcp.domain.api_key import KeyKind, KeyState
from chekt_mcp.errors import SecretUnreadable
from chekt_mcp.operations.services import Sealing
from chekt_mcp.storage.interface import Reader
from chekt_mcp.storage.records import Dealer, SealedKey


@dataclass(frozen=True, slots=True)
class KeyPair:
    """Current and previous key of one kind; `previous` also when its grace is over, so that it can be named."""

    current: SealedKey | None
    previous: SealedKey | None

    def live_previous(self, now: datetime) -> SealedKey | None:
        """Return the previous key while it still works."""
        return self.previous if self.previous and self.previous.key.live_at(now) else None


async def key_pair(reader: Reader, dealer: str, app: str, kind: KeyKind) -> KeyPair:
    """Read the pair off the stored keys (newest first)."""
    keys = await reader.keys(dealer, app, kind)
    return KeyPair(_first(keys, KeyState.CURRENT), _first(keys, KeyState.PREVIOUS))


async def dealer_record(reader: Reader, name: str) -> Dealer:
    """Return the dealer.

    Raises:
        SecretUnreadable: without its record nothing of it can be opened.
    """
    for dealer in await reader.dealers():
        if dealer.name == name:
            return dealer
    raise SecretUnreadable("The dealer's data key is missing.", fix="Restore the state directory from a backup.")


def open_secret(sealing: Sealing, dealer: Dealer, stored: SealedKey) -> str:
    """Decrypt a stored signing secret.

    Raises:
        SecretUnreadable: no sealed copy, another key-encryption key, or an altered row.
    """
    if stored.sealed is None:
        raise SecretUnreadable("The signing secret has no stored copy.", fix="Adopt it again: `chekt-mcp app adopt`.")
    return sealing.open(dealer.wrapped_key, dealer.name, secret_identity(stored), stored.sealed)


def secret_identity(stored: SealedKey) -> str:
    """Return what binds a sealed secret to its row."""
    return f"secret/{stored.key.app}/{stored.key.key_id}"


def _first(keys: Sequence[SealedKey], state: KeyState) -> SealedKey | None:
    return next((stored for stored in keys if stored.key.state is state), None)
