"""A window on JSON text of any length: its values one at a time, and past broken ones by quotes and brackets."""

from __future__ import annotations

import codecs
import re
from typing import BinaryIO

from chekt_mcp.operations.audit.log_file.json_value import DECODER
from chekt_mcp.operations.audit.log_file.row import CHUNK, MAX_ROW, FileCode

BETWEEN = re.compile(r"[\s,:]*")
OUTSIDE_STRING = re.compile(r'["{}\[\],]')
INSIDE_STRING = re.compile(r'["\\\n]')
DEPTH = {"{": 1, "[": 1, "}": -1, "]": -1}


class JsonText:
    """Text that is read as it is used up.

    `line` is the line of the next character, `skipped` the beginning of the last value that was none.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self.line = 1
        self.skipped = ""
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
        self._text = ""
        self._at = 0
        self._passed = 0

    def mark(self) -> str:
        """Go to the next value or bracket and return its first character, "" at the end of the text."""
        while True:
            between = BETWEEN.match(self._text, self._at)
            self._advance(between.end() if between else self._at)
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                return ""

    def take(self) -> str:
        """Return what `mark` returns and go past it."""
        mark = self.mark()
        self._advance(self._at + len(mark))
        return mark

    def value(self) -> object:
        """Return the value that begins here and go past it; a `FileCode` where there is none.

        `truncated` says that the text ended within it; all the rest of the text is then used up.
        """
        while True:
            try:
                found, end = DECODER.raw_decode(self._text, self._at)
            except (ValueError, RecursionError):
                if len(self._text) - self._at > MAX_ROW or not self._more():
                    return self._skip_broken()
            else:
                if end < len(self._text) or not self._more():  # a number may go on behind the window
                    return self._checked(found, end)

    def _checked(self, found: object, end: int) -> object:
        raw = self._text[self._at : end]
        self._advance(end)
        self.skipped = raw
        if len(raw) > MAX_ROW:
            return FileCode.ROW_TOO_LONG
        return found if raw.isascii() or _is_utf8(raw) else FileCode.BAD_ENCODING

    def _skip_broken(self) -> FileCode:
        """Go past a value that cannot be decoded, however long.

        JSON strings hold no line break, so one inside a string shows that the string was never closed: what
        follows is read as values again. Anything else in a string is text, even what looks like a value.
        """
        self.skipped = self._text[self._at : self._at + MAX_ROW]
        depth, quoted, begin = 0, False, self._passed
        while mark := self._find(INSIDE_STRING if quoted else OUTSIDE_STRING):
            if mark == "]" and depth == 0 and self._passed > begin:
                return FileCode.BAD_JSON  # the end of the array that the value stands in
            self._advance(self._at + 1)
            quoted ^= mark == '"'
            depth += DEPTH.get(mark, 0)
            if mark == "\\":
                self._skip_escaped()
            elif mark == "\n" or (depth <= 0 and mark in ",]}"):
                return FileCode.ROW_TOO_LONG if self._passed - begin > MAX_ROW else FileCode.BAD_JSON
        return FileCode.TRUNCATED

    def _skip_escaped(self) -> None:
        if (self._at < len(self._text) or self._more()) and self._text[self._at : self._at + 1] in {'"', "\\"}:
            self._advance(self._at + 1)

    def _find(self, pattern: re.Pattern[str]) -> str:
        while True:
            match = pattern.search(self._text, self._at)
            self._advance(match.start() if match else len(self._text))
            if match:
                return match[0]
            if not self._more():
                return ""

    def _advance(self, to: int) -> None:
        self.line += self._text.count("\n", self._at, to)
        self._passed += to - self._at
        self._at = to

    def _more(self) -> bool:
        chunk = self._stream.read(CHUNK)
        fresh = self._decoder.decode(chunk, final=not chunk)
        self._text = self._text[self._at :] + fresh
        self._at = 0
        return bool(chunk or fresh)


def _is_utf8(raw: str) -> bool:
    """Tell whether the text came from valid UTF-8: a byte that did not is a lone surrogate in it (PEP 383)."""
    try:
        raw.encode()
    except UnicodeEncodeError:
        return False
    return True
