"""`chekt-mcp audit key`: the public key that checkpoints of the log are verified with."""

from __future__ import annotations

from chekt_mcp.cli.arguments import DONE, Parser
from chekt_mcp.cli.command import Command, carry_out, opened
from chekt_mcp.operations.audit.checkpoint_key import signing_key


def configure(_parser: Parser) -> None:
    """Describe the arguments: there are none of its own."""


def run(command: Command) -> int:
    """Print the verifier key, making the pair at its first use."""
    command.terminal.say(carry_out(_key(command)))
    return DONE


async def _key(command: Command) -> str:
    async with opened(command) as session:
        return str((await signing_key(session.services, await session.dealer())).verifier())
