"""Entries as lines of text, JSON or CSV: column by column, with what repeats written once, joined in one step.

A line for each entry by itself would take twice the time: most of it is calls. So the lines of a block are one list of
pieces: those between the values are in their places before, and each column of values is laid in as a whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from chekt_mcp.domain.log_block import LogBlock
from chekt_mcp.operations.audit.export_text import Written, WrittenNumbers, moments

AT_ONCE = 500
"""Entries of a block: what is made of them stays in the processor's cache. With 10,000 it took 1.4 times as long."""

DIFFERENT = ("timestamp", "request_id")
"""Texts that hardly ever repeat, so that nothing is remembered of them."""


@dataclass(frozen=True, slots=True)
class Notation:
    """How values are written.

    `inside`: a text as it stands between two `quote`s; `are_plain` tells whether it leaves all of these as they are.
    `none`: no text. `details`: details as they are stored, None for none.
    """

    quote: str
    inside: Callable[[str], str]
    are_plain: Callable[[Sequence[str]], bool]
    none: str
    details: Callable[[str | None], str]

    def text(self, text: str | None) -> str:
        """Return one text, or none, as it is written."""
        return self.none if text is None else self.quote + self.inside(text) + self.quote


class Lines:
    """What stands before each value (`starts`, by its field), the values, and `end`."""

    def __init__(self, notation: Notation, starts: Mapping[str, str], end: str) -> None:
        self._notation = notation
        self._pieces = list[str]()
        self._places = dict[str, int]()
        self._texts = dict[str, WrittenNumbers]()
        self._details = Written(notation.details)
        after = ""
        for field, start in starts.items():
            after = self._add(field, after + start)
        self._pieces.append(after + end)

    def of(self, block: LogBlock) -> bytes:
        """Return the lines of some entries in UTF-8. Of a lone surrogate the escape is written."""
        width, pieces = len(self._pieces), self._pieces * len(block)
        for field, place in self._places.items():
            pieces[place::width] = self._values(block, field)
        return "".join(pieces).encode("utf-8", "backslashreplace")

    def _add(self, field: str, start: str) -> str:
        """Make room for a value, with its start before it or remembered with it; return what comes after it."""
        quote = self._notation.quote if field in DIFFERENT else ""
        if field in ("seq", *DIFFERENT):
            self._pieces.append(start + quote)
        elif field == "details":
            self._details = Written(lambda stored: start + self._notation.details(stored))
        else:
            self._texts[field] = WrittenNumbers(lambda text: start + self._notation.text(text))
        self._places[field] = len(self._pieces)
        self._pieces.append("")
        return quote

    def _values(self, block: LogBlock, field: str) -> Iterable[str]:
        match field:
            case "seq":
                return map(str, block.seq)
            case "timestamp":
                return moments(block)
            case "request_id":
                plain = self._notation.are_plain(block.request_id)
                return block.request_id if plain else map(self._notation.inside, block.request_id)
            case "details":
                return map(self._details.__getitem__, block.details)
            case _:
                written = self._texts[field]
                written.meaning = block.meaning(field)
                return map(written.__getitem__, getattr(block, field))
