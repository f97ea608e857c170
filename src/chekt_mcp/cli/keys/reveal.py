"""`chekt-mcp keys reveal`: a lost key, before a person's eyes and nowhere else."""

from __future__ import annotations

from chekt_mcp.cli.arguments import Parser
from chekt_mcp.cli.command import Command, carry_out, opened
from chekt_mcp.cli.keys.stored import add_rotation_id, named_rotation
from chekt_mcp.cli.passphrase import authorise
from chekt_mcp.errors import NotPermitted
from chekt_mcp.operations.keys.reveal_key import reveal


def configure(parser: Parser) -> None:
    """Describe the arguments."""
    add_rotation_id(parser)


def run(command: Command) -> int:
    """Show it once."""
    carry_out(_reveal(command))
    return 0


async def _reveal(command: Command) -> None:
    if not command.terminal.interactive:
        raise NotPermitted(
            "A key is shown to a person at a terminal; there is none here.",
            code="terminal_required",
            fix="Open a terminal of your own and run the same command there.",
        )
    async with opened(command) as session:
        rotation = await named_rotation(session)
        await authorise(session, rotation.dealer, rotation.app)
        value = await reveal(session.services, session.operator, rotation)
        session.terminal.say(f"The {rotation.kind} of {rotation.app}, shown this once; no copy is kept here:")
        session.terminal.say(f"  {value}")
