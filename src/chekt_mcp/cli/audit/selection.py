"""Which entries a command is about: window, apps, filters, and the fields of each."""

from __future__ import annotations

import argparse

from chekt_mcp.cli.arguments import Parser
from chekt_mcp.cli.command import Session
from chekt_mcp.domain.log_filter import FILTERS
from chekt_mcp.operations.known_app import unknown_app


def add_selection(parser: Parser, since: str) -> None:
    """Describe the arguments for window (from `since` unless told), apps and filters."""
    parser.add_argument("--since", metavar="TIME", default=since, help=f"RFC 3339, or 15m, 24h, 90d (default: {since})")
    parser.add_argument("--until", metavar="TIME", help="(default: now)")
    parser.add_argument("--app", metavar="NAME", action="append", help="this app only; may be given several times")
    for name in FILTERS:
        parser.add_argument(f"--{name.replace('_', '-')}", dest=name, metavar="VALUE", help=f"{name}: a, or a,b or !a")


def given_filters(args: argparse.Namespace) -> dict[str, str]:
    """Return the filters that were given."""
    return {name: value for name in FILTERS if (value := getattr(args, name)) is not None}


def given_fields(args: argparse.Namespace) -> list[str] | None:
    """Return the fields that were asked for; None: the usual ones."""
    return None if args.fields is None else [field.strip() for field in args.fields.split(",")]


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
            raise unknown_app()
    return tuple(dict.fromkeys(named))
