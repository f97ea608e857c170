"""`chekt-mcp partner …`: the partners of a dealer."""

from __future__ import annotations

from chekt_mcp.cli.arguments import Parser
from chekt_mcp.cli.commands import Table, add_commands

ACTIONS: Table = {
    "add": ("chekt_mcp.cli.partner.add", "let a partner's services sign for apps with keys of their own"),
    "list": ("chekt_mcp.cli.partner.listing", "list partners with what they may do"),
    "remove": ("chekt_mcp.cli.partner.remove", "take a partner's access away, at once"),
}


def configure(parser: Parser) -> None:
    """Describe the actions."""
    add_commands(parser, ACTIONS)
