"""The documented text of an allow list: entries separated by commas, lines, or both, and `#` comments.

Lines end in LF or CRLF and in nothing else: a character that some programs take for a line end and others do not
could hide an entry within a comment, so it is an error wherever it stands. One byte order mark at the very start
is skipped. The comment of an entry is the one on its line; failing that the comment lines straight above the
block of lines it stands in (an empty line ends the block).
"""

from __future__ import annotations

import re
from collections.abc import Callable

from chekt_mcp.domain.allow_list.entry import (
    EXCERPT,
    MAX_BYTES,
    MAX_COMMENT,
    MAX_ENTRIES,
    MAX_ERRORS,
    Entry,
    ParseCode,
    ParsedList,
    ParseError,
    Refusal,
)
from chekt_mcp.domain.allow_list.network import read_entry
from chekt_mcp.domain.allow_list.suggest import refuse
from chekt_mcp.domain.foreign_text import escaped

_ODD_BREAK = re.compile("\r(?!\n)|[\0\v\f\x1c-\x1e\x85\u2028\u2029]")
_BLANKS = " \t"
_LINE_BREAK = Refusal(
    ParseCode.HIDDEN_LINE_BREAK,
    "This comment holds a character that some programs take for a line end: what follows it could count as an "
    "entry. Remove it.",
)


def parse(text: str) -> ParsedList:
    """Read a list of up to `MAX_BYTES` and `MAX_ENTRIES`; never raises.

    Beyond a limit nothing is read and the only error says which limit. Otherwise all errors are told at once, up
    to `MAX_ERRORS`; if there are more, a last one with code `more_errors` stands at the first that is not listed.
    """
    if len(text) > MAX_BYTES or len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        return _refused(1, 1, ParseCode.TOO_LARGE, f"The list is larger than {MAX_BYTES:,} bytes. Shorten it.")
    reader = _Reader(has_odd_breaks=_ODD_BREAK.search(text) is not None)
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), 1):
        reader.read_line(number, line.removesuffix("\r"))
        if reader.overflow:
            message = f"The list has more than {MAX_ENTRIES:,} entries. Merge neighbouring addresses into networks."
            return _refused(*reader.overflow, ParseCode.TOO_MANY_ENTRIES, message)
    return reader.result()


def _refused(line: int, column: int, code: ParseCode, message: str) -> ParsedList:
    return ParsedList((), (_error(line, column, "", Refusal(code, message)),))


def _error(line: int, column: int, text: str, why: Refusal) -> ParseError:
    return ParseError(line, column, escaped(text, EXCERPT), why.code, why.message, why.suggestion)


class _Errors:
    """Lists the first `MAX_ERRORS` errors and counts the others, so that a hopeless text stays cheap."""

    __slots__ = ("_beyond", "_first_beyond", "_listed")

    def __init__(self) -> None:
        self._listed: list[ParseError] = []
        self._beyond = 0
        self._first_beyond = (0, 0)

    def add(self, line: int, column: int, text: str, why: Callable[[str], Refusal]) -> None:
        if len(self._listed) < MAX_ERRORS:
            self._listed.append(_error(line, column, text, why(text)))
            return
        if not self._beyond:
            self._first_beyond = (line, column)
        self._beyond += 1

    def all(self) -> tuple[ParseError, ...]:
        if not self._beyond:
            return tuple(self._listed)
        message = f"{self._beyond:,} more errors are not listed. Correct these first."
        return (*self._listed, _error(*self._first_beyond, "", Refusal(ParseCode.MORE_ERRORS, message)))


class _Comments:
    """Knows the comment lines that stand above the line being read."""

    __slots__ = ("_above", "_last_was_comment")

    def __init__(self) -> None:
        self._above: str | None = None
        self._last_was_comment = False

    def line_without_entries(self, comment: str | None) -> None:
        """Take a comment line, or None for an empty line, which ends the block."""
        above = self._above if self._last_was_comment and comment is not None else None
        # Each part is escaped alone: escaping the whole again for every line would cost quadratic time.
        parts = [above, _shown(comment or "")]
        self._above = _cut(" ".join(part for part in parts if part)) or None
        self._last_was_comment = comment is not None

    def of_entries(self, comment: str) -> str | None:
        self._last_was_comment = False
        return _shown(comment) or self._above


class _Reader:
    """Reads line by line; `overflow` is where the first entry beyond the limit stands."""

    __slots__ = ("_comments", "_entries", "_errors", "_has_odd_breaks", "_items", "overflow")

    def __init__(self, *, has_odd_breaks: bool) -> None:
        self.overflow: tuple[int, int] | None = None
        self._items = 0
        self._entries: list[Entry] = []
        self._errors = _Errors()
        self._comments = _Comments()
        self._has_odd_breaks = has_odd_breaks

    def read_line(self, number: int, line: str) -> None:
        body, mark, comment = line.partition("#")
        odd_break = _ODD_BREAK.search(comment) if self._has_odd_breaks else None
        if odd_break:
            self._errors.add(number, len(body) + 2 + odd_break.start(), comment, lambda _: _LINE_BREAK)
        if body.strip(_BLANKS):
            self._read_items(number, body, self._comments.of_entries(comment))
        else:
            self._comments.line_without_entries(comment if mark else None)

    def result(self) -> ParsedList:
        return ParsedList(tuple(self._entries), self._errors.all())

    def _read_items(self, line: int, body: str, comment: str | None) -> None:
        start = 1
        for piece in body.split(","):
            item = piece.strip(_BLANKS)
            if item:
                column = start + len(piece) - len(piece.lstrip(_BLANKS))
                self._read_item(line, column, item, comment)
            start += len(piece) + 1

    def _read_item(self, line: int, column: int, item: str, comment: str | None) -> None:
        self._items += 1
        if self._items > MAX_ENTRIES:
            self.overflow = self.overflow or (line, column)
            return
        entry = read_entry(item, comment, line, column)
        if entry:
            self._entries.append(entry)
        else:
            self._errors.add(line, column, item, refuse)


def _shown(comment: str) -> str | None:
    return escaped(comment.strip(_BLANKS), MAX_COMMENT) or None


def _cut(comment: str) -> str:
    return comment if len(comment) <= MAX_COMMENT else comment[: MAX_COMMENT - 1] + "…"
