"""`chekt-mcp keys deliver`: the same key once more to the same place, and into force."""

from __future__ import annotations

from chekt_mcp.cli.arguments import Parser, add_passphrase
from chekt_mcp.cli.command import Command, carry_out, opened
from chekt_mcp.cli.keys.stored import add_rotation_id, named_rotation
from chekt_mcp.cli.passphrase import authorise
from chekt_mcp.domain.timespan import rfc3339
from chekt_mcp.operations.keys.undecided_rotation import UndecidedRotation


def configure(parser: Parser) -> None:
    """Describe the arguments."""
    add_rotation_id(parser)
    add_passphrase(parser)


def run(command: Command) -> int:
    """Deliver it and say what is in force."""
    carry_out(_deliver(command))
    return 0


async def _deliver(command: Command) -> None:
    async with opened(command) as session:
        rotation = await named_rotation(session)
        await authorise(session, rotation.dealer, rotation.app)
        done = await UndecidedRotation(session.services, session.operator, rotation).deliver()
        until = done.previous_valid_until
        old = f"the old one works until {rfc3339(until)}" if until else "the old one opens nothing any more"
        session.terminal.say(f"Delivered. {done.new.fingerprint} is the {rotation.kind} of {rotation.app} now; {old}.")
