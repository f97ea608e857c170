r"""What an entry's `details` may hold, as canonical JSON (RFC 8785), and back.

Writing never fails, and what was written reads back to the very same text:

- a lone surrogate becomes its visible escape (`\udc80`, six characters); other text stays as it is.
- numbers are IEEE 754 doubles. A whole number beyond 2^53 - 1 either way becomes its digits as text, and what is no
  number the text `NaN`, `Infinity` or `-Infinity`: nothing is rounded on the way in.
- the rest is as `json` has it (tuples are arrays, keys that are numbers are text, other keys are left out); what it
  does not know is written as `str` has it. Beyond DEPTH levels, or round in a circle, a note stands in its place.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from json.encoder import encode_basestring
from typing import Any

EXACT = 2**53 - 1
"""The greatest whole number that every reader of JSON keeps exactly (RFC 7493, 2.2)."""

DEPTH = 64
"""Levels of nesting: a limit of our own, for Python's depends on who calls."""

NOT_KEPT = '{"not_kept":"these details cannot be written as JSON"}'

quoted: Callable[[str], str] = encode_basestring
"""Write a JSON string. The C encoder escapes exactly what RFC 8785 (3.2.2.2) says, in the same way."""

_SURROGATE = re.compile("[\ud800-\udfff]")
_POSITIONAL = 21
_SMALLEST_POSITIONAL = -6
"""ECMA-262, Number::toString: where the decimal point may stand before an exponent is written instead."""


def without_surrogates(text: str) -> str:
    """Return `text` with each lone surrogate as its visible escape, so that it can be written as UTF-8."""
    return _SURROGATE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def details_text(details: Mapping[str, object]) -> str:
    """Return `details` as a canonical JSON object. Quick for text and small numbers under ASCII keys."""
    if not details:
        return "{}"
    try:
        return _plain_text(details)
    except (TypeError, UnicodeEncodeError):
        pass
    try:
        return canonical_text(_as_json(dict(details)))
    except (ValueError, RecursionError):
        return NOT_KEPT


def details_from(text: str) -> Mapping[str, object]:
    """Read what `details_text` wrote. Whole numbers beyond `EXACT` were doubles, and are again.

    Raises:
        ValueError: it is no JSON object.
    """
    value = json.loads(text, parse_int=_double_if_large)
    if not isinstance(value, dict):
        raise ValueError("not an object")  # noqa: TRY004 -- as `json.loads` says of other text
    return value


def canonical_text(value: Any, depth: int = DEPTH) -> str:
    """Return a value of `json.loads` as canonical JSON.

    Raises:
        ValueError: it is nested too deeply.
    """
    if isinstance(value, str):
        return quoted(without_surrogates(value))
    if isinstance(value, dict | list) and depth == 0:
        raise ValueError("nested too deeply")
    if isinstance(value, dict):
        members = {without_surrogates(key): member for key, member in value.items()}
        ordered = sorted(members, key=lambda key: key.encode("utf-16-be"))
        return f"{{{','.join(f'{quoted(key)}:{canonical_text(members[key], depth - 1)}' for key in ordered)}}}"
    if isinstance(value, list):
        return f"[{','.join(canonical_text(item, depth - 1) for item in value)}]"
    if isinstance(value, float):
        return number_text(value)
    return "null" if value is None else str(value).lower()


def number_text(number: float) -> str:
    """Return a finite double as ECMA-262 writes it: RFC 8785, 3.2.2.3."""
    if number == 0:
        return "0"
    mantissa, _, exponent = repr(abs(number)).partition("e")
    whole, _, fraction = mantissa.partition(".")
    written = whole + fraction
    significant = written.lstrip("0")
    point = len(whole) + int(exponent or 0) - (len(written) - len(significant))
    return ("-" if number < 0 else "") + _placed(significant.rstrip("0"), point)


def _placed(digits: str, point: int) -> str:
    """Write `digits` with the decimal point after the first `point` of them."""
    if len(digits) <= point <= _POSITIONAL:
        return digits.ljust(point, "0")
    if 0 < point <= _POSITIONAL:
        return f"{digits[:point]}.{digits[point:]}"
    if _SMALLEST_POSITIONAL < point <= 0:
        return f"0.{digits.rjust(len(digits) - point, '0')}"
    fraction = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{digits[0]}{fraction}e{point - 1:+d}"


def _plain_text(details: Mapping[str, object]) -> str:
    """Write text and whole numbers under ASCII keys: nearly every entry has no more than that.

    Raises:
        TypeError: something else is among them, or a key that is no text.
        UnicodeEncodeError: a text holds a lone surrogate.
    """
    ordered, parts = sorted(details), []
    if not "".join(ordered).isascii():
        raise TypeError
    for key in ordered:
        value, kind = details[key], type(details[key])
        if kind is str:
            parts.append(f"{quoted(key)}:{quoted(value)}")  # type: ignore[arg-type]  # its type is known
        elif kind is int and -EXACT <= value <= EXACT:  # type: ignore[operator]  # same
            parts.append(f"{quoted(key)}:{value}")
        else:
            raise TypeError
    text = f"{{{','.join(parts)}}}"
    if not text.isascii():
        text.encode()
    return text


def _as_json(value: object) -> Any:
    """Return `value` as it reads after `json` has written it."""
    written = json.dumps(value, ensure_ascii=False, skipkeys=True, default=str)
    return json.loads(written, parse_int=_text_if_large, parse_constant=str)


def _text_if_large(digits: str) -> int | str:
    return int(digits) if len(digits) <= len(str(-EXACT)) and abs(int(digits)) <= EXACT else digits


def _double_if_large(digits: str) -> float:
    return int(digits) if len(digits) <= len(str(-EXACT)) and abs(int(digits)) <= EXACT else float(digits)
