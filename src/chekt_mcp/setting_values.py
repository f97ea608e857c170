"""Values of variables: read strictly, and refused by the variable's name."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path

from chekt_mcp.errors import InvalidInput

_DIGITS = 9
"""The longest number looked at."""


def read_number(environ: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    """Return a whole number from `low` to `high`."""
    text = environ.get(name, "")
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= _DIGITS and low <= int(text) <= high):
        raise bad_setting(name, f"must be a whole number from {low} to {high}")
    return int(text)


def read_numbers(environ: Mapping[str, str], name: str, known: Mapping[str, tuple[int, int]]) -> dict[str, int]:
    """Return numbers by name, written as `one=1,other=2`; `known` tells the names, and how low and high each may be."""
    given = {part.partition("=")[0]: part.partition("=")[2] for part in read_words(environ, name)}
    if unknown := set(given) - set(known):
        raise bad_setting(name, f"names {len(unknown)} that it does not have; it has {', '.join(known)}")
    for part, (low, high) in known.items():
        text = given.get(part, str(low))
        if not (text.isascii() and text.isdigit() and len(text) <= _DIGITS and low <= int(text) <= high):
            raise bad_setting(name, f"must have a whole number from {low} to {high} for {part}")
    return {part: int(text) for part, text in given.items()}


def read_path(name: str, given: str) -> Path:
    """Return an absolute path."""
    try:
        return Path(given).expanduser().absolute()
    except RuntimeError:  # what pathlib raises for a home directory that cannot be told
        raise bad_setting(name, "begins with the home directory of an unknown user") from None


def read_command(name: str, given: str) -> tuple[str, ...]:
    """Return a command line in words."""
    try:
        parts = tuple(shlex.split(given))
    except ValueError:
        raise bad_setting(name, "is not a command line: a quotation mark or backslash has no end") from None
    if not parts:
        raise bad_setting(name, "is blank")
    return parts


def read_words(environ: Mapping[str, str], name: str, default: str = "") -> tuple[str, ...]:
    """Return words that commas or spaces separate, each once."""
    return tuple(dict.fromkeys((environ.get(name) or default).replace(",", " ").split()))


def bad_setting(name: str, why: str) -> InvalidInput:
    """Return the refusal of a variable."""
    fix = "Correct it, in the client's configuration where the client sets it, and start anew."
    return InvalidInput(f"{name} {why}.", field=name, code="bad_setting", fix=fix)
