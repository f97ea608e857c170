r"""A choice among values as one text: `ok`, `ok,denied`, `!ok`, and `!ok,denied` for none of these.

A backslash makes the comma, exclamation mark, space or backslash after it plain: `Smith\, Jane`, `\!important`.
Before anything else it stands for itself (`DOMAIN\jane`). Spaces around a value are not part of it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import Generic, TypeVar

from chekt_mcp.errors import InvalidInput

V = TypeVar("V")

MOST_VALUES = 50
PIECE = re.compile(r"\\[,! \\]|.", re.DOTALL)
SPECIAL = re.compile(r"\\(?=[,! \\]|\Z)|,|^!|^ | \Z")
PLAIN = "Put a backslash before a comma, or before a first `!`, that belongs to a value."


@dataclass(frozen=True, slots=True)
class Choice(Generic[V]):
    """Which values fit: any of these, or with `negated` all but these; what has no value fits only a negated one."""

    values: tuple[V, ...]
    negated: bool = False


def any_of(*values: V) -> Choice[V]:
    """Fit these values."""
    return Choice(values)


def none_of(*values: V) -> Choice[V]:
    """Fit everything but these values."""
    return Choice(values, negated=True)


def parse_choice(text: str, field: str) -> Choice[str]:
    """Read a choice as people write it, each value once, in order of the alphabet.

    Raises:
        InvalidInput: codes `empty_value`, `misplaced_not` (a `!` before another than the first value), `too_many`.
    """
    negated = text.lstrip(" ").startswith("!")
    written = _split(text.lstrip(" ").removeprefix("!"))
    if any(piece.startswith("!") for piece in written):
        fix = f"`!a,b` means neither a nor b. {PLAIN}"
        raise InvalidInput("A `!` stands before the whole list only.", field=field, code="misplaced_not", fix=fix)
    values = sorted({_plain(piece) for piece in written})
    if "" in values:
        fix = f"Leave the filter out, or name values: a or a,b or !a. {PLAIN}"
        raise InvalidInput("A filter has an empty value.", field=field, code="empty_value", fix=fix)
    if len(values) > MOST_VALUES:
        raise InvalidInput(f"A filter takes at most {MOST_VALUES} values.", field=field, code="too_many")
    return Choice(tuple(values), negated)


def written(choice: Choice[str]) -> str:
    """Reverse `parse_choice`: one text for one choice, however it was first written."""
    values = sorted({re.sub(SPECIAL, r"\\\g<0>", value) for value in choice.values})
    return "!" * choice.negated + ",".join(values)


def _split(text: str) -> list[str]:
    """Cut at plain commas and strip plain spaces; escapes are still as written."""
    pieces = PIECE.findall(text)
    cuts = [-1, *(at for at, piece in enumerate(pieces) if piece == ","), len(pieces)]
    return [_stripped(pieces[start + 1 : end]) for start, end in pairwise(cuts)]


def _stripped(pieces: list[str]) -> str:
    filled = [at for at, piece in enumerate(pieces) if piece != " "]
    return "".join(pieces[filled[0] : filled[-1] + 1]) if filled else ""


def _plain(piece: str) -> str:
    return re.sub(r"\\([,! \\])", r"\1", piece)
