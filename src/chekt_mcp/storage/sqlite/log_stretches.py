"""Drawing the sketch of each stretch of the log: as soon as it is complete, and anew where entries were pruned."""

from __future__ import annotations

from collections.abc import Iterable

from chekt_mcp.storage.sqlite.log_reader import SEQ_BITS
from chekt_mcp.storage.sqlite.session import Row, Session
from chekt_mcp.storage.sqlite.sketch import ANY_TEXT, COLUMNS, STRETCH_BITS, column_terms, sketch, text_terms

LONGEST_DETAILS = 2_048
"""Characters; a stretch with longer ones may hold any text."""

READ = (
    f"SELECT ts, {', '.join(COLUMNS)}, length(details) > {LONGEST_DETAILS},"  # noqa: S608 -- ours
    f" CASE WHEN length(details) <= {LONGEST_DETAILS} THEN CAST(details AS BLOB) END"
    " FROM entries WHERE id BETWEEN ? AND ?"
)
STORE = "INSERT OR REPLACE INTO log_stretches (log, stretch, first_ts, last_ts, sketch) VALUES (?, ?, ?, ?, ?)"
STORED = (
    "SELECT log, stretch, first_ts, last_ts, sketch FROM log_stretches WHERE log = ? AND stretch >= ? AND stretch < ?"
)
STRAY = "SELECT 1 FROM log_stretches WHERE log = ? AND (stretch >= ? OR typeof(stretch) <> 'integer') LIMIT 1"
FORGET = "DELETE FROM log_stretches WHERE log = ? AND stretch = ?"


def complete(size: int) -> int:
    """Return how many stretches of a log of this size are complete; entries are counted from 1."""
    return (size + 1) >> STRETCH_BITS


class StretchReader(Session):
    """Draws what the rows of a stretch say."""

    def drawn(self, log: int, stretch: int) -> Row | None:
        """Return the row that the stretch should have; None where it has no entries any more."""
        first = (log << SEQ_BITS) + (stretch << STRETCH_BITS)
        rows = self._rows(READ, first, first + (1 << STRETCH_BITS) - 1)
        if not rows:
            return None
        moments, *columns, long, details = zip(*rows, strict=True)
        terms = {term for name, numbers in zip(COLUMNS, columns, strict=True) for term in column_terms(name, numbers)}
        named = dict(zip(COLUMNS, columns, strict=True))
        texts = [text.encode("utf-8", "replace") for text in self._name_texts({*named["actor"], *named["action"]})]
        terms |= text_terms([text for text in details if text is not None] + texts)
        if any(long):
            terms |= ANY_TEXT
        return log, stretch, min(moments), max(moments), sketch(terms)

    def misdrawn(self, log: int, first: int, end: int) -> list[int]:
        """Return those of the stretches `first` up to `end` that stand in the table as something else than they are."""
        stored = {row[1]: row for row in self._rows(STORED, log, first, end)}
        return [stretch for stretch in range(first, end) if not self._is_drawn(stored.get(stretch), log, stretch)]

    def has_stray(self, log: int, end: int) -> bool:
        """Tell whether there is a row of none of the stretches up to `end`: its entries would be read twice."""
        return self._row(STRAY, log, end) is not None

    def _is_drawn(self, stored: Row | None, log: int, stretch: int) -> bool:
        try:
            return stored == self.drawn(log, stretch)
        except TypeError:  # a column was made something else by force
            return False

    def _name_texts(self, numbers: Iterable[int]) -> list[str]:
        return [text for number in numbers if (text := self._names.text(number)) is not None]


class StretchWriter(StretchReader):
    """Keeps the sketches, in the transaction that changes the log."""

    def draw_completed(self, log: int, before: int, after: int) -> None:
        """Draw what has become complete as the log grew from one size to another."""
        for stretch in range(complete(before), complete(after)):
            self._draw(log, stretch)

    def draw_pruned(self, log: int, before: int) -> None:
        """Draw anew what may have lost entries that are older than a moment (microseconds): nothing shows them then."""
        stretches = self._rows("SELECT stretch FROM log_stretches WHERE log = ? AND first_ts < ?", log, before)
        for (stretch,) in stretches:
            self._draw(log, stretch)

    def _draw(self, log: int, stretch: int) -> None:
        row = self.drawn(log, stretch)
        if row is None:
            self._change(FORGET, log, stretch)
        else:
            self._change(STORE, *row)


class StretchUpgrade(StretchWriter):
    """Draws what was written before there were sketches, inside the transaction of the migrations."""

    def run(self) -> None:
        """Draw every complete stretch of every log."""
        for log, size in self._rows("SELECT log, size FROM logs"):
            self.draw_completed(log, 0, size)
