"""`chekt-mcp audit retention`: how long the log is kept, by the dealer's plan, and what of it may go."""

from __future__ import annotations

from chekt_mcp.cli.arguments import Parser, add_passphrase
from chekt_mcp.cli.audit.retention_words import due_words, hold_words
from chekt_mcp.cli.command import Command, carry_out, opened
from chekt_mcp.cli.passphrase import authorise
from chekt_mcp.domain.retention import Plan
from chekt_mcp.operations.audit.retention import retention, set_plan


def configure(parser: Parser) -> None:
    """Describe the arguments."""
    parser.add_argument(
        "--plan",
        choices=[one.value for one in Plan],
        help="set the plan that the dealer has with CHeKT: standard keeps 365 days, enterprise 2,557 (7 years)",
    )
    add_passphrase(parser)


def run(command: Command) -> int:
    """Set the plan if one is named, and print what is kept."""
    carry_out(_retention(command))
    return 0


async def _retention(command: Command) -> None:
    async with opened(command) as session:
        dealer = await session.dealer()
        if command.args.plan is not None:
            await authorise(session, dealer, None)
            await set_plan(session.services, session.operator, dealer, Plan(command.args.plan))
        found = await retention(session.services, dealer)
        session.terminal.say(f"The log of {dealer} is kept {found.kept_days:,} days (plan {found.plan}).")
        for line in (*due_words(found), *hold_words(found.hold)):
            session.terminal.say(line)
