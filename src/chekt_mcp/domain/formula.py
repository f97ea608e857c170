r"""Text that a spreadsheet would run as a formula, made harmless and back again (OWASP, "CSV Injection").

The rule: a cell gets one apostrophe in front when it begins with an apostrophe, a tab or a carriage return, or when
its first character that is not blank or invisible is one of `= + - @` or the minus sign, also as fullwidth or another
compatible form (Unicode NFKC). Reversed: a cell that begins with an apostrophe loses that one. Every text comes back as
it was.
"""

from __future__ import annotations

import re
import unicodedata

from chekt_mcp.domain.foreign_text import ALSO_INVISIBLE

MARK = "'"
STARTS = frozenset("=+-@\u2212")
HARMLESS = re.compile(r"[A-Za-z0-9{\[/_.:<(#]")
"""What nearly every cell begins with: nothing further is looked at."""


def defused(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula."""
    return MARK + cell if _dangerous(cell) else cell


def restored(cell: str) -> str:
    """Reverse `defused`."""
    return cell.removeprefix(MARK)


def _dangerous(cell: str) -> bool:
    if not cell or HARMLESS.match(cell):
        return False
    if cell[0] in "'\t\r":
        return True
    first = next((character for character in cell if not _blank(character)), "")
    return unicodedata.normalize("NFKC", first)[:1] in STARTS


def _blank(character: str) -> bool:
    """Tell what a reader of the cell would not see: spaces, controls, format and filler characters."""
    return character.isspace() or not character.isprintable() or ALSO_INVISIBLE.match(character) is not None
