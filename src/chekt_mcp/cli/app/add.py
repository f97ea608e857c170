"""`chekt-mcp app add`: a further app of a dealer."""

from __future__ import annotations

from chekt_mcp.cli import state_directory
from chekt_mcp.cli.arguments import Parser, add_app_settings, add_environment, add_passphrase
from chekt_mcp.cli.client_configuration import client_configuration
from chekt_mcp.cli.command import Command, Session, carry_out, opened
from chekt_mcp.cli.key_files import KeyFiles
from chekt_mcp.cli.new_app import checked_allow_list, plan_of
from chekt_mcp.cli.passphrase import approver_for
from chekt_mcp.domain.api_key import KeyKind
from chekt_mcp.domain.app import Authority, Environment, check_name
from chekt_mcp.operations.apps.app_plan import AppRows
from chekt_mcp.operations.apps.setup import Setup


def configure(parser: Parser) -> None:
    """Describe the arguments."""
    parser.add_argument("app", metavar="NAME", help="name of the new app: a-z, 0-9 and -")
    add_environment(parser)
    add_app_settings(parser)
    add_passphrase(parser)


def run(command: Command) -> int:
    """Create the app and hand its values over."""
    carry_out(_add(command))
    return 0


async def _add(command: Command) -> None:
    name, environment = check_name(command.args.app), Environment(command.args.env)
    async with opened(command) as session:
        await session.recover()
        dealer = await session.dealer()
        approver = await approver_for(session, dealer, name, environment)
        plan = plan_of(command, dealer, environment, checked_allow_list(command, Authority.LOCAL))
        files = KeyFiles(session.terminal, session.settings.secrets_dir)
        with state_directory.exclusive(session.settings.state):
            rows = await Setup(session.services, session.operator, plan, approver).run(files)
        _report(session, rows, files)
        if approver is not None:
            session.terminal.say(
                f"The approver passphrase of {dealer} is set: from now on its changes are made and approved with it."
            )


def _report(session: Session, rows: AppRows, files: KeyFiles) -> None:
    say, app, command = session.terminal.say, rows.app, session.command
    say(f"Created app {app.name} ({app.environment}) of dealer {app.dealer}.")
    if not session.terminal.interactive:
        files.report()
    say("Configuration for a client that is to act as this app:")
    say(client_configuration(session.settings, files.delivered[KeyKind.API_KEY], command.program, command.environ))
