"""`chekt-mcp audit hold …`: a legal hold keeps everything in a log, however old."""

from __future__ import annotations

from chekt_mcp.cli.arguments import Parser
from chekt_mcp.cli.commands import Table, add_commands

ACTIONS: Table = {
    "set": ("chekt_mcp.cli.audit.hold.place", "place a hold, or give the one that there is another reason"),
    "clear": ("chekt_mcp.cli.audit.hold.clear", "end the hold: what is too old may go again"),
    "show": ("chekt_mcp.cli.audit.hold.show", "say whether there is a hold, whose and why"),
}


def configure(parser: Parser) -> None:
    """Describe the actions."""
    add_commands(parser, ACTIONS)
