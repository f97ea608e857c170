"""The apps whose entries a command is about."""

from __future__ import annotations

from chekt_mcp.cli.command import Session
from chekt_mcp.errors import NotFound


async def chosen_apps(session: Session, dealer: str, named: list[str] | None) -> tuple[str, ...]:
    """Return the apps named, of which there must be an app or entries; else every app of the dealer.

    Raises:
        NotFound: code `unknown_app`.
    """
    storage = session.services.storage
    known = tuple(app.name for app in await storage.read(lambda reader: reader.apps(dealer)))
    if not named:
        return known
    for name in set(named) - set(known):
        extent = await storage.read(lambda reader, app=name: reader.log_extent(dealer, [app]))  # type: ignore[misc]  # a default binds it now
        if not extent.entries:
            raise NotFound("This dealer has no app of that name.", field="app", code="unknown_app")
    return tuple(dict.fromkeys(named))
