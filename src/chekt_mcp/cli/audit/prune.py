"""`chekt-mcp audit prune`: remove what is older than the dealer's plan keeps; a person does it, and it is logged."""

from __future__ import annotations

import asyncio

from chekt_mcp.cli.arguments import Parser, add_passphrase
from chekt_mcp.cli.audit.confirmed import confirmed
from chekt_mcp.cli.audit.progress_bar import ProgressBar
from chekt_mcp.cli.audit.retention_words import due_words, hold_words
from chekt_mcp.cli.command import Command, Session, carry_out, opened
from chekt_mcp.domain.wording import counted
from chekt_mcp.errors import Conflict
from chekt_mcp.operations.audit.import_tally import ImportProgress
from chekt_mcp.operations.audit.prune_audit import prune_log
from chekt_mcp.operations.audit.retention import Retention, retention

TURN = 0.02
"""Seconds between two batches: other processes look for the lock every millisecond, and get it then."""


def configure(parser: Parser) -> None:
    """Describe the arguments."""
    parser.add_argument("--dry-run", action="store_true", help="say what would go, by app, and remove nothing")
    add_passphrase(parser)


def run(command: Command) -> int:
    """Say what is too old, and remove it once a person has confirmed it."""
    carry_out(_prune(command))
    return 0


async def _prune(command: Command) -> None:
    async with opened(command) as session:
        dealer = await session.dealer()
        found = await retention(session.services, dealer)
        session.terminal.say(f"The log of {dealer} is kept {found.kept_days:,} days (plan {found.plan}).")
        for line in (*due_words(found), *hold_words(found.hold)):
            session.terminal.say(line)
        if command.args.dry_run:
            session.terminal.say("Nothing was removed.")
        elif found.hold is not None:
            raise Conflict("A legal hold stops every prune.", code="legal_hold", fix="Nothing was removed.")
        elif found.entries:
            session.terminal.say("What is removed cannot be brought back; the tree's hashes of it stay.")
            await confirmed(session, dealer, "remove it", "Nothing was removed.")
            await _remove(session, dealer, found)


async def _remove(session: Session, dealer: str, found: Retention) -> None:
    with ProgressBar() as bar:

        async def told(gone: int) -> None:
            bar.show(ImportProgress(gone, max(gone, found.entries), gone, 0, 0))
            await asyncio.sleep(TURN)

        gone = await prune_log(session.services, session.operator, dealer, told)
    session.terminal.say(f"Removed {counted(gone, 'entry', 'entries')}. What remains still verifies, and the log says")
    session.terminal.say("who removed what (action audit.prune).")
