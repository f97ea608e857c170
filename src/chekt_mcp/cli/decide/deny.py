"""`chekt-mcp deny`: refuse what an assistant asked for."""

from __future__ import annotations

from chekt_mcp.cli.arguments import Parser, add_passphrase
from chekt_mcp.cli.command import Command, carry_out, opened
from chekt_mcp.cli.decide.stored import decider, refused, undecided
from chekt_mcp.cli.passphrase import authorise
from chekt_mcp.domain.approval import Refusal
from chekt_mcp.operations.approvals import decide


def configure(parser: Parser) -> None:
    """Describe the arguments."""
    parser.add_argument("approval", metavar="ID", help="apr_…, as the assistant or `chekt-mcp approvals` names it")
    add_passphrase(parser)


def run(command: Command) -> int:
    """Deny it."""
    carry_out(_deny(command))
    return 0


async def _deny(command: Command) -> None:
    async with opened(command) as session:
        approval = await undecided(session, command.args.approval)
        await authorise(session, approval.dealer, approval.app)
        decided = await decide(session.services, approval, decider(session), None, session.operator.request_id)
        if isinstance(decided, Refusal):
            raise refused(decided)
        session.terminal.say(f"Denied. {approval.tool} of {approval.app} will not be carried out.")
