"""`chekt-mcp keys adopt`: after a rotation in CHeKT's portal. `app adopt --replace`, for credentials alone."""

from __future__ import annotations

from chekt_mcp.cli.app import adopt
from chekt_mcp.cli.arguments import Parser, add_passphrase
from chekt_mcp.cli.command import Command


def configure(parser: Parser) -> None:
    """Describe the arguments."""
    parser.epilog = adopt.ORDER
    parser.add_argument("app", metavar="NAME", help="name of the app")
    adopt.add_sources(parser)
    add_passphrase(parser)
    parser.set_defaults(replace=True, credentials_only=True, allow_list=None, covers="", confirm=None, scopes=None)


def run(command: Command) -> int:
    """Take the new value in, which starts the 24 hours of the old one here."""
    return adopt.run(command)
