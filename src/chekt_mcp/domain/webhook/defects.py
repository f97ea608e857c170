"""What is wrong with a delivery before any signature is computed; only asked once nothing fits."""

from __future__ import annotations

import re

from chekt_mcp.domain.webhook.cause import Cause
from chekt_mcp.domain.webhook.delivery import (
    MAX_BODY_BYTES,
    SIGNATURE_HEADER,
    TIMESTAMP_HEADER,
    Headers,
    headers_by_name,
    is_unix_seconds,
)
from chekt_mcp.domain.webhook.signature import SIGNATURE_HEX_DIGITS

PREFIXED = re.compile(r"[A-Za-z0-9-]{1,16}[=:,][0-9A-Fa-f]{64}")
"""`sha256=`, `v1=`, `v1,` and the like before 64 hex digits."""
BASE64_DIGEST = re.compile(r"[A-Za-z0-9+/_-]{43}=?")
"""32 bytes in base64, standard or URL alphabet, padded or not."""
_HEX = re.compile(r"[0-9A-Fa-f]*")
_MILLISECONDS = re.compile(r"[0-9]{13}")
_QUOTES = "\"'"

WELL_FORMED_BUT_WRONG = frozenset({Cause.SIGNATURE_PREFIXED, Cause.SIGNATURE_IN_BASE64})
"""A signature in another notation is readable, and simply not the one the scheme asks for: invalid."""


def find_defect(headers: Headers, body: object) -> Cause | None:
    """Return the first thing that is wrong, or None when a signature can be computed and compared."""
    if not isinstance(body, bytes):
        return Cause.BODY_NOT_BYTES
    if len(body) > MAX_BODY_BYTES:
        return Cause.BODY_TOO_LARGE
    values = headers_by_name(headers)
    if values is None:
        return Cause.HEADERS_UNREADABLE
    signatures, timestamps = values.get(SIGNATURE_HEADER.lower(), []), values.get(TIMESTAMP_HEADER.lower(), [])
    return _absence(signatures, timestamps) or _timestamp_defect(timestamps[0]) or _signature_defect(signatures[0])


def _absence(signatures: list[object], timestamps: list[object]) -> Cause | None:
    if len(signatures) > 1 or len(timestamps) > 1:
        return Cause.HEADER_REPEATED
    if not signatures or signatures[0] in ("", None):
        return Cause.SIGNATURE_HEADER_MISSING
    if not timestamps or timestamps[0] in ("", None):
        return Cause.TIMESTAMP_HEADER_MISSING
    return None


def _timestamp_defect(value: object) -> Cause | None:
    if not isinstance(value, str):
        return Cause.HEADER_NOT_TEXT
    if is_unix_seconds(value):
        return None
    if _MILLISECONDS.fullmatch(value):
        return Cause.TIMESTAMP_IN_MILLISECONDS
    return _wrapping(value) or Cause.TIMESTAMP_NOT_UNIX_SECONDS


def _signature_defect(value: object) -> Cause | None:
    if not isinstance(value, str):
        return Cause.HEADER_NOT_TEXT
    if _HEX.fullmatch(value):
        return _length_defect(len(value))
    if PREFIXED.fullmatch(value):
        return Cause.SIGNATURE_PREFIXED
    if BASE64_DIGEST.fullmatch(value):
        return Cause.SIGNATURE_IN_BASE64
    return _wrapping(value) or Cause.SIGNATURE_NOT_HEX


def _length_defect(digits: int) -> Cause | None:
    if digits == SIGNATURE_HEX_DIGITS:
        return None
    return Cause.SIGNATURE_CUT if digits < SIGNATURE_HEX_DIGITS else Cause.SIGNATURE_TOO_LONG


def _wrapping(value: str) -> Cause | None:
    if value != value.strip():
        return Cause.HEADER_HAS_WHITESPACE if value.strip() else None
    return Cause.HEADER_HAS_QUOTES if value != value.strip(_QUOTES) else None
