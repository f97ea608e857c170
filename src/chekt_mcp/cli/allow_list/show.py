"""`chekt-mcp allow-list show`: the list in force."""

from __future__ import annotations

from chekt_mcp.cli.allow_list.chosen import add_app, call_of, chosen_app
from chekt_mcp.cli.arguments import Parser
from chekt_mcp.cli.command import Command, Session, carry_out, opened
from chekt_mcp.domain.app import App
from chekt_mcp.domain.foreign_text import escaped
from chekt_mcp.operations.allow_list.read_allow_list import get_allow_list, summary

LINE = 2_000
"""Longest line of a list that is shown to a person; a program behind a pipe gets it whole."""


def configure(parser: Parser) -> None:
    """Describe the arguments."""
    add_app(parser)
    parser.add_argument("--text", action="store_true", help="print the text alone, to edit it and `set` it")


def run(command: Command) -> int:
    """Print it."""
    carry_out(_show(command))
    return 0


async def _show(command: Command) -> None:
    async with opened(command) as session:
        app = await chosen_app(session)
        if command.args.text:
            await _print_text(session, app)
            return
        call = call_of(session, app)
        result = await session.services.storage.scan(lambda reader: get_allow_list(reader, call, app.name))
        session.terminal.say(summary(result))


async def _print_text(session: Session, app: App) -> None:
    version = await session.services.storage.read(lambda reader: reader.allow_list(app.dealer, app.name))
    lines = version.text.removesuffix("\n").split("\n") if version else []
    if version is not None and not version.enabled:
        session.terminal.note("note: the layer is off; this is the list that was in force before.")
    for line in lines:
        session.terminal.say(escaped(line, LINE) if session.terminal.interactive else line)
