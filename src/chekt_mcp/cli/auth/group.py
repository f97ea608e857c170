"""`chekt-mcp auth …`: what becomes of a credential over HTTP."""

from __future__ import annotations

from chekt_mcp.cli.arguments import Parser
from chekt_mcp.cli.commands import Table, add_commands

ACTIONS: Table = {
    "check": ("chekt_mcp.cli.auth.check", "say what a credential opens over HTTP, or why it is refused"),
}


def configure(parser: Parser) -> None:
    """Describe the actions."""
    add_commands(parser, ACTIONS)
