"""Why a row of an imported log was not taken, for the person who can mend the file or ask for another export."""

from __future__ import annotations

from collections.abc import Mapping

from chekt_mcp.domain.audit import Kind
from chekt_mcp.domain.imported_value import RowCode
from chekt_mcp.operations.audit.log_file.row import MAX_ROW, FileCode, RowProblem

SENTENCES: Mapping[str, str] = {
    RowCode.MISSING_FIELD: "The field is absent or empty, and without it a row says nothing that can be looked up.",
    RowCode.NAIVE_TIME: "The time has no offset from UTC, and none is guessed: write 2026-06-30T23:59:00Z.",
    RowCode.AMBIGUOUS_TIME: "A clock was set then: the zone has that time twice or not at all, and none is guessed.",
    RowCode.PAST_RETENTION: "It is older than your plan keeps: place a legal hold first, or set the enterprise plan.",
    RowCode.BAD_TIME: "This is no time since 1970: write RFC 3339 (2026-06-30T23:59:00Z) or unix seconds.",
    RowCode.FUTURE_TIME: "The time is more than a day ahead of this machine's clock: one of the two is wrong.",
    RowCode.BAD_RESULT: "The result is none that is known: write ok, denied, error or an HTTP status (200 to 599).",
    RowCode.BAD_KIND: f"The kind is none that is known: write {', '.join(Kind)}, or leave it out.",
    RowCode.BAD_ADDRESS: "This is no IP address: write it alone, without port or network.",
    RowCode.NOT_TEXT: "The value is neither text nor a number of usual size.",
    RowCode.NUL_CHARACTER: "It holds a NUL character, which no text has: the export is damaged.",
    FileCode.BAD_CSV: "The row is not CSV: a quotation mark that was opened is not closed, or stands within a value.",
    FileCode.WRONG_WIDTH: "The row has more or fewer values than the header has names.",
    FileCode.ROW_TOO_LONG: f"The row is longer than {MAX_ROW:,} bytes.",
    FileCode.BAD_ENCODING: "The row is not UTF-8: export the log in that encoding.",
    FileCode.BAD_JSON: "The row is not JSON.",
    FileCode.NOT_AN_OBJECT: "The row is JSON, but not an object of names and values.",
    FileCode.TRUNCATED: "The file ends in the middle of a row: copy or export it again.",
    FileCode.BROKEN_FILE: "The file breaks off or is damaged here, and what was whole before was read: copy it again.",
    FileCode.TRAILING_DATA: "Something follows after the end of the list of entries; it was not read.",
}
"""What each code means and what to do; a field, where there is one, is named beside it."""


def problem_words(problem: RowProblem) -> str:
    """Return where, which code and field, and what that means; nothing of what the row holds."""
    field = f" (field {problem.field})" if problem.field else ""
    return f"line {problem.line}: {problem.code}{field}. {SENTENCES[problem.code]}"
