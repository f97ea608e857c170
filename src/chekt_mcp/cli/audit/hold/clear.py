"""`chekt-mcp audit hold clear`: what is too old may go again."""

from __future__ import annotations

from chekt_mcp.cli.arguments import Parser, add_passphrase
from chekt_mcp.cli.audit.confirmed import confirmed
from chekt_mcp.cli.command import Command, carry_out, opened
from chekt_mcp.domain.foreign_text import escaped
from chekt_mcp.operations.audit.retention import clear_hold


def configure(parser: Parser) -> None:
    """Describe the arguments."""
    add_passphrase(parser)


def run(command: Command) -> int:
    """End it."""
    carry_out(_clear(command))
    return 0


async def _clear(command: Command) -> None:
    async with opened(command) as session:
        dealer = await session.dealer()
        await confirmed(session, dealer, "end the hold", "The hold stays.")
        hold = await clear_hold(session.services, session.operator, dealer)
        session.terminal.say(f"The hold on the log of {dealer} has ended. It was: {escaped(hold.reason, 500)}")
