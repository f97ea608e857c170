"""Diagnosis: the keys a signature may have been made with instead of the app's live secrets."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from chekt_mcp.domain.webhook.cause import Cause
from chekt_mcp.domain.webhook.signature import OtherSecret, SigningSecret, key_bytes

_PREFIX = re.compile(r"chekt_whsec_(?:live|test)_")
_PREFIXES = ("chekt_whsec_live_", "chekt_whsec_test_")
_API_KEY = re.compile(r"chekt_(?:live|test)_")
_PLACEHOLDER = re.compile(r"\$\w+|\$?\{.*\}|<.*>|%\w+%|(?i:change.?me|your\b.*|xxx+|todo)")
_LITERAL_NEWLINE = re.compile(r"(?:\\r)?\\n$")


@dataclass(frozen=True, slots=True)
class Key:
    """A key to try, what it would mean if it fits, and whose it is when it is another app's."""

    causes: tuple[Cause, ...]
    value: bytes = field(repr=False)
    app: str | None = None


def configured_keys(secrets: Sequence[SigningSecret]) -> list[Key]:
    """Return the keys that may verify: the usable secrets as they are."""
    return [Key((), key_bytes(secret.value)) for secret in secrets if secret.usable]


def other_keys(secrets: Sequence[SigningSecret], others: Sequence[OtherSecret]) -> Iterator[Key]:
    """Yield the keys that never verify: slips in the configuration, expired secrets, other apps' secrets."""
    for secret in secrets:
        if not secret.live:
            yield Key((Cause.PREVIOUS_SECRET_EXPIRED,), key_bytes(secret.value))
        elif secret.usable:
            yield from _slips(secret.value)
    for other in others:
        if other.value.strip():
            yield Key((Cause.OTHER_APPS_SECRET,), key_bytes(other.value), other.app)


def doubtful_secret(secrets: Sequence[SigningSecret]) -> Cause | None:
    """Return what a usable secret looks like instead of a signing secret: an API key, or a placeholder."""
    values = [secret.value.strip() for secret in secrets if secret.usable]
    if any(_API_KEY.match(value) for value in values):
        return Cause.SECRET_IS_AN_API_KEY
    return Cause.SECRET_IS_A_PLACEHOLDER if any(_PLACEHOLDER.fullmatch(value) for value in values) else None


def _slips(value: str) -> Iterator[Key]:
    yield from (Key((cause,), key_bytes(changed)) for cause, changed in _rewritten(value) if changed not in ("", value))
    remainder = _PREFIX.sub("", value.strip(), count=1)
    for decode in (base64.b64decode, base64.urlsafe_b64decode, bytes.fromhex):
        for text in dict.fromkeys((remainder, value)):
            decoded = _decoded(decode, text)
            if decoded:
                yield Key((Cause.SECRET_DECODED_BY_SIGNER,), decoded)


def _rewritten(value: str) -> Iterator[tuple[Cause, str]]:
    bare = _LITERAL_NEWLINE.sub("", value.strip("\ufeff \t\r\n\v\f\0"))
    yield Cause.SECRET_HAS_WHITESPACE, bare
    yield Cause.SECRET_HAS_QUOTES, bare.strip("\"'`").strip()
    yield Cause.SIGNERS_SECRET_HAS_NEWLINE, value + "\n"
    yield Cause.SIGNERS_SECRET_HAS_NEWLINE, value + "\r\n"
    yield Cause.SECRET_DECODED_BY_SIGNER, _PREFIX.sub("", bare, count=1) if _PREFIX.match(bare) else ""
    if not _PREFIX.match(bare):
        yield from ((Cause.SECRET_PREFIX_MISSING, prefix + bare) for prefix in _PREFIXES)


def _decoded(decode: Callable[[str], bytes], text: str) -> bytes | None:
    padded = text if decode == bytes.fromhex else text + "=" * (-len(text) % 4)
    try:
        return decode(padded)
    except (binascii.Error, ValueError):
        return None
