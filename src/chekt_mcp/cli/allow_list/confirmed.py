"""A change of a list by the person at the terminal: the same words, texts to type and passphrase as for an approver."""

from __future__ import annotations

from collections.abc import Mapping

from chekt_mcp.cli.allow_list.chosen import call_of
from chekt_mcp.cli.arguments import DONE, FAILED
from chekt_mcp.cli.command import Session
from chekt_mcp.cli.decide.stored import framed, refused
from chekt_mcp.cli.passphrase import TRIES, authorise, require_passphrase_if_live
from chekt_mcp.domain.app import App
from chekt_mcp.domain.approval import Approval, Intent, Refusal, answers_match
from chekt_mcp.domain.foreign_text import escaped
from chekt_mcp.errors import InvalidInput, NotPermitted
from chekt_mcp.operations.allow_list.change_allow_list import ChangeList
from chekt_mcp.operations.approvals import approve_own
from chekt_mcp.operations.change import Outcome, Request

REASON_LIMIT = 500


async def change_list(session: Session, app: App, text: str | None, reason: str) -> int:
    """Put `text` in force (None: turn the layer off) once it is confirmed here; return the exit code.

    Raises:
        InvalidInput: the text is no list, or code `too_long` for the reason.
        NotPermitted: there is no person at a terminal, or what they typed was not what was asked for.
    """
    if len(reason) > REASON_LIMIT:
        raise InvalidInput(f"A reason has at most {REASON_LIMIT} characters.", field="reason", code="too_long")
    call = call_of(session, app)
    request = Request(call, "allow-list", app.name, {"entries": text, "reason": reason})
    change = ChangeList(session.services, request, text, reason)
    proposal = await change.propose()
    if not isinstance(proposal, Intent):
        return _report(session, proposal)
    return _report(session, await change.apply(await _confirmed(session, change, proposal)))


async def _confirmed(session: Session, change: ChangeList, intent: Intent) -> Approval:
    if not session.terminal.interactive:
        raise NotPermitted(
            "Changing an allow list needs a person at a terminal, who reads and types; there is none here.",
            code="terminal_required",
            fix="Open a terminal of your own and run the same command there.",
        )
    await require_passphrase_if_live(session, intent.dealer, intent.app)
    session.terminal.say(framed(intent.words))
    answers = _answers(session, intent)
    await authorise(session, intent.dealer, intent.app)
    approved = await approve_own(session.services, change.request.call, intent, answers)
    if isinstance(approved, Refusal):
        raise refused(approved)
    return approved


def _answers(session: Session, intent: Intent) -> Mapping[str, str]:
    for _ in range(TRIES):
        answers = {one.field: session.terminal.ask(f"{escaped(one.label)}: ") for one in intent.challenges}
        if answers_match(intent.challenges, answers):
            return answers
        session.terminal.note("That is not what was asked for, character for character.")
    raise NotPermitted("Too many wrong answers.", code="wrong_text", fix="Nothing was changed.")


def _report(session: Session, outcome: Outcome) -> int:
    say, steps = session.terminal.say, outcome.get("steps")
    if outcome["status"] == "refused":
        raise NotPermitted(str(outcome["message"]), code=str(outcome["code"]))
    say(str(outcome["message"]))
    if isinstance(steps, list):
        for number, step in enumerate(steps, 1):
            say(f"{number}. {step}")
        return FAILED
    say(f"Version {outcome['version']}, everywhere by {outcome['effective_by']}.")
    return DONE
