"""Diagnosis: the ways in which the two signed headers of a failed delivery may be meant."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import NamedTuple

from chekt_mcp.domain.webhook.cause import Cause
from chekt_mcp.domain.webhook.delivery import (
    OLDER_SIGNATURE_HEADER,
    SIGNATURE_HEADER,
    TIMESTAMP_HEADER,
    is_unix_seconds,
)
from chekt_mcp.domain.webhook.signature import SIGNATURE_HEX_DIGITS

SHORTEST_CUT = 32
"""Half a signature, 128 bits, proves as well as a whole one. Confirming fewer digits would let a caller find a
signature for a text of their own piece by piece."""
_MAX_VALUE = 512
_PREFIX = re.compile(r"[A-Za-z0-9-]{1,16}[=:,](?=[A-Za-z0-9+/_=-]{43,})")
_HEX = re.compile(r"[0-9A-Fa-f]+")
_LONGER_UNITS = (13, 16, 19)  # digits of the time in milli-, micro- and nanoseconds
_SECONDS_DIGITS = 10
_FRACTION = re.compile(r"([0-9]{1,12})\.[0-9]+")

Values = Mapping[str, list[object]]


class Reading(NamedTuple):
    """One way to take a header's text, and what would then be wrong with it."""

    causes: tuple[Cause, ...]
    text: str


@dataclass(frozen=True, slots=True)
class Claim:
    """What the headers may be meant to say: this signature, 32 to 64 hex digits, at this timestamp.

    `body_alone`: only a signature over the body without the timestamp is to be looked for.
    """

    causes: tuple[Cause, ...]
    timestamp: bytes
    signature: str
    body_alone: bool = False


def claims(values: Values) -> Iterator[Claim]:
    """Yield the ways to read the headers, the likeliest first; at most 92."""
    signatures, timestamps = _texts(values, SIGNATURE_HEADER), _texts(values, TIMESTAMP_HEADER)
    for signature, timestamp in product(_all(signatures, _signature_readings), _all(timestamps, _timestamp_readings)):
        causes = tuple(dict.fromkeys(timestamp.causes + signature.causes))
        yield Claim(causes, timestamp.text.encode("ascii"), signature.text)
    if not timestamps:
        for reading in _all(signatures, _signature_readings):
            yield Claim((Cause.TIMESTAMP_HEADER_MISSING, *reading.causes), b"", reading.text, body_alone=True)
    yield from _swapped(signatures, timestamps)
    if not signatures:
        yield from _older(values)


def _texts(values: Values, name: str) -> list[Reading]:
    given = [value for value in values.get(name.lower(), []) if isinstance(value, str) and value][:2]
    if len(given) == 1 and "," in given[0] and not _PREFIX.match(given[0]):
        given = [part.strip() for part in given[0].split(",", 2)[:2]]  # how servers join a repeated header
    causes = (Cause.HEADER_REPEATED,) if len(given) > 1 else ()
    return [Reading(causes, text) for text in dict.fromkeys(given) if len(text) <= _MAX_VALUE and text.isascii()]


def _all(given: list[Reading], read: Callable[[str], Iterator[Reading]]) -> list[Reading]:
    return [
        Reading(outer.causes + wrapping.causes + inner.causes, inner.text)
        for outer in given
        for wrapping in [_unwrapped(outer.text)]
        for inner in read(wrapping.text)
    ]


def _unwrapped(text: str) -> Reading:
    bare = text.strip()
    causes = (Cause.HEADER_HAS_WHITESPACE,) if bare != text else ()
    unquoted = bare.strip("\"'").strip()
    return Reading((*causes, Cause.HEADER_HAS_QUOTES), unquoted) if unquoted != bare else Reading(causes, bare)


def _signature_readings(text: str) -> Iterator[Reading]:
    bare = _PREFIX.sub("", text, count=1)
    causes = (Cause.SIGNATURE_PREFIXED,) if bare != text else ()
    if _HEX.fullmatch(bare) and len(bare) >= SHORTEST_CUT:
        yield Reading(causes + _length(bare), bare[:SIGNATURE_HEX_DIGITS].lower())
    decoded = _from_base64(bare)
    if decoded:
        yield Reading((*causes, Cause.SIGNATURE_IN_BASE64), decoded)


def _length(digits: str) -> tuple[Cause, ...]:
    if len(digits) == SIGNATURE_HEX_DIGITS:
        return ()
    return (Cause.SIGNATURE_CUT,) if len(digits) < SIGNATURE_HEX_DIGITS else (Cause.SIGNATURE_TOO_LONG,)


def _from_base64(text: str) -> str | None:
    standard = text.replace("-", "+").replace("_", "/")
    try:
        raw = base64.b64decode(standard + "=" * (-len(standard) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None
    if len(raw) * 2 == SIGNATURE_HEX_DIGITS:
        return raw.hex()
    digits = raw.decode("latin-1")  # base64 of the hex digits is another way to get it wrong
    return digits.lower() if len(digits) == SIGNATURE_HEX_DIGITS and _HEX.fullmatch(digits) else None


def _timestamp_readings(text: str) -> Iterator[Reading]:
    fraction = _FRACTION.fullmatch(text)
    if fraction:
        yield Reading((Cause.TIMESTAMP_NOT_UNIX_SECONDS,), fraction[1])
        yield Reading((Cause.TIMESTAMP_NOT_UNIX_SECONDS,), text)
    elif text.isdigit() and len(text) in _LONGER_UNITS:
        milliseconds = len(text) == _LONGER_UNITS[0]
        cause = Cause.TIMESTAMP_IN_MILLISECONDS if milliseconds else Cause.TIMESTAMP_NOT_UNIX_SECONDS
        yield Reading((cause,), text[:_SECONDS_DIGITS])
        yield Reading((cause,), text)
    elif is_unix_seconds(text):
        yield Reading((), text)
        if len(text) == _SECONDS_DIGITS - 1:
            yield from (Reading((Cause.TIMESTAMP_CUT,), f"{text}{digit}") for digit in range(10))
    else:
        yield Reading((Cause.TIMESTAMP_NOT_UNIX_SECONDS,), text)


def _swapped(signatures: list[Reading], timestamps: list[Reading]) -> Iterator[Claim]:
    for signature, timestamp in product(timestamps, signatures):
        digits = signature.text.lower()
        if len(digits) == SIGNATURE_HEX_DIGITS and _HEX.fullmatch(digits) and is_unix_seconds(timestamp.text):
            yield Claim((Cause.HEADERS_SWAPPED,), timestamp.text.encode(), digits)


def _older(values: Values) -> Iterator[Claim]:
    for reading in _all(_texts(values, OLDER_SIGNATURE_HEADER), _signature_readings):
        yield Claim((Cause.OLDER_SIGNATURE_HEADER,), b"", reading.text, body_alone=True)
