"""The signing secrets a receiver tries: always the same number, so that no answer's time tells which apps exist."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from chekt_mcp.domain.api_key import Key, KeyKind, KeyState
from chekt_mcp.domain.webhook import SigningSecret
from chekt_mcp.operations.keys.key_material import KeyPair, dealer_record, key_pair, open_secret, secret_identity
from chekt_mcp.operations.services import Services
from chekt_mcp.storage.interface import Reader
from chekt_mcp.storage.records import Dealer, SealedKey

if TYPE_CHECKING:
    from chekt_mcp.domain.webhook.signature import Label

TRIED = 2
"""An app has at most two live secrets. What is missing is made up with decoys, opened and tried alike."""
DECOY_BYTES = 32


@dataclass(frozen=True, slots=True)
class TriedSecrets:
    """What to verify with. `key_ids` are those of the app's own live secrets, by label."""

    secrets: Sequence[SigningSecret]
    key_ids: Mapping[str, str]

    @property
    def known(self) -> bool:
        """Whether there is an app of that name with a live secret."""
        return bool(self.key_ids)


class ReceiverSecrets:
    """The secrets of one dealer's apps. A decoy is random and known to nobody, so it verifies nothing."""

    def __init__(self, services: Services, dealer: str) -> None:
        self._services = services
        self._dealer = dealer
        self._decoy: SealedKey | None = None

    async def of(self, app: str, now: datetime) -> TriedSecrets:
        """Return the app's live secrets and decoys; only decoys where there is no such app.

        Raises:
            Unavailable: the state or a secret cannot be read.
        """

        async def work(reader: Reader) -> tuple[Dealer, KeyPair]:
            record = await dealer_record(reader, self._dealer)
            return record, await key_pair(reader, self._dealer, app, KeyKind.SIGNING_SECRET)

        dealer, pair = await self._services.storage.read(work)
        live = [stored for stored in (pair.current, pair.live_previous(now)) if stored is not None]
        padded = [*live, *[self._decoy_of(dealer, now)] * (TRIED - len(live))]
        return TriedSecrets(
            [self._opened(dealer, stored) for stored in padded],
            {_label(stored): stored.key.key_id for stored in live},
        )

    def _opened(self, dealer: Dealer, stored: SealedKey) -> SigningSecret:
        return SigningSecret(open_secret(self._services.sealing(), dealer, stored), _label(stored))

    def _decoy_of(self, dealer: Dealer, now: datetime) -> SealedKey:
        if self._decoy is None:
            key = Key("decoy", dealer.name, "", KeyKind.SIGNING_SECRET, KeyState.PREVIOUS, "…", now)
            value, identity = self._services.random(DECOY_BYTES).hex(), secret_identity(SealedKey(key))
            sealed = self._services.sealing().seal(dealer.wrapped_key, dealer.name, identity, value)
            self._decoy = SealedKey(key, sealed=sealed)
        return self._decoy


def _label(stored: SealedKey) -> Label:
    return "current" if stored.key.state is KeyState.CURRENT else "previous"
