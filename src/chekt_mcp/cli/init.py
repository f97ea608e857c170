"""`chekt-mcp init`: from nothing to a state, a dealer and a first app, and what to paste into a client."""

from __future__ import annotations

from chekt_mcp.cli import state_directory
from chekt_mcp.cli.arguments import Parser, add_app_settings, add_environment, add_passphrase
from chekt_mcp.cli.client_configuration import client_configuration
from chekt_mcp.cli.command import Command, Session, carry_out, opened
from chekt_mcp.cli.key_files import KeyFiles
from chekt_mcp.cli.new_app import checked_allow_list, plan_of
from chekt_mcp.cli.passphrase import first_approver, new_passphrase
from chekt_mcp.cli.typed import typed
from chekt_mcp.config import Settings
from chekt_mcp.domain.api_key import KeyKind
from chekt_mcp.domain.app import Authority, Environment
from chekt_mcp.domain.retention import Plan
from chekt_mcp.operations.apps.app_plan import AppPlan, AppRows
from chekt_mcp.operations.apps.setup import Setup

DEALER = "main"


def configure(parser: Parser) -> None:
    """Describe the arguments."""
    parser.epilog = f"The dealer is called {DEALER} unless --dealer names it."
    parser.add_argument("--app", metavar="NAME", required=True, help="name of the first app: a-z, 0-9 and -")
    parser.add_argument(
        "--plan",
        choices=[one.value for one in Plan],
        default=Plan.STANDARD.value,
        help="the dealer's plan with CHeKT: the log is kept 365 days (standard, the default) or 7 years (enterprise)",
    )
    add_environment(parser)
    add_app_settings(parser)
    add_passphrase(parser)


def run(command: Command) -> int:
    """Create everything, or say why nothing was created."""
    carry_out(_init(command))
    return 0


async def _init(command: Command) -> None:
    settings, environment = command.settings(), Environment(command.args.env)
    passphrase = new_passphrase(command, needed=environment is Environment.LIVE)
    plan = plan_of(command, command.dealer or DEALER, environment, checked_allow_list(command, Authority.LOCAL))
    state_directory.create(settings.state)
    with state_directory.exclusive(settings.state):
        async with opened(command, settings, make=True) as session:
            await _create(session, plan, passphrase)


async def _create(session: Session, plan: AppPlan, passphrase: str | None) -> None:
    services = session.services
    dealers = await services.storage.read(lambda reader: reader.dealers())
    state_directory.ensure_key_encryption_key(session.settings, services.random, has_dealers=bool(dealers))
    approver = first_approver(session, plan.dealer, passphrase)
    kept = Plan(session.command.args.plan)
    setup = Setup(services, session.operator, plan, approver, create_dealer=True, dealer_plan=kept)
    files = KeyFiles(session.terminal, session.settings.secrets_dir)
    rows = await setup.run(files)
    _report(session, rows, files)


def _report(session: Session, rows: AppRows, files: KeyFiles) -> None:
    say, app = session.terminal.say, rows.app
    say(f"Created dealer {app.dealer} with app {app.name} ({app.environment}) in {session.settings.state}.")
    if not session.terminal.interactive:
        files.report()
    say()
    say('Client configuration (Claude Desktop, Claude Code, Cursor; in VS Code the first line is "servers"):')
    command = session.command
    say(client_configuration(session.settings, files.delivered[KeyKind.API_KEY], command.program, command.environ))
    say()
    say("Next:")
    say("  1. Paste that into your client's configuration, restart the client, and ask it: who am I?")
    say(f"  2. Bring in CHeKT's audit log: {typed(command, 'audit', 'import', 'FILE')}")
    say(f"  3. Check the whole installation at any time: {typed(command, 'doctor')}")
    say(f"Back up {session.settings.state} whole. {_key_encryption_key(session.settings)}")


def _key_encryption_key(settings: Settings) -> str:
    for name, given in (("CHEKT_MCP_KEK", settings.kek), ("CHEKT_MCP_KEK_COMMAND", settings.kek_command)):
        if given is not None:
            return f"The server needs {name} as this command had it: without it no sealed secret can be opened."
    return f"Without {settings.kek_file.name} in it no sealed secret can be opened."
