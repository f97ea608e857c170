"""`chekt-mcp webhook …`: deliveries sent, and deliveries received."""

from __future__ import annotations

from chekt_mcp.cli.arguments import Parser
from chekt_mcp.cli.commands import Table, add_commands

ACTIONS: Table = {
    "send": ("chekt_mcp.cli.webhook.send", "try a receiver with a made-up event, signed by a test app"),
    "receive": ("chekt_mcp.cli.webhook_receive", "receive the deliveries of an app and hand each event on"),
    "verify": ("chekt_mcp.cli.webhook.verify", "say whether a saved delivery is genuine, and if not, why"),
}


def configure(parser: Parser) -> None:
    """Describe the actions."""
    add_commands(parser, ACTIONS)
