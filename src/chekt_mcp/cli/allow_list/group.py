"""`chekt-mcp allow-list …`: an app's IP allow list."""

from __future__ import annotations

from chekt_mcp.cli.arguments import Parser
from chekt_mcp.cli.commands import Table, add_commands

ACTIONS: Table = {
    "show": ("chekt_mcp.cli.allow_list.show", "show the list in force, with findings and steady sources off it"),
    "check": ("chekt_mcp.cli.allow_list.check", "say whether addresses are on the list; 0 when all of them are"),
    "history": ("chekt_mcp.cli.allow_list.history", "list the versions: since when, by whom and why"),
    "diff": ("chekt_mcp.cli.allow_list.compare", "show what changed from one version to another"),
    "set": ("chekt_mcp.cli.allow_list.set_list", "put a new list in force, once you have confirmed it"),
    "revert": ("chekt_mcp.cli.allow_list.revert", "put an earlier version in force again, once you have confirmed it"),
}


def configure(parser: Parser) -> None:
    """Describe the actions."""
    add_commands(parser, ACTIONS)
