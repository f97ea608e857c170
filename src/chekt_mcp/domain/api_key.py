"""API keys and signing secrets: their form, fingerprint, hash and life. Never their storage.

Form (platform/CHEKT.md): `chekt_live_…`, `chekt_test_…`, `chekt_whsec_live_…`, `chekt_whsec_test_…`, then
`[A-Za-z0-9]`. CHeKT says of its keys that they have 32 characters or more (prefix and all: 21 after it), of its
signing secrets that 32 or more of them are random. Ours are 32 random characters (190 bits) and a 6-character
checksum (CRC-32 in base 62), which catches a typing error offline; it is advice only, since adopted keys have none.
"""

from __future__ import annotations

import hashlib
import re
import string
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from chekt_mcp.domain.app import Environment

RandomBytes = Callable[[int], bytes]
"""`secrets.token_bytes` in the program; anything deterministic in a test."""

ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
RANDOM_LENGTH = 32
CHECKSUM_LENGTH = 6
API_KEY = re.compile(r"chekt_(live|test)_([A-Za-z0-9]{21,200})")
SIGNING_SECRET = re.compile(r"chekt_whsec_(live|test)_([A-Za-z0-9]{32,200})")


class KeyKind(StrEnum):
    """The two credentials of an app; each has one current and at most one previous."""

    API_KEY = "api_key"
    SIGNING_SECRET = "signing_secret"  # noqa: S105 -- the name of a kind, not a secret


class KeyState(StrEnum):
    """Life of a key. `pending` is minted but not delivered; it opens nothing."""

    PENDING = "pending"
    CURRENT = "current"
    PREVIOUS = "previous"
    REVOKED = "revoked"
    VOID = "void"


@dataclass(frozen=True, slots=True)
class Key:
    """One key or secret, without its value. `fingerprint` is prefix and last four, the most ever shown."""

    key_id: str
    dealer: str
    app: str
    kind: KeyKind
    state: KeyState
    fingerprint: str
    created_at: datetime
    valid_until: datetime | None = None
    revoked_at: datetime | None = None

    def live_at(self, now: datetime) -> bool:
        """Tell whether it still opens anything: grace ends by the clock, not by a job that may not run."""
        if self.state is KeyState.CURRENT:
            return True
        return self.state is KeyState.PREVIOUS and self.valid_until is not None and now < self.valid_until


def retired(key: Key, until: datetime | None, now: datetime) -> Key:
    """Return a current key as it is once another has taken its place: in its time of grace, or revoked (None)."""
    if until is None:
        return replace(key, state=KeyState.REVOKED, revoked_at=now)
    return replace(key, state=KeyState.PREVIOUS, valid_until=until)


def mint(kind: KeyKind, environment: Environment, random: RandomBytes) -> str:
    """Return a new key or secret in clear; the caller hands it to a sink and forgets it."""
    body = _random_text(RANDOM_LENGTH, random)
    whole = prefix(kind, environment) + body
    return whole + checksum(whole)


def prefix(kind: KeyKind, environment: Environment) -> str:
    """Return the readable beginning that tells what a credential is."""
    middle = "whsec_" if kind is KeyKind.SIGNING_SECRET else ""
    return f"chekt_{middle}{environment.value}_"


def checksum(text: str) -> str:
    """Return six base-62 characters of CRC-32 over prefix and random part: a guard against typos only."""
    number, digits = zlib.crc32(text.encode()), ""
    for _ in range(CHECKSUM_LENGTH):
        number, digit = divmod(number, len(ALPHABET))
        digits = ALPHABET[digit] + digits
    return digits


def checksum_holds(key: str) -> bool:
    """Tell whether the last six characters are the checksum of the rest (adopted keys: usually not)."""
    return checksum(key[:-CHECKSUM_LENGTH]) == key[-CHECKSUM_LENGTH:]


def environment_of(value: str, kind: KeyKind) -> Environment | None:
    """Read the environment off a well-formed credential of `kind`; None when it is not one."""
    pattern = SIGNING_SECRET if kind is KeyKind.SIGNING_SECRET else API_KEY
    match = pattern.fullmatch(value)
    return Environment(match.group(1)) if match else None


def fingerprint(value: str) -> str:
    """Return prefix and last four characters, `chekt_live_…a1B2`; of what has no such form nothing but `…`."""
    match = API_KEY.fullmatch(value) or SIGNING_SECRET.fullmatch(value)
    return f"{value[: match.start(2)]}…{value[-4:]}" if match else "…"


def key_hash(value: str) -> bytes:
    """Return SHA-256 of the key: it is random, so a fast hash is the right one."""
    return hashlib.sha256(value.encode()).digest()


def _random_text(length: int, random: RandomBytes) -> str:
    """Draw characters without bias: bytes at or above the largest multiple of 62 are thrown away."""
    limit = 256 - 256 % len(ALPHABET)
    drawn = ""
    while len(drawn) < length:
        drawn += "".join(ALPHABET[byte % len(ALPHABET)] for byte in random(length * 2) if byte < limit)
    return drawn[:length]
