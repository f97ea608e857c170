"""`chekt-mcp webhook verify`: a delivery from files, and the verdict on it. It ends with 0 for `valid` alone."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from chekt_mcp.cli.arguments import DONE, FAILED, Parser
from chekt_mcp.cli.command import Command, carry_out, opened
from chekt_mcp.cli.new_app import read_bytes
from chekt_mcp.domain.app import check_name
from chekt_mcp.domain.timespan import parse_moment
from chekt_mcp.domain.webhook import MAX_BODY_BYTES, Verdict
from chekt_mcp.domain.webhook.saved import MOST_HEAD_BYTES, SavedDelivery, read_dump, read_headers
from chekt_mcp.domain.wording import counted
from chekt_mcp.errors import InvalidInput
from chekt_mcp.operations.webhook.verify_delivery import Delivery, VerifyWebhook
from chekt_mcp.operations.webhook.verify_saved import SavedDeliveryCheck

ENOUGH = MAX_BODY_BYTES + 1
"""Bytes of a body that are read: with one more than a body may have, the verdict says that it is too large."""


def configure(parser: Parser) -> None:
    """Describe the arguments."""
    parser.add_argument("--app", metavar="NAME", required=True, help="app whose signing secrets decide")
    parser.add_argument("--headers", metavar="FILE", help="the headers: `Name: value` lines, or a JSON object")
    parser.add_argument("--body", metavar="FILE", help="the body, byte for byte")
    parser.add_argument("--dump", metavar="FILE", help="or all in one: request line, headers, blank line, body")
    parser.add_argument("--received-at", metavar="TIME", help="when it arrived, if not now: RFC 3339, or 15m, 24h, 90d")


def run(command: Command) -> int:
    """Read, verify, and say everything that is known."""
    name, saved = check_name(command.args.app), _saved(command)
    result = carry_out(_verify(command, name, saved))
    for line in _lines(result, saved):
        command.terminal.say(line)
    return DONE if result["verdict"] == Verdict.VALID else FAILED


def _saved(command: Command) -> SavedDelivery:
    headers, body, dump = command.args.headers, command.args.body, command.args.dump
    if (dump is None) == (headers is None) or (headers is None) != (body is None):
        raise InvalidInput("Give either --headers and --body, or --dump.", code="one_delivery")
    if dump is not None:
        return read_dump(_file(dump, MOST_HEAD_BYTES + ENOUGH, "dump"))
    return SavedDelivery(read_headers(_file(headers, MOST_HEAD_BYTES + 1, "headers")), _file(body, ENOUGH, "body"))


def _file(name: str, limit: int, field: str) -> bytes:
    return read_bytes(Path(name), limit, field)


async def _verify(command: Command, name: str, saved: SavedDelivery) -> VerifyWebhook:
    async with opened(command) as session:
        dealer = await session.dealer()
        received = _received(command, session.services.clock())
        check = SavedDeliveryCheck(session.services, session.operator, dealer, name)
        return await check.verify(Delivery(saved.headers, saved.body, received))


def _received(command: Command, now: datetime) -> datetime | None:
    given: str | None = command.args.received_at
    return parse_moment(given, now, field="received_at") if given is not None else None


def _lines(result: VerifyWebhook, saved: SavedDelivery) -> list[str]:
    """Say the verdict and what belongs to it; of the delivery itself only what its signature vouches for."""
    told = {
        "verdict": result["verdict"],
        "cause": result["cause"],
        "explanation": result["explanation"],
        "fix": result["fix"],
        "python": result["code_python"],
        "node": result["code_node"],
        **_authentic(result),
    }
    lines = [f"{name}: {text}" for name, text in told.items() if text is not None]
    return lines if result["authentic"] else [*lines, *(f"note: {note}" for note in saved.notes)]


def _authentic(result: VerifyWebhook) -> dict[str, str | None]:
    if not result["authentic"]:
        return {}
    event, seen = result["event"], result["seen"]
    then = {True: "yes", False: "no", None: None}[result["fresh_when_received"]]
    return {
        "fresh when received": then,
        "signed with": f"the {result['signed_with']} secret",
        "event": f"{event['type'] or 'no type'} {event['id']} of {event['created_at'] or 'no time'}" if event else None,
        "duplicate": "yes: this delivery, or its event in another one, was seen before"
        if result["duplicate"]
        else None,
        "looked at": f"{counted(seen['times'], 'time', 'times')}, first {seen['first_at']}",
    }
