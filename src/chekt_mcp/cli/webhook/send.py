"""`chekt-mcp webhook send`: a made-up event to a receiver, signed by a test app, and what came back."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from chekt_mcp.cli.arguments import DONE, FAILED, Parser
from chekt_mcp.cli.command import Command, carry_out, opened
from chekt_mcp.cli.new_app import read_text
from chekt_mcp.domain.app import check_name
from chekt_mcp.domain.endpoint.url import EndpointUrl
from chekt_mcp.domain.exposure import redacted
from chekt_mcp.domain.foreign_text import escaped
from chekt_mcp.domain.timespan import rfc3339
from chekt_mcp.domain.webhook import MAX_BODY_BYTES
from chekt_mcp.domain.webhook.answer import Answer, meaning
from chekt_mcp.domain.webhook.destination import local_destination, public_destination
from chekt_mcp.domain.webhook.sample import DEFAULT_TYPE, SAMPLES, given_data
from chekt_mcp.errors import InvalidInput
from chekt_mcp.operations.webhook.send_test_delivery import Sample, Sent, TrialDelivery

MOST_ATTEMPTS = 100
BODY_SHOWN = 500
LOCATION_SHOWN = 200
WHY_LOCAL = (
    "the receiver runs on this machine (localhost, 127.0.0.0/8, [::1]): http, or https with any certificate. Safe, for "
    "what is sent never leaves the machine, tells of nothing that happened, and is signed by a test app"
)


def configure(parser: Parser) -> None:
    """Describe the arguments."""
    parser.add_argument("url", metavar="URL", help="where the receiver listens: https on the internet, or see --local")
    parser.add_argument("--app", metavar="NAME", required=True, help="test app of this server whose secret signs")
    parser.add_argument(
        "--event",
        metavar="TYPE",
        default=DEFAULT_TYPE,
        help=f"{', '.join(SAMPLES)}; any other with --data (default: {DEFAULT_TYPE})",
    )
    parser.add_argument("--data", metavar="FILE", help="JSON object to send as the event's data in place of a sample's")
    parser.add_argument("--attempt", metavar="N", type=int, default=1, help="number in X-CHeKT-Attempt (default: 1)")
    parser.add_argument("--local", action="store_true", help=WHY_LOCAL)


def run(command: Command) -> int:
    """Send it, say what came back, and succeed when CHeKT would be content with that."""
    args = command.args
    url = local_destination(args.url) if args.local else public_destination(args.url)
    sent = carry_out(_send(command, url, Sample(args.event, _data(command), _attempt(args.attempt))))
    for line in _lines(command, sent):
        command.terminal.say(line)
    return DONE if isinstance(sent.outcome, Answer) and sent.outcome.accepted else FAILED


def _data(command: Command) -> Mapping[str, object] | None:
    given: str | None = command.args.data
    if given is None:
        return None
    return given_data(command.args.event, read_text(Path(given), MAX_BODY_BYTES, "data"))


def _attempt(number: int) -> int:
    if not 1 <= number <= MOST_ATTEMPTS:
        raise InvalidInput(f"An attempt has a number from 1 to {MOST_ATTEMPTS}.", field="attempt", code="bad_attempt")
    return number


async def _send(command: Command, url: EndpointUrl, sample: Sample) -> Sent:
    from chekt_mcp.network.delivery import local_sender, public_sender  # noqa: PLC0415 -- brings TLS and the resolver

    name = check_name(command.args.app)
    async with opened(command) as session:
        sender = local_sender() if command.args.local else public_sender()
        trial = TrialDelivery(session.services, session.operator, sender, await session.dealer(), name)
        return await trial.send(url, sample)


def _lines(command: Command, sent: Sent) -> list[str]:
    args = command.args
    return [
        f"event: {args.event} {sent.event_id}, {sent.size:,} bytes, signed at {rfc3339(sent.signed_at)}",
        f"delivery: {sent.delivery_id}, attempt {args.attempt}",
        *_outcome(sent),
        f"meaning: {meaning(sent.outcome, args.app)}",
    ]


def _outcome(sent: Sent) -> list[str]:
    """Say what came back. Location and body are the receiver's words: on lines of their own, escaped and cut."""
    answer = sent.outcome
    if not isinstance(answer, Answer):
        return [f"answer: none ({answer.failure})" + (f": {', '.join(answer.refused)}" if answer.refused else "")]
    lines = [f"answer: {answer.status} after {answer.seconds * 1000:,.0f} ms"]
    if answer.location is not None:
        lines.append(f"its Location: {_foreign(answer.location, LOCATION_SHOWN)}")
    text = answer.body.decode("utf-8", "backslashreplace")
    return [
        *lines,
        f"its body begins: {_foreign(text, BODY_SHOWN)}" if text else "its body: empty, or not sent in time",
    ]


def _foreign(text: str, limit: int) -> str:
    """Show what others wrote; a receiver that is being tried out may well answer with the secret it was given."""
    return escaped(redacted(text), limit)
