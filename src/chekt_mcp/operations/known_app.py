"""The app a call is about, read from storage."""

from __future__ import annotations

from chekt_mcp.domain.app import App
from chekt_mcp.errors import NotFound
from chekt_mcp.storage.interface import Reader


async def known_app(reader: Reader, dealer: str, name: str) -> App:
    """Return the app.

    Raises:
        NotFound: code `unknown_app`: it was removed between the gate and now.
    """
    app = await reader.app(dealer, name)
    if app is None:
        raise NotFound("This caller covers no app of that name.", field="app", code="unknown_app")
    return app
