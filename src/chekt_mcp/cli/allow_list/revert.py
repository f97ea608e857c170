"""`chekt-mcp allow-list revert`: an earlier version in force again, as a version of its own."""

from __future__ import annotations

from chekt_mcp.cli.allow_list.chosen import add_app, chosen_app, stored_version, version_number
from chekt_mcp.cli.allow_list.confirmed import change_list
from chekt_mcp.cli.arguments import Parser
from chekt_mcp.cli.command import Command, carry_out, opened


def configure(parser: Parser) -> None:
    """Describe the arguments."""
    parser.add_argument("version", metavar="VERSION", type=version_number, help="the version to go back to")
    add_app(parser)
    parser.add_argument("--reason", metavar="TEXT", default="", help="why; it is kept with the new version")


def run(command: Command) -> int:
    """Ask, and put it in force; a version that was off turns the layer off."""
    return carry_out(_revert(command))


async def _revert(command: Command) -> int:
    number: int = command.args.version
    async with opened(command) as session:
        app = await chosen_app(session)
        version = await stored_version(session, app, number)
        text = version.text if version.enabled else None
        return await change_list(session, app, text, command.args.reason or f"back to version {number}")
