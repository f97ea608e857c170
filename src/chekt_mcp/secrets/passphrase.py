"""The approver's passphrase: kept as scrypt (RFC 7914), compared without leaking time, long enough to be worth it.

Text is normalised to NFC first, as RFC 8265 (OpaqueString) has it: two keyboards may compose a letter differently.
"""

from __future__ import annotations

import hashlib
import hmac
import unicodedata

from chekt_mcp.errors import InvalidInput

MINIMUM = 12
"""Characters a new passphrase must have."""

COST, BLOCK_SIZE, PARALLELISM = 2**15, 8, 1
"""RFC 7914 N, r, p: 32 MiB and about a tenth of a second for each guess."""

MEMORY = 64 * 1024 * 1024
"""Bytes scrypt may take: more than 128 * N * r, or it refuses."""


def hash_passphrase(text: str, salt: bytes) -> bytes:
    """Return 32 bytes for `text` and a random `salt` of 16 bytes or more, which is kept beside them."""
    return hashlib.scrypt(_normalised(text), salt=salt, n=COST, r=BLOCK_SIZE, p=PARALLELISM, maxmem=MEMORY, dklen=32)


def passphrase_matches(text: str, salt: bytes, digest: bytes) -> bool:
    """Tell whether `text` is the passphrase that `digest` was made from with `salt`."""
    return hmac.compare_digest(hash_passphrase(text, salt), digest)


def check_new_passphrase(text: str) -> None:
    """Refuse a passphrase that is too short to keep out a guesser.

    Raises:
        InvalidInput: fewer than 12 characters; code `weak_passphrase`.
    """
    if len(unicodedata.normalize("NFC", text)) < MINIMUM:
        raise InvalidInput(
            f"The passphrase has fewer than {MINIMUM} characters.",
            field="passphrase",
            code="weak_passphrase",
            fix="Choose a longer one, such as five random words.",
        )


def _normalised(text: str) -> bytes:
    # A terminal that is not UTF-8 gives lone surrogates; they are part of what was typed, and no error may quote it.
    return unicodedata.normalize("NFC", text).encode("utf-8", "surrogatepass")
