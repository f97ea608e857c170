"""`chekt-mcp allow-list check`: are these addresses on the list, and by which entry."""

from __future__ import annotations

from chekt_mcp.cli.allow_list.chosen import add_app, chosen_app
from chekt_mcp.cli.arguments import DONE, FAILED, Parser
from chekt_mcp.cli.command import Command, carry_out, opened
from chekt_mcp.operations.allow_list.check_address import CheckIp, check_addresses, summary
from chekt_mcp.operations.allow_list.compiled_lists import CompiledLists


def configure(parser: Parser) -> None:
    """Describe the arguments."""
    parser.add_argument("addresses", metavar="ADDRESS", nargs="+", help="IPv4 or IPv6 address")
    add_app(parser)


def run(command: Command) -> int:
    """Print a verdict on each; 0 only when the list lets every one of them in (not when it is off)."""
    result = carry_out(_check(command))
    command.terminal.say(summary(result))
    return DONE if {one["verdict"] for one in result["results"]} == {"allowed"} else FAILED


async def _check(command: Command) -> CheckIp:
    addresses: list[str] = command.args.addresses
    async with opened(command) as session:
        app = await chosen_app(session)
        return await session.services.storage.scan(
            lambda reader: check_addresses(reader, CompiledLists(), app.dealer, app.name, addresses)
        )
