"""`chekt-mcp app adopt`: take in an app that exists at CHeKT, or what changed there."""

from __future__ import annotations

from pathlib import Path

from chekt_mcp.cli.app.adopted import values_of
from chekt_mcp.cli.arguments import Parser, add_app_settings, add_passphrase
from chekt_mcp.cli.client_configuration import client_configuration
from chekt_mcp.cli.command import Command, Session, carry_out, opened
from chekt_mcp.cli.new_app import plan_of
from chekt_mcp.cli.passphrase import authorise, first_approver, new_passphrase
from chekt_mcp.domain.app import Environment, check_name
from chekt_mcp.domain.timespan import rfc3339
from chekt_mcp.errors import InvalidInput
from chekt_mcp.operations.apps.adopt_app import Adoption
from chekt_mcp.operations.apps.adopted_values import AdoptedValues
from chekt_mcp.operations.apps.app_plan import AppRows
from chekt_mcp.operations.apps.readopt_app import Readopted, Readoption, Replaced

ORDER = (
    "Without a source every value is asked for at the terminal. From standard input come, in this order and each on a "
    "line: the passphrase, the key, the signing secret, then the allow list to the end. No value is ever an argument."
)


def configure(parser: Parser) -> None:
    """Describe the arguments."""
    parser.epilog = ORDER
    parser.add_argument("app", metavar="NAME", help="name of the app, as you want to type it to confirm changes")
    parser.add_argument("--replace", action="store_true", help="the app is known here: take in its new key or list")
    add_sources(parser)
    add_app_settings(parser)
    add_passphrase(parser)
    parser.set_defaults(credentials_only=False)


def add_sources(parser: Parser) -> None:
    """Add where the values come from."""
    for name, what in (("key", "API key"), ("signing-secret", "webhook signing secret")):
        source = parser.add_mutually_exclusive_group()
        source.add_argument(f"--{name}-file", metavar="FILE", help=f"file that holds the {what} (0600)")
        source.add_argument(f"--{name}-stdin", action="store_true", help=f"read the {what} from standard input")
    parser.add_argument(
        "--key-id", metavar="ID", help="CHeKT's id of that API key, as its audit log names it: links the two"
    )
    parser.add_argument(
        "--revoke-previous", action="store_true", help="what it replaces opens nothing here any more: no 24 hours"
    )


def run(command: Command) -> int:
    """Adopt, and say what was stored and what cannot be known."""
    carry_out(_adopt(command))
    return 0


async def _adopt(command: Command) -> None:
    name = check_name(command.args.app)
    if command.args.revoke_previous and not command.args.replace:
        raise InvalidInput(
            "A first adoption replaces nothing.", code="nothing_to_revoke", fix="Leave --revoke-previous out."
        )
    async with opened(command) as session:
        await session.recover()
        dealer = await session.dealer()
        known = await authorise(session, dealer, name)
        text = None if known else new_passphrase(command, needed=False)
        values = values_of(command)
        if command.args.replace:
            await _replace(session, dealer, values)
        else:
            environment = values.environment() or Environment.TEST
            if not known and text is None:
                text = new_passphrase(command, needed=environment is Environment.LIVE)
            await _take_in(session, dealer, values, environment, text)
        for advice in values.advice():
            session.terminal.note(f"note: {advice}")


async def _take_in(
    session: Session, dealer: str, values: AdoptedValues, environment: Environment, passphrase: str | None
) -> None:
    plan = plan_of(session.command, dealer, environment, values.allow_list)
    approver = first_approver(session, dealer, passphrase)
    rows = await Adoption(session.services, session.operator, plan, values, approver).run()
    _report(session, rows)


async def _replace(session: Session, dealer: str, values: AdoptedValues) -> None:
    _refuse_settings(session.command)
    args = session.command.args
    readoption = Readoption(session.services, session.operator, dealer, args.app, values, args.revoke_previous)
    result = await readoption.run()
    for line in _news(result):
        session.terminal.say(line)


def _refuse_settings(command: Command) -> None:
    args = command.args
    if args.covers or args.confirm or args.scopes is not None:
        raise InvalidInput(
            "--replace changes credentials and list only.",
            code="not_with_replace",
            fix="Use `chekt-mcp app scopes` or `chekt-mcp app confirm`.",
        )


def _news(result: Readopted) -> list[str]:
    lines = [_replaced(one) for one in result.replaced]
    if result.allow_list_version is not None:
        lines.append(f"Allow list: version {result.allow_list_version} is what checks here use from now on.")
    return lines or ["All of that was known already; nothing was changed."]


def _replaced(one: Replaced) -> str:
    line = f"{one.kind}: {one.fingerprint} is the current one now."
    if one.revoked:
        return (
            f"{line} The one before opens nothing here any more; click Revoke previous in the portal if you have not."
        )
    if one.previous_valid_until is None:
        return line
    until = rfc3339(one.previous_valid_until)
    return f"{line} The one before counts as valid here until {until}; CHeKT ends it when it ends it there."


def _report(session: Session, rows: AppRows) -> None:
    say, app, command = session.terminal.say, rows.app, session.command
    say(f"Adopted app {app.name} ({app.environment}) of dealer {app.dealer}; CHeKT stays in charge of it.")
    for one in rows.keys:
        say(f"{one.key.kind}: {one.key.fingerprint}, kept {'as a hash' if one.value_hash else 'sealed'}")
    say(f"allow list: {'version 1' if rows.allow_list else 'none given; checks will say that the layer is off'}")
    if command.args.key_file is None:
        say("To let a client act as this app, put its key alone into a 0600 file and set CHEKT_API_KEY_FILE to it.")
    else:
        key_file = Path(command.args.key_file).expanduser().absolute()
        say("Configuration for a client that is to act as this app:")
        say(client_configuration(session.settings, key_file, command.program, command.environ))
