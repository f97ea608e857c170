"""The entries of a list that was put in force once: it was checked then, so what cannot be read now is damaged."""

from __future__ import annotations

from chekt_mcp.domain.allow_list import Entry, parse
from chekt_mcp.domain.allow_list.version import AllowListVersion
from chekt_mcp.errors import Unavailable


def stored_entries(version: AllowListVersion | None) -> tuple[Entry, ...]:
    """Return the entries of a stored version, also of one that is turned off; none where there is no version.

    Raises:
        Unavailable: code `allow_list_unreadable`.
    """
    if version is None:
        return ()
    parsed = parse(version.text)
    if not parsed.ok:
        raise Unavailable(
            "The stored allow list cannot be read, so nothing can be said of it.",
            code="allow_list_unreadable",
            fix="Put a correct list in force with update_allow_list or in the dealer portal.",
        )
    return parsed.entries
