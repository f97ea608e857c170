"""`chekt-mcp app confirm`: who confirms an app's changes."""

from __future__ import annotations

from collections.abc import Callable

from chekt_mcp.cli.arguments import Parser, add_passphrase
from chekt_mcp.cli.command import Command, carry_out, opened
from chekt_mcp.cli.passphrase import authorise
from chekt_mcp.domain.app import App, ConfirmBy, Environment, check_name
from chekt_mcp.operations.app_settings import AppSettings

MEANING = {
    ConfirmBy.CLIENT: "by a form in the assistant's own client",
    ConfirmBy.OUT_OF_BAND: "by a person who runs `chekt-mcp approve` at a terminal",
}


def configure(parser: Parser) -> None:
    """Describe the arguments."""
    parser.add_argument("app", metavar="NAME", help="name of the app")
    parser.add_argument(
        "by",
        metavar="BY",
        choices=[one.value for one in ConfirmBy],
        help="client: a form in the assistant's client; out_of_band: a person at a terminal",
    )
    add_passphrase(parser)


def run(command: Command) -> int:
    """Set the policy and say what it means."""
    carry_out(_set(command))
    return 0


async def _set(command: Command) -> None:
    name, by = check_name(command.args.app), ConfirmBy(command.args.by)
    async with opened(command) as session:
        dealer = await session.dealer()
        await authorise(session, dealer, name)
        app = await AppSettings(session.services, session.operator, dealer, name).confirm(by)
        session.terminal.say(f"Changes of {app.name} are now confirmed {MEANING[app.confirm]}.")
        _warn(session.terminal.note, app)


def _warn(note: Callable[[str], None], app: App) -> None:
    if app.environment is Environment.LIVE and app.confirm is ConfirmBy.CLIENT:
        note("warning: this app is live, and a form answered in a client proves a client, not a person.")
