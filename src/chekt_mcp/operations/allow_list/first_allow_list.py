"""An allow list that comes with a new or adopted app: checked whole before it is stored."""

from __future__ import annotations

from chekt_mcp.domain.allow_list import covers_everything
from chekt_mcp.domain.allow_list.version import AllowListVersion
from chekt_mcp.domain.app import App, Authority
from chekt_mcp.errors import InvalidInput
from chekt_mcp.operations.allow_list.proposed_list import proposed_entries


def check_allow_list(text: str, authority: Authority) -> None:
    """Pass when the text can be an app's list. What CHeKT has in force is taken as it is, even if it covers all.

    Raises:
        InvalidInput: see `proposed_entries`; or code `allow_list_covers_everything`, for a list of ours.
    """
    entries = proposed_entries(text, field="allow_list", when_empty="Leave it out: without a list the layer is off.")
    if authority is Authority.LOCAL and covers_everything(entries):
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
