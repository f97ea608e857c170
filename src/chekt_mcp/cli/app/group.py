"""`chekt-mcp app …`: the apps of a dealer."""

from __future__ import annotations

from chekt_mcp.cli.arguments import Parser
from chekt_mcp.cli.commands import Table, add_commands

ACTIONS: Table = {
    "add": ("chekt_mcp.cli.app.add", "create an app and issue its API key and signing secret"),
    "list": ("chekt_mcp.cli.app.listing", "list apps with their key fingerprints"),
    "show": ("chekt_mcp.cli.app.show", "show one app: scopes, keys, allow list"),
    "adopt": ("chekt_mcp.cli.app.adopt", "take in an app that exists at CHeKT, so that checks here are true"),
    "scopes": ("chekt_mcp.cli.app.scopes", "change what an app may do"),
    "http": ("chekt_mcp.cli.app.over_http", "set how often an app's callers may call over HTTP"),
    "confirm": ("chekt_mcp.cli.app.confirm", "choose who confirms an app's changes"),
}


def configure(parser: Parser) -> None:
    """Describe the actions."""
    add_commands(parser, ACTIONS)
