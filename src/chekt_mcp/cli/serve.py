"""`chekt-mcp serve`: the MCP server, for a client to start."""

from __future__ import annotations

from chekt_mcp.cli.arguments import Parser
from chekt_mcp.cli.command import Command
from chekt_mcp.errors import InvalidInput


def configure(_parser: Parser) -> None:
    """Describe the arguments: there are none of its own."""


def run(command: Command) -> int:
    """Serve until the client goes away."""
    from chekt_mcp import stdio  # noqa: PLC0415 -- brings the SDK, which nothing else here needs

    try:
        settings = command.settings()
    except InvalidInput as error:
        stdio.serve_problem(error)
    else:
        stdio.serve_stdio(settings)
    return 0
