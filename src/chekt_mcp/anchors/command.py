"""A command as the anchor: it keeps the checkpoint it reads on its standard input, and a second one prints the newest.

`{dealer}` in an argument stands for the dealer's name. Exit code 0 takes the checkpoint; what the command prints is
kept as the receipt. Neither has a terminal, and variables that begin with `CHEKT_` are taken out of its environment.
What makes it an anchor is where it puts the checkpoint: a place that this user can add to, and neither change nor
remove from.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import PurePath

from chekt_mcp.domain.foreign_text import escaped
from chekt_mcp.domain.signed_note import LONGEST
from chekt_mcp.errors import Unavailable

SECONDS = 10.0
"""For a whole run."""

RECEIPT_LIMIT = 2_000
"""Characters of a receipt that are kept."""

MOST_OUTPUT = LONGEST * 4
"""Bytes a command may print."""


@dataclass(frozen=True, slots=True)
class CommandAnchor:
    """`argv` keeps, `ask` prints; None where nothing can be asked. `environment` is what both get."""

    argv: Sequence[str]
    ask: Sequence[str] | None
    environment: Mapping[str, str] = field(repr=False)
    seconds: float = SECONDS

    @property
    def name(self) -> str:
        """The program's name; its arguments may hold what is nobody's business."""
        return f"command {PurePath(self.argv[0]).name}"

    async def keep(self, dealer: str, note: str) -> str:
        """Run the command with the checkpoint on its standard input; see `Anchor`."""
        printed = await self._run(self.argv, dealer, note.encode())
        return escaped(printed.decode("utf-8", "backslashreplace"), RECEIPT_LIMIT)

    async def newest(self, dealer: str) -> str | None:
        """Run the command that prints the newest checkpoint; nothing printed means that there is none."""
        if self.ask is None:
            return None
        try:
            return (await self._run(self.ask, dealer, b"")).decode() or None
        except UnicodeDecodeError:
            raise _failed("what it printed is no text") from None

    async def _run(self, argv: Sequence[str], dealer: str, content: bytes) -> bytes:
        try:
            async with asyncio.timeout(self.seconds):
                code, printed = await self._ended([one.replace("{dealer}", dealer) for one in argv], content)
        except TimeoutError:
            raise _failed(f"it did not end within {self.seconds:g} seconds and was killed") from None
        except (OSError, ValueError) as error:
            raise _failed(f"it cannot be run ({type(error).__name__})") from None
        if code != 0:
            raise _failed(f"it ended with {f'exit code {code}' if code > 0 else f'signal {-code}'}")
        if len(printed) > MOST_OUTPUT:
            raise _failed(f"it printed more than {MOST_OUTPUT:,} bytes")
        return printed

    async def _ended(self, argv: Sequence[str], content: bytes) -> tuple[int, bytes]:
        """Run to the end, or kill the whole process group."""
        pipe, nowhere = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
        process = await asyncio.create_subprocess_exec(
            *argv, stdin=pipe, stdout=pipe, stderr=nowhere, env=self.environment, start_new_session=True
        )
        try:
            feeding = asyncio.create_task(_feed(process, content))
            printed = await _read(process)
            await feeding
            return await process.wait(), printed
        finally:
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                await process.wait()


async def _feed(process: asyncio.subprocess.Process, content: bytes) -> None:
    """Write all of it and close; a command need not read it."""
    if process.stdin is not None:
        with suppress(BrokenPipeError, ConnectionResetError):
            process.stdin.write(content)
            await process.stdin.drain()
        process.stdin.close()


async def _read(process: asyncio.subprocess.Process) -> bytes:
    """Read what it prints, and no more than shows that it is too much."""
    printed = bytearray()
    while process.stdout is not None and (piece := await process.stdout.read(65_536)):
        if len(printed) <= MOST_OUTPUT:
            printed += piece
    return bytes(printed)


def _failed(why: str) -> Unavailable:
    return Unavailable(
        f"The command that keeps checkpoints failed: {why}.",
        code="anchor_failed",
        fix="Run it by hand to see why: what it prints to standard error is not shown here.",
    )
