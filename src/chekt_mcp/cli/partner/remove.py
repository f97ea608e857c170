"""`chekt-mcp partner remove`: take a partner's access away."""

from __future__ import annotations

from chekt_mcp.cli.arguments import Parser
from chekt_mcp.cli.command import Command, carry_out, opened
from chekt_mcp.domain.app import check_name
from chekt_mcp.operations.partners import Partners


def configure(parser: Parser) -> None:
    """Describe the arguments."""
    parser.add_argument("partner", metavar="NAME", help="name of the partner")


def run(command: Command) -> int:
    """Forget the partner. No passphrase is asked for: taking access away is never held up."""
    carry_out(_remove(command))
    return 0


async def _remove(command: Command) -> None:
    name = check_name(command.args.partner, field="partner")
    async with opened(command) as session:
        removed = await Partners(session.services, session.operator, await session.dealer()).remove(name)
        session.terminal.say(f"Partner {removed.name} opens nothing any more, from the next call on.")
