"""An allow list that comes with a new or adopted app: checked whole before it is stored."""

from __future__ import annotations

from collections.abc import Sequence

from chekt_mcp.domain.allow_list import ParseError, covers_everything, parse
from chekt_mcp.domain.allow_list.version import AllowListVersion
from chekt_mcp.domain.app import App, Authority
from chekt_mcp.errors import InvalidInput

LISTED = 20


def check_allow_list(text: str, authority: Authority) -> None:
    """Pass when the text can be an app's list. What CHeKT has in force is taken as it is, even if it covers all.

    Raises:
        InvalidInput: code `bad_allow_list` (every error with line and column), `empty_allow_list`, or
            `allow_list_covers_everything` for a list of ours.
    """
    parsed = parse(text)
    if not parsed.ok:
        raise InvalidInput(_all(parsed.errors), field="allow_list", code="bad_allow_list")
    if not parsed.entries:
        raise InvalidInput(
            "The allow list has no entries.",
            field="allow_list",
            code="empty_allow_list",
            fix="Leave it out: without a list the layer is off.",
        )
    if authority is Authority.LOCAL and covers_everything(parsed.entries):
        raise InvalidInput(
            "The allow list covers every address of a family, so it protects nothing.",
            field="allow_list",
            code="allow_list_covers_everything",
            fix="Narrow it, or leave it out and put it in force later with update_allow_list, which a person confirms.",
        )


def first_version(app: App, text: str, by: str) -> AllowListVersion:
    """Return `text` as version 1 of a new app's list, in force from the app's first moment."""
    return AllowListVersion(
        dealer=app.dealer,
        app=app.name,
        version=1,
        enabled=True,
        text=text,
        effective_at=app.created_at,
        set_by=by,
        reason="came with the app",
    )


def _all(errors: Sequence[ParseError]) -> str:
    shown = [f"Line {one.line}, column {one.column}: {one.message}" + _instead(one) for one in errors[:LISTED]]
    more = [f"And {len(errors) - LISTED} more errors."] if len(errors) > LISTED else []
    return "\n".join(["The allow list cannot be read.", *shown, *more])


def _instead(error: ParseError) -> str:
    return f" Write {error.suggestion}." if error.suggestion else ""
