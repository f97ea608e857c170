"""`chekt-mcp audit hold show`: whether there is a hold, whose and why."""

from __future__ import annotations

from chekt_mcp.cli.arguments import Parser
from chekt_mcp.cli.audit.retention_words import hold_words
from chekt_mcp.cli.command import Command, carry_out, opened
from chekt_mcp.storage.interface import Reader
from chekt_mcp.storage.records import LegalHold


def configure(_parser: Parser) -> None:
    """Describe the arguments: there are none of its own."""


def run(command: Command) -> int:
    """Print it."""
    carry_out(_show(command))
    return 0


async def _show(command: Command) -> None:
    async with opened(command) as session:
        dealers = await session.dealers()

        async def work(reader: Reader) -> dict[str, LegalHold | None]:
            return {dealer: await reader.legal_hold(dealer) for dealer in dealers}

        for dealer, hold in (await session.services.storage.read(work)).items():
            words = hold_words(hold) or ["No legal hold: what is older than is kept may be pruned."]
            session.terminal.say(f"{dealer}: {words[0]}")
