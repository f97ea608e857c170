"""`chekt-mcp keys discard`: a rotation given up; the old key stays."""

from __future__ import annotations

from chekt_mcp.cli.arguments import Parser, add_passphrase
from chekt_mcp.cli.command import Command, carry_out, opened
from chekt_mcp.cli.keys.stored import add_rotation_id, named_rotation
from chekt_mcp.cli.passphrase import authorise
from chekt_mcp.operations.keys.undecided_rotation import UndecidedRotation


def configure(parser: Parser) -> None:
    """Describe the arguments."""
    add_rotation_id(parser)
    add_passphrase(parser)


def run(command: Command) -> int:
    """Give it up and say what that means."""
    carry_out(_discard(command))
    return 0


async def _discard(command: Command) -> None:
    async with opened(command) as session:
        rotation = await named_rotation(session)
        await authorise(session, rotation.dealer, rotation.app)
        await UndecidedRotation(session.services, session.operator, rotation).discard()
        say = session.terminal.say
        say(f"Given up. The {rotation.kind} of {rotation.app} stays as it was; the new one will never open anything.")
        say("If it did arrive in its place, put the old one back there, or rotate again.")
