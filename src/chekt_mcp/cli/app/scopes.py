"""`chekt-mcp app scopes`: what an app may do."""

from __future__ import annotations

from chekt_mcp.cli.arguments import Parser, add_passphrase
from chekt_mcp.cli.command import Command, carry_out, opened
from chekt_mcp.cli.passphrase import authorise
from chekt_mcp.domain.app import check_name
from chekt_mcp.domain.scope import Scope, parse_scopes
from chekt_mcp.errors import InvalidInput
from chekt_mcp.operations.apps.app_settings import AppSettings


def configure(parser: Parser) -> None:
    """Describe the arguments."""
    parser.add_argument("app", metavar="NAME", help="name of the app")
    parser.add_argument("--add", metavar="LIST", help="scopes to grant, by commas")
    parser.add_argument("--remove", metavar="LIST", help="scopes to take away, by commas")
    add_passphrase(parser)


def run(command: Command) -> int:
    """Change the scopes and say what they are now."""
    carry_out(_change(command))
    return 0


async def _change(command: Command) -> None:
    args, name = command.args, check_name(command.args.app)
    add, remove = _scopes(args.add), _scopes(args.remove)
    if not add | remove or add & remove:
        raise InvalidInput("Say which scopes to --add, which to --remove, and none in both.", code="no_scopes_named")
    async with opened(command) as session:
        dealer = await session.dealer()
        await authorise(session, dealer, name)
        app = await AppSettings(session.services, session.operator, dealer, name).scopes(add, remove)
        session.terminal.say(f"{app.name} now holds: {' '.join(sorted(app.scopes)) or 'no scope'}.")
        session.terminal.say("It counts from the next call on; clients show other tools after a restart.")


def _scopes(given: str | None) -> frozenset[Scope]:
    return parse_scopes(given) if given is not None else frozenset()
