"""Sealing secrets that must be used again (signing secrets, undelivered keys): AES-256-GCM in two layers.

One data key per dealer, wrapped by the key-encryption key; each value sealed by the data key. A sealed text is
one byte of format version, 12 random bytes of nonce (NIST SP 800-38D, 8.2.2: good for 2^32 values per data key),
then ciphertext and tag. Associated data binds format, purpose, dealer and row, so that what is moved to another
row, dealer or format does not open.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chekt_mcp.domain.api_key import RandomBytes
from chekt_mcp.errors import SecretUnreadable

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_LENGTH = 32
NONCE_LENGTH = 12
FORMAT = b"\x01"
DATA_KEY, VALUE = b"data key", b"value"
"""What a sealed text is for: a wrapped data key can never be opened as a value, nor the other way round."""


class Sealer:
    """Wraps data keys, seals and opens values. Holds the key-encryption key and never shows it.

    Raises:
        SecretUnreadable: the key-encryption key is not 32 bytes.
    """

    __slots__ = ("_key_encryption_key", "_random")

    def __init__(self, key_encryption_key: bytes, random: RandomBytes) -> None:
        if len(key_encryption_key) != KEY_LENGTH:
            raise SecretUnreadable("The key-encryption key is not 32 bytes long.")
        self._key_encryption_key = key_encryption_key
        self._random = random

    def new_data_key(self, dealer: str) -> bytes:
        """Return a new data key for one dealer, wrapped; keep it with the dealer."""
        return self._encrypt(self._key_encryption_key, self._random(KEY_LENGTH), _bound(DATA_KEY, dealer))

    def seal(self, wrapped: bytes, dealer: str, identity: str, value: str) -> bytes:
        """Seal `value` for the row `identity` of `dealer` under the dealer's wrapped data key.

        Raises:
            SecretUnreadable: the data key does not open.
        """
        content = value.encode("utf-8", "surrogatepass")
        return self._encrypt(self._unwrap(wrapped, dealer), content, _bound(VALUE, dealer, identity))

    def open(self, wrapped: bytes, dealer: str, identity: str, sealed: bytes) -> str:
        """Return the value sealed for exactly this dealer and row.

        Raises:
            SecretUnreadable: it does not open; whatever the cause, the answer is the same.
        """
        content = _decrypted(self._unwrap(wrapped, dealer), sealed, _bound(VALUE, dealer, identity))
        return content.decode("utf-8", "surrogatepass")

    def _unwrap(self, wrapped: bytes, dealer: str) -> bytes:
        return _decrypted(self._key_encryption_key, wrapped, _bound(DATA_KEY, dealer))

    def _encrypt(self, key: bytes, content: bytes, bound: bytes) -> bytes:
        nonce = self._random(NONCE_LENGTH)
        return FORMAT + nonce + _cipher(key).encrypt(nonce, content, bound)


def _decrypted(key: bytes, sealed: bytes, bound: bytes) -> bytes:
    from cryptography.exceptions import InvalidTag  # noqa: PLC0415 -- start-up is measured, and few calls open secrets

    header = len(FORMAT)
    if sealed[:header] == FORMAT:
        try:
            nonce, content = sealed[header : header + NONCE_LENGTH], sealed[header + NONCE_LENGTH :]
            return _cipher(key).decrypt(nonce, content, bound)
        except (InvalidTag, ValueError):
            pass
    raise SecretUnreadable(
        "A sealed secret does not open.",
        fix="Give the key-encryption key that this state was made with, or restore the state from a backup.",
    )


def _cipher(key: bytes) -> AESGCM:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415 -- as above: 25 ms

    return AESGCM(key)


def _bound(*parts: str | bytes) -> bytes:
    """Join the format and `parts`, each with its length before it: no two lists of parts give the same bytes."""
    encoded = [part if isinstance(part, bytes) else part.encode() for part in parts]
    return b"chekt-mcp" + FORMAT + b"".join(len(part).to_bytes(4, "big") + part for part in encoded)
