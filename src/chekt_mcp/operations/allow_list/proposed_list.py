"""The text of a list that somebody wants in force: its entries, or every error at once."""

from __future__ import annotations

from collections.abc import Sequence

from chekt_mcp.domain.allow_list import Entry, ParseCode, ParseError, parse
from chekt_mcp.errors import InvalidInput

LISTED = 20
"""Errors that a refusal names; `preview_allow_list` gives more."""

EMPTY = "empty_allow_list"
NO_ENTRIES = "The list has no entries."


def proposed_entries(text: str, *, field: str, when_empty: str) -> tuple[Entry, ...]:
    """Return the entries of a list that can be put in force; `when_empty` says what to do instead of an empty one.

    Raises:
        InvalidInput: code `bad_allow_list`, the errors with line, column, code and suggestion; or `empty_allow_list`.
    """
    parsed = parse(text)
    if not parsed.ok:
        raise InvalidInput(_all(parsed.errors), field=field, code="bad_allow_list")
    if not parsed.entries:
        raise InvalidInput(NO_ENTRIES, field=field, code=EMPTY, fix=when_empty)
    return parsed.entries


def _all(errors: Sequence[ParseError]) -> str:
    """Say what is wrong where; nothing of the text itself, which may be anything."""
    lines = [
        f"Line {one.line}, column {one.column}, {one.code}: {one.message}{_instead(one)}" for one in errors[:LISTED]
    ]
    return "\n".join(["The list cannot be read.", *lines, *_more(errors[LISTED:])])


def _instead(error: ParseError) -> str:
    return f" Write {error.suggestion}." if error.suggestion else ""


def _more(errors: Sequence[ParseError]) -> list[str]:
    if not errors:
        return []
    if errors[-1].code is ParseCode.MORE_ERRORS:  # which stands for many
        return [f"And more than {len(errors) - 1} others. Correct these first."]
    return [f"And {len(errors)} more."]
