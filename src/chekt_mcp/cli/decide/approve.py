"""`chekt-mcp approve`: a person reads the stored words, types what is asked, and so allows the change once."""

from __future__ import annotations

from chekt_mcp.cli.arguments import Parser
from chekt_mcp.cli.command import Command, Session, carry_out, opened
from chekt_mcp.cli.decide.stored import decider, described, refused, undecided
from chekt_mcp.cli.passphrase import authorise, require_passphrase_if_live
from chekt_mcp.domain.approval import Approval, Refusal
from chekt_mcp.domain.foreign_text import escaped
from chekt_mcp.domain.timespan import rfc3339
from chekt_mcp.errors import NotPermitted
from chekt_mcp.operations.approvals import decide


def configure(parser: Parser) -> None:
    """Describe the arguments."""
    parser.add_argument("approval", metavar="ID", help="apr_…, as the assistant or `chekt-mcp approvals` names it")


def run(command: Command) -> int:
    """Ask, and approve when everything was answered right."""
    carry_out(_approve(command))
    return 0


async def _approve(command: Command) -> None:
    if not command.terminal.interactive:
        raise NotPermitted(
            "Approving needs a person at a terminal, who reads and types; there is none here.",
            code="terminal_required",
            fix="Open a terminal of your own and run the same command there.",
        )
    async with opened(command) as session:
        approval = await undecided(session, command.args.approval)
        await require_passphrase_if_live(session, approval.dealer, approval.app)
        session.terminal.say(described(approval, session.services.clock()))
        decided = await _decide(session, approval)
        session.terminal.say("Approved. Let the assistant call again with the same arguments.")
        session.terminal.say(f"It counts once, until {rfc3339(decided.expires_at)}.")


async def _decide(session: Session, approval: Approval) -> Approval:
    """Ask until the texts are right or were wrong too often; the passphrase is asked once, before anything counts."""
    authorised = False
    while True:
        answers = {one.field: session.terminal.ask(f"{escaped(one.label)}: ") for one in approval.challenges}
        authorised = authorised or await authorise(session, approval.dealer, approval.app) or True
        decided = await decide(session.services, approval, decider(session), answers, session.operator.request_id)
        if isinstance(decided, Approval):
            return decided
        if decided is not Refusal.WRONG_TEXT:
            raise refused(decided)
        session.terminal.note("That is not what was asked for, character for character. Nothing was approved.")
