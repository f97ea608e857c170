"""`chekt-mcp approvals`: what waits for a person's decision."""

from __future__ import annotations

from datetime import datetime

from chekt_mcp.cli.arguments import Parser
from chekt_mcp.cli.command import Command, carry_out, opened
from chekt_mcp.cli.decide.stored import remaining
from chekt_mcp.cli.table import table
from chekt_mcp.domain.approval import Approval
from chekt_mcp.domain.foreign_text import escaped
from chekt_mcp.operations.approvals import pending
from chekt_mcp.storage.interface import Reader

HEADINGS = ("APPROVAL", "DEALER", "APP", "TOOL", "ASKED BY", "EXPIRES IN", "WHAT")


def configure(_parser: Parser) -> None:
    """Describe the arguments: there are none of its own."""


def run(command: Command) -> int:
    """Print one line for each."""
    carry_out(_list(command))
    return 0


async def _list(command: Command) -> None:
    async with opened(command) as session:
        dealers, now = await session.dealers(), session.services.clock()

        async def work(reader: Reader) -> list[Approval]:
            return [one for dealer in dealers for one in await pending(reader, dealer, now)]

        waiting = await session.services.storage.read(work)
        session.terminal.say(_listed(waiting, now))


def _listed(waiting: list[Approval], now: datetime) -> str:
    if not waiting:
        return "Nothing waits for a decision."
    rows = [
        (one.approval_id, one.dealer, one.app, one.tool, one.requester, remaining(one, now), _first_line(one))
        for one in waiting
    ]
    return table(HEADINGS, rows) + "\n\nRead one in full and decide: chekt-mcp approve ID, or chekt-mcp deny ID"


def _first_line(approval: Approval) -> str:
    return escaped(approval.words.split("\n", 1)[0])
