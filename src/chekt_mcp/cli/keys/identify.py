"""`chekt-mcp keys identify`: whose key was found in a log, a mail, a repository."""

from __future__ import annotations

from chekt_mcp.cli.arguments import DONE, FAILED, Parser
from chekt_mcp.cli.command import Command, carry_out, opened
from chekt_mcp.domain.api_key import Key, KeyState, fingerprint
from chekt_mcp.domain.timespan import rfc3339
from chekt_mcp.domain.wording import counted
from chekt_mcp.operations.keys.identify_key import Identified, identify


def configure(parser: Parser) -> None:
    """Describe the arguments: there are none, for a key is never an argument."""
    parser.epilog = "The key is read from standard input, or asked for at a terminal without showing it."


def run(command: Command) -> int:
    """Say whose it is; ends with 1 when nobody's here."""
    return carry_out(_identify(command))


async def _identify(command: Command) -> int:
    terminal = command.terminal
    value = (terminal.ask_hidden("The key: ") if terminal.interactive else terminal.line()).strip()
    async with opened(command) as session:
        found = await identify(session.services, value)
        for line in _said(found, value):
            terminal.say(line)
        return DONE if found.key is not None else FAILED


def _said(found: Identified, value: str) -> list[str]:
    if found.key is None:
        lines = [f"{fingerprint(value)} is not known here: neither in force, nor formerly."]
        if found.unreadable:
            lines.append(
                f"{counted(found.unreadable, 'stored secret', 'stored secrets')} could not be opened to compare."
            )
        return lines
    key = found.key
    lines = [f"{key.fingerprint} ({key.key_id}) is the {key.kind} of app {key.app}, dealer {key.dealer}.", _state(key)]
    if found.good:
        lines.append(
            "It still opens things. Now that it was found outside its place, rotate it without a grace period."
        )
    return lines


def _state(key: Key) -> str:
    match key.state:
        case KeyState.CURRENT:
            return "It is the current one."
        case KeyState.PREVIOUS:
            return f"It is the previous one; its time of grace ends {rfc3339(key.valid_until or key.created_at)}."
        case KeyState.PENDING:
            return "It belongs to a rotation that is not over, and opens nothing yet."
        case _:
            return "It is revoked and opens nothing" + (
                f", since {rfc3339(key.revoked_at)}." if key.revoked_at else "."
            )
