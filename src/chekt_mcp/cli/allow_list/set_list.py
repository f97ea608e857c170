"""`chekt-mcp allow-list set`: a new list from a file."""

from __future__ import annotations

from pathlib import Path

from chekt_mcp.cli.allow_list.chosen import add_app, chosen_app
from chekt_mcp.cli.allow_list.confirmed import change_list
from chekt_mcp.cli.arguments import Parser
from chekt_mcp.cli.command import Command, carry_out, opened
from chekt_mcp.cli.new_app import read_text
from chekt_mcp.domain.allow_list.entry import MAX_BYTES


def configure(parser: Parser) -> None:
    """Describe the arguments."""
    parser.add_argument("file", metavar="FILE", help="the whole new list: addresses and networks, # comments")
    add_app(parser)
    parser.add_argument("--reason", metavar="TEXT", default="", help="why; it is kept with the version")


def run(command: Command) -> int:
    """Ask, and put it in force."""
    return carry_out(_set(command))


async def _set(command: Command) -> int:
    text = read_text(Path(command.args.file), MAX_BYTES, "file")
    async with opened(command) as session:
        app = await chosen_app(session)
        return await change_list(session, app, text, command.args.reason or "set at the terminal")
