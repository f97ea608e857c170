"""`chekt-mcp app confirm`: who confirms an app's changes."""

from __future__ import annotations

from collections.abc import Callable

from chekt_mcp.cli.arguments import Parser, add_passphrase
from chekt_mcp.cli.command import Command, Session, carry_out, opened
from chekt_mcp.cli.passphrase import authorise
from chekt_mcp.domain.app import BY_A_PERSON, App, ConfirmBy, Environment, check_name
from chekt_mcp.errors import InvalidInput
from chekt_mcp.operations.apps.app_settings import AppSettings

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
        nargs="?",
        choices=[one.value for one in BY_A_PERSON],
        help="client: a form in the assistant's client; out_of_band: a person at a terminal",
    )
    parser.add_argument(
        "--unattended",
        metavar="LIST",
        help="apps whose runbooks change this one without anybody being asked, by commas (test apps only); '' for none",
    )
    add_passphrase(parser)


def run(command: Command) -> int:
    """Set the policy and say what it means."""
    carry_out(_set(command))
    return 0


async def _set(command: Command) -> None:
    name, by, given = check_name(command.args.app), command.args.by, command.args.unattended
    if by is None and given is None:
        raise InvalidInput("Say who confirms: client, out_of_band, or --unattended.", code="nothing_to_set")
    callers = _callers(given) if given is not None else None
    async with opened(command) as session:
        dealer = await session.dealer()
        await authorise(session, dealer, name)
        settings = AppSettings(session.services, session.operator, dealer, name)
        if callers is not None:
            _report_callers(session, await settings.unattended(callers))
        if by is not None:
            app = await settings.confirm(ConfirmBy(by))
            session.terminal.say(f"Changes of {app.name} are now confirmed {MEANING[app.confirm]}.")
            _warn(session.terminal.note, app)


def _callers(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(check_name(name, field="unattended") for name in text.replace(",", " ").split()))


def _report_callers(session: Session, app: App) -> None:
    if app.unattended:
        session.terminal.say(f"{', '.join(app.unattended)} may change {app.name} without anybody being asked.")
        session.terminal.say("What overrides a safeguard still needs a person, and every change is in the audit log.")
    else:
        session.terminal.say(f"Nobody changes {app.name} without a person's confirmation.")


def _warn(note: Callable[[str], None], app: App) -> None:
    if app.environment is Environment.LIVE and app.confirm is ConfirmBy.CLIENT:
        note("warning: this app is live, and a form answered in a client proves a client, not a person.")
