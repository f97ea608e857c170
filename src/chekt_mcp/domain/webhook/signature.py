"""Signing secrets, and the signature: hex HMAC-SHA256 of `{timestamp}.{raw body}` (the platform's webhook page).

HMAC is RFC 2104. Its section 4 lets an implementation keep the two hash states that depend on the key alone;
doing so halves the time of a small delivery. The tests hold it equal to the standard library's `hmac`.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from _hashlib import HASH

Label = Literal["current", "previous"]
SIGNATURE_HEX_DIGITS = 64
_BLOCK_BYTES = 64
_INNER_PAD = bytes(byte ^ 0x36 for byte in range(256))
_OUTER_PAD = bytes(byte ^ 0x5C for byte in range(256))
_NOT_A_SECRET = " \t\r\n\v\f\0\"'`\ufeff"  # noqa: S105  not one
"""A value made of these alone is a slip of the hand; an attacker would guess it."""


class KeyStates(NamedTuple):
    """The two SHA-256 states that depend on the key alone (RFC 2104, section 4). Only ever copied."""

    inner: HASH
    outer: HASH


@dataclass(frozen=True)
class SigningSecret:
    """One of an app's signing secrets. Its repr never shows the value.

    Attributes:
        value: the secret as configured; the key is its UTF-8 bytes, nothing stripped.
        label: `current`, or `previous` during and after the grace of a rotation.
        live: False once the grace has ended: it then never verifies, and serves diagnosis only.
    """

    value: str = field(repr=False)
    label: Label
    live: bool = True

    @cached_property
    def usable(self) -> bool:
        """Whether it may verify: live, and not blank (an empty key would let anyone sign)."""
        return self.live and bool(self.value.strip(_NOT_A_SECRET))

    @cached_property
    def states(self) -> KeyStates:
        """The key's two hash states, made at first use and kept with the secret."""
        return key_states(key_bytes(self.value))

    def sign(self, seconds: bytes, body: bytes) -> str:
        """Return the signature of `body` at `seconds` (unix time in ASCII digits) as 64 lower-case hex digits."""
        inner, outer = self.states
        message = inner.copy()
        message.update(seconds + b".")
        message.update(body)
        mac = outer.copy()
        mac.update(message.digest())
        return mac.hexdigest()


@dataclass(frozen=True, slots=True)
class OtherSecret:
    """The signing secret of another app in the caller's own grant; it can explain, never verify."""

    app: str
    value: str = field(repr=False)


def key_bytes(secret: str) -> bytes:
    """Return the key of `secret`: its UTF-8 bytes. A lone surrogate (an undecodable byte in the environment) passes."""
    return secret.encode("utf-8", "surrogatepass")


def key_states(key: bytes) -> KeyStates:
    """Return the two states of HMAC-SHA256 under `key` (RFC 2104, sections 2 and 4)."""
    block = key if len(key) <= _BLOCK_BYTES else hashlib.sha256(key).digest()
    padded = block.ljust(_BLOCK_BYTES, b"\0")
    return KeyStates(
        inner=hashlib.sha256(padded.translate(_INNER_PAD)), outer=hashlib.sha256(padded.translate(_OUTER_PAD))
    )


def sign(secret: str, timestamp: int, body: bytes) -> str:
    """Return the value of X-CHeKT-Signature for `body` at `timestamp` (unix seconds): 64 lower-case hex digits."""
    return SigningSecret(secret, "current").sign(b"%d" % timestamp, body)
