"""`chekt-mcp audit hold set`: from now on nothing of the log may be pruned."""

from __future__ import annotations

from chekt_mcp.cli.arguments import Parser, add_passphrase
from chekt_mcp.cli.command import Command, carry_out, opened
from chekt_mcp.cli.passphrase import authorise
from chekt_mcp.operations.audit.retention import set_hold


def configure(parser: Parser) -> None:
    """Describe the arguments."""
    parser.add_argument("reason", metavar="REASON", help="why: a case number, who asked for it; it stands in the log")
    add_passphrase(parser)


def run(command: Command) -> int:
    """Place it."""
    carry_out(_set(command))
    return 0


async def _set(command: Command) -> None:
    async with opened(command) as session:
        dealer = await session.dealer()
        await authorise(session, dealer, None)
        await set_hold(session.services, session.operator, dealer, command.args.reason)
        session.terminal.say(f"A legal hold is on the log of {dealer}: nothing of it is pruned until it is cleared.")
