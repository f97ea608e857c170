"""`chekt-mcp keys …`: what a person does about keys; issuing new ones is `rotate_key`."""

from __future__ import annotations

from chekt_mcp.cli.arguments import Parser
from chekt_mcp.cli.commands import Table, add_commands

ACTIONS: Table = {
    "adopt": ("chekt_mcp.cli.keys.adopt", "take in the new key or secret of an app that was rotated in CHeKT's portal"),
    "deliver": ("chekt_mcp.cli.keys.deliver", "deliver a key again of which nobody knows whether it arrived"),
    "discard": ("chekt_mcp.cli.keys.discard", "give up a rotation of which nobody knows whether its key arrived"),
    "reveal": ("chekt_mcp.cli.keys.reveal", "show a new key that got lost: once, before its first use, within an hour"),
    "gone": ("chekt_mcp.cli.keys.gone", "say that a source of calls is gone for good, and needs no new key"),
    "identify": ("chekt_mcp.cli.keys.identify", "say whose key was found somewhere, and whether it is still good"),
}


def configure(parser: Parser) -> None:
    """Describe the actions."""
    add_commands(parser, ACTIONS)
