"""The app a call or a command is about, read from storage."""

from __future__ import annotations

from chekt_mcp.domain.app import App
from chekt_mcp.errors import NotFound
from chekt_mcp.storage.interface import Reader


async def known_app(reader: Reader, dealer: str, name: str) -> App:
    """Return the app.

    Raises:
        NotFound: as `unknown_app`; to a caller, whose grant named it: it was removed between the gate and now.
    """
    app = await reader.app(dealer, name)
    if app is None:
        raise unknown_app()
    return app


def unknown_app() -> NotFound:
    """Return the refusal of a name that no app of the dealer has, code `unknown_app`."""
    return NotFound(
        "This dealer has no app of that name.",
        field="app",
        code="unknown_app",
        fix="`chekt-mcp app list` shows its apps; another dealer's are named with --dealer.",
    )
