"""`chekt-mcp audit checkpoint > FILE`: what the log is now, signed, to be kept where nobody on this machine can go."""

from __future__ import annotations

from chekt_mcp.cli.arguments import DONE, Parser
from chekt_mcp.cli.command import Command, carry_out, opened
from chekt_mcp.operations.audit.anchor_checkpoints import anchor_checkpoint
from chekt_mcp.operations.audit.make_checkpoint import make_checkpoint


def configure(_parser: Parser) -> None:
    """Describe the arguments: there are none of its own."""


def run(command: Command) -> int:
    """Print the checkpoint and nothing else to standard output; hand it to the anchors as well."""
    carry_out(_checkpoint(command))
    return DONE


async def _checkpoint(command: Command) -> None:
    async with opened(command) as session:
        dealer = await session.dealer()
        made = await make_checkpoint(session.services, dealer)
        command.terminal.say(made.note.removesuffix("\n"))
        for trouble in await anchor_checkpoint(session.services, dealer, made):
            command.terminal.note(f"note: not anchored: {trouble}")
        if command.terminal.interactive:
            command.terminal.note(
                "note: keep it where nobody on this machine can change it, for example\n"
                "  chekt-mcp audit checkpoint > /media/usb/log.checkpoint\n"
                "and later: chekt-mcp audit verify --against /media/usb/log.checkpoint"
            )
