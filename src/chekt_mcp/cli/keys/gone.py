"""`chekt-mcp keys gone`: a source of calls that will never come back."""

from __future__ import annotations

from chekt_mcp.cli.arguments import Parser, add_passphrase
from chekt_mcp.cli.command import Command, carry_out, opened
from chekt_mcp.cli.passphrase import authorise
from chekt_mcp.domain.app import check_name
from chekt_mcp.operations.keys.gone_sources import GoneSources


def configure(parser: Parser) -> None:
    """Describe the arguments."""
    parser.add_argument("app", metavar="NAME", help="name of the app")
    parser.add_argument("source", metavar="SOURCE", help="address, as the audit log names it")
    parser.add_argument("--undo", action="store_true", help="take it back: the source is not gone")
    add_passphrase(parser)


def run(command: Command) -> int:
    """Keep it, and say what it means."""
    carry_out(_gone(command))
    return 0


async def _gone(command: Command) -> None:
    name, source = check_name(command.args.app), command.args.source
    async with opened(command) as session:
        dealer = await session.dealer()
        await authorise(session, dealer, name)
        sources, say = GoneSources(session.services, session.operator, dealer, name), session.terminal.say
        if command.args.undo:
            known = await sources.remove(source)
            say("It counts as a source again." if known else "Nobody had said that it is gone.")
        else:
            say(f"{await sources.add(source)} is gone, you say: it no longer keeps a key of {name} from being revoked.")
            say("If it calls with the old key again, that key is in use, whatever stands here.")
