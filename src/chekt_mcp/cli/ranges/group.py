"""`chekt-mcp ranges …`: the ranges that providers publish."""

from __future__ import annotations

from chekt_mcp.cli.arguments import Parser
from chekt_mcp.cli.commands import Table, add_commands

ACTIONS: Table = {
    "fetch": ("chekt_mcp.cli.ranges.fetch", "turn a provider's published ranges into allow-list entries"),
}


def configure(parser: Parser) -> None:
    """Describe the actions."""
    add_commands(parser, ACTIONS)
