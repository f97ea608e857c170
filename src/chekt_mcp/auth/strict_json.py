"""JSON objects that every program reads alike: no member twice, no NaN, nothing after the end (RFC 8725, 3.10)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import NoReturn


def read_object(raw: bytes) -> dict[str, object] | None:
    """Return the object, or None for anything else. The caller limits the size, and with it the work.

    Nesting ends where Python's own recursion does; numbers of thousands of digits are refused by Python too.
    """
    try:
        found = json.loads(raw.decode("utf-8"), object_pairs_hook=_members, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _members(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError
    return members


def _refuse(_constant: str) -> NoReturn:
    raise ValueError
