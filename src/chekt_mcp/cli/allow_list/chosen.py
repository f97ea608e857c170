"""Which app's list a command is about, and the versions it names."""

from __future__ import annotations

import argparse

from chekt_mcp.cli.arguments import Parser
from chekt_mcp.cli.command import Session
from chekt_mcp.domain.allow_list.version import AllowListVersion
from chekt_mcp.domain.app import App, check_name
from chekt_mcp.errors import InvalidInput, NotFound
from chekt_mcp.operations.known_app import unknown_app
from chekt_mcp.operations.services import Call

_DIGITS = 9
"""The longest version number looked at."""


def add_app(parser: Parser) -> None:
    """Add the argument that names the app."""
    parser.add_argument("--app", metavar="NAME", help="name of the app (may be left out when the dealer has one app)")


def version_number(text: str) -> int:
    """Read a version number as an argument."""
    if not (text.isascii() and text.isdigit() and 0 < len(text) <= _DIGITS and int(text)):
        raise argparse.ArgumentTypeError("a version is a number from 1, as `allow-list history` shows it")
    return int(text)


async def chosen_app(session: Session) -> App:
    """Return the app that was named, or the dealer's only one.

    Raises:
        InvalidInput: code `app_required`, when there are several and none was named.
        NotFound: code `unknown_app`.
    """
    dealer, named = await session.dealer(), session.command.args.app
    known = {app.name: app for app in await session.services.storage.read(lambda reader: reader.apps(dealer))}
    if named is not None:
        found = known.get(check_name(named))
        if found is None:
            raise unknown_app()
        return found
    if len(known) != 1:
        raise InvalidInput(
            "Say which app's list it is about.",
            field="app",
            code="app_required",
            fix=f"Add --app and one of: {', '.join(known) or 'none yet'}.",
        )
    return next(iter(known.values()))


async def stored_version(session: Session, app: App, number: int) -> AllowListVersion:
    """Return one version of an app's list.

    Raises:
        NotFound: code `unknown_version`.
    """
    found = await session.services.storage.read(lambda reader: reader.allow_list_version(app.dealer, app.name, number))
    if found is None:
        raise NotFound(
            f"The list of {app.name} has no version {number}.",
            code="unknown_version",
            fix="`chekt-mcp allow-list history` lists them.",
        )
    return found


def call_of(session: Session, app: App) -> Call:
    """Return the call by which this operator acts on an app."""
    return session.operator.call(app.dealer, app.name, session.services.clock())
