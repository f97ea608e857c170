"""`chekt-mcp partner list`."""

from __future__ import annotations

from chekt_mcp.cli.arguments import Parser
from chekt_mcp.cli.command import Command, carry_out, opened
from chekt_mcp.cli.table import table
from chekt_mcp.operations.partners import Partners

HEADINGS = ("DEALER", "PARTNER", "APPS", "ISSUER", "KEYS AT", "SCOPES")


def configure(_parser: Parser) -> None:
    """Describe the arguments: there are none of its own."""


def run(command: Command) -> int:
    """Print one line for each partner."""
    carry_out(_list(command))
    return 0


async def _list(command: Command) -> None:
    async with opened(command) as session:
        found = [
            partner
            for dealer in await session.dealers()
            for partner in await Partners(session.services, session.operator, dealer).all()
        ]
        rows = [
            (one.dealer, one.name, ",".join(one.apps), one.issuer, one.jwks, " ".join(sorted(one.scopes)))
            for one in found
        ]
        session.terminal.say(table(HEADINGS, rows) if rows else "There is no partner.")
