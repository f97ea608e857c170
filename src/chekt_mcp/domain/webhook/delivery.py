"""A delivery as it arrives: the header names, how large it may be, and how its headers are read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

SIGNATURE_HEADER = "X-CHeKT-Signature"
TIMESTAMP_HEADER = "X-CHeKT-Timestamp"
EVENT_ID_HEADER = "X-CHeKT-Event-Id"
DELIVERY_ID_HEADER = "X-CHeKT-Delivery-Id"
ATTEMPT_HEADER = "X-CHeKT-Attempt"
OLDER_SIGNATURE_HEADER = "X-Webhook-Signature"

MAX_BODY_BYTES = 1024 * 1024
"""Inclusive. Bounds the work of a call; an event is a few KiB."""
MAX_TIMESTAMP_DIGITS = 12
"""Unix seconds until the year 33658; 13 digits are milliseconds."""

Body = bytes | bytearray | memoryview
Headers = Mapping[str, str] | Sequence[tuple[str, str]]
"""Names in any case; in a sequence a name may be repeated. Bytes (as ASGI has them) are read as Latin-1."""

_SIGNATURE = SIGNATURE_HEADER.lower()
_TIMESTAMP = TIMESTAMP_HEADER.lower()
_SIGNED_NAME_LENGTH = len(_SIGNATURE)  # both are 17 long, so one comparison skips nearly every other header
_UNCLEAR = (None, None)


def pairs_of(headers: Headers) -> Iterable[tuple[str, str]]:
    """Return the (name, value) pairs of a mapping, or the sequence of pairs itself."""
    return headers.items() if hasattr(headers, "items") else headers


def signed_headers(headers: Headers) -> tuple[Any, Any]:
    """Return the signature and timestamp headers as they came; None twice where one is missing or repeated.

    Values are not looked at and may be of any type. Raises whatever the caller's object raises when it is no
    mapping or sequence of pairs.
    """
    signature = timestamp = None
    try:
        pairs: Iterable[tuple[str, str]] = headers.items()  # type: ignore[union-attr]  # asking first costs more
    except AttributeError:
        pairs = headers  # type: ignore[assignment]  # so it is the sequence
    for name, value in pairs:
        if len(name) == _SIGNED_NAME_LENGTH:
            lowered = name.lower()  # of other alphabets only the Kelvin sign lowers to ASCII; isascii refuses it
            if lowered == _SIGNATURE:
                if signature is not None or not name.isascii():
                    return _UNCLEAR
                signature = value
            elif lowered == _TIMESTAMP:
                if timestamp is not None or not name.isascii():
                    return _UNCLEAR
                timestamp = value
    return signature, timestamp


def is_unix_seconds(timestamp: str) -> bool:
    """Whether the text is 1 to 12 ASCII digits and nothing else: no sign, space, underscore or other script."""
    return timestamp.isdigit() and timestamp.isascii() and len(timestamp) <= MAX_TIMESTAMP_DIGITS


def headers_by_name(headers: Headers) -> dict[str, list[object]] | None:
    """Return every value under its lower-case name, bytes decoded; None when the headers cannot be read (again)."""
    if isinstance(headers, Iterator):
        return None  # verifying has used it up
    values: dict[str, list[object]] = {}
    try:
        for name, value in pairs_of(headers):
            text = _text(name)
            if isinstance(text, str) and text.isascii():
                values.setdefault(text.lower(), []).append(_text(value))
    except Exception:  # noqa: BLE001  the caller's object may raise anything; "unreadable" is the answer then
        return None
    return values


def claimed_timestamp(headers: Headers) -> int | None:
    """Return the timestamp header as unix seconds, or None when it is missing, repeated or malformed."""
    values = (headers_by_name(headers) or {}).get(_TIMESTAMP, [])
    text = values[0] if len(values) == 1 else None
    return int(text) if isinstance(text, str) and is_unix_seconds(text) else None


def text_pairs(headers: Headers) -> list[tuple[str, str]] | None:
    """Return the headers with bytes decoded as Latin-1 (RFC 9110, 5.5), or None when there are no bytes in them."""
    try:
        pairs: list[tuple[object, object]] = list(pairs_of(headers))
        if not any(isinstance(part, bytes) for pair in pairs for part in pair):
            return None
        return [(_text(name), _text(value)) for name, value in pairs]  # type: ignore[misc]  # others stay as they are
    except Exception:  # noqa: BLE001  as above
        return None


def _text(part: object) -> object:
    return part.decode("latin-1") if isinstance(part, bytes) else part
