"""`chekt-mcp auth check`: what a credential opens over HTTP, or why it is refused. An outsider is told neither.

Nothing is used up, nothing of the credential is printed, and nothing is logged.
"""

from __future__ import annotations

from datetime import UTC, datetime

from chekt_mcp.auth.granted import GrantedToken, Refused
from chekt_mcp.cli.arguments import DONE, FAILED, Parser
from chekt_mcp.cli.command import Command, Session, carry_out, opened
from chekt_mcp.domain.timespan import rfc3339

DEFAULT_URL = "http://127.0.0.1:8787/mcp"
LONGEST = 64 * 1024
KINDS = {"api_key": "API key", "oauth": "OAuth 2.0 access token", "assertion": "assertion of a partner"}


def configure(parser: Parser) -> None:
    """Describe the arguments."""
    parser.description = "Say what a credential opens over HTTP, or why it is refused. Give it on standard input."
    parser.add_argument(
        "--public-url",
        metavar="URL",
        default=DEFAULT_URL,
        help=f"the endpoint as clients reach it (default: {DEFAULT_URL})",
    )


def run(command: Command) -> int:
    """Judge the credential on standard input; exit code 1 when it is refused."""
    return carry_out(_check(command))


async def _check(command: Command) -> int:
    from chekt_mcp.serving.credentials import bearer_tokens  # noqa: PLC0415 -- brings the SDK

    async with opened(command) as session:
        verifier = bearer_tokens(session.services, session.settings, command.args.public_url)
        token = _given(session)
        judged = await verifier.judge(token, session.services.clock(), use_up=False)
        return _refused(session, judged) if isinstance(judged, Refused) else _granted(session, judged)


def _given(session: Session) -> str:
    terminal = session.terminal
    text = terminal.ask_hidden("Credential (not shown): ") if terminal.interactive else terminal.rest(LONGEST)
    return text.strip().removeprefix("Bearer ").strip()


def _refused(session: Session, judged: Refused) -> int:
    problem, say = judged.problem, session.terminal.say
    say(f"Refused: {problem.code}")
    say(problem.message)
    say(problem.fix)
    if judged.key is not None:
        say(f"It is the key {judged.key.fingerprint} of app {judged.key.app}.")
    return FAILED


def _granted(session: Session, token: GrantedToken) -> int:
    grant, say = token.grant, session.terminal.say
    say(f"Accepted: {KINDS[grant.credential]}")
    say(f"Principal: {grant.principal} of dealer {grant.dealer}")
    say(f"Apps: {', '.join(grant.apps)}")
    say(f"Scopes: {' '.join(sorted(grant.scopes)) or 'none'}")
    if token.expires_at is not None:
        say(f"Until: {rfc3339(datetime.fromtimestamp(token.expires_at, UTC))}")
    say(f"{grant.app}'s IP allow list and rate apply on top of this.")
    return DONE
