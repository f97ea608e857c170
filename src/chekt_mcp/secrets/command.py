"""The command sink: a program that stores what it reads, exactly the key and no newline, on its standard input.

The key is never in the program's arguments or environment, and neither is anything else of ours: variables that
begin with `CHEKT_` are taken out. Its output goes nowhere, for it could repeat the key; the exit code alone counts.
It has no terminal to ask on, and must read all of its input: ending well without doing so is a failure.
Lines for well-known secret managers: docs/sinks.md.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import ClassVar

from chekt_mcp.domain.exposure import contains_credential
from chekt_mcp.errors import DeliveryFailed, InvalidInput
from chekt_mcp.secrets.interface import DELIVERY_UNKNOWN, not_delivered, target_of

BY_HAND = "Run it by hand to see why: what it prints is never shown here, since it could hold the key."


@dataclass(frozen=True, slots=True)
class CommandSink:
    """A command, a command that proves it would work (or None), and the seconds either may take.

    Raises:
        InvalidInput: no command, or one with a key in it; code `bad_setting`.
    """

    argv: tuple[str, ...]
    check: tuple[str, ...] | None
    timeout: float
    reference: str
    name: ClassVar[str] = "command"

    def __post_init__(self) -> None:
        _check_setting("command", self.argv)
        if self.check is not None:
            _check_setting("check", self.check)

    @property
    def target(self) -> str:
        """Both command lines, the time limit and the reference."""
        return target_of(argv=self.argv, check=self.check, timeout=self.timeout, reference=self.reference)

    async def prove(self) -> None:
        """See that the program exists, and run the check command if there is one; see `Sink`."""
        self._find(self.argv)
        if self.check is not None:
            self._find(self.check)
            await self._run(self.check, asyncio.subprocess.DEVNULL)

    async def deliver(self, value: str) -> None:
        """Run the command with `value` on its standard input; see `Sink`. A cancelled call kills it."""
        self._find(self.argv)
        with _pipe_holding(value) as source:
            if source is None:
                raise self._failed("it is longer than a pipe takes", "Give the key to its place by hand.")
            await self._run(self.argv, source)
            # Nobody else can write to the pipe any more, so this does not wait.
            if os.read(source, 1):
                raise self._failed(
                    "the command ended without reading the key", "Have it read standard input to its end."
                )

    async def _run(self, argv: tuple[str, ...], source: int) -> None:
        """Run to the end, or kill the whole process group.

        Raises:
            DeliveryFailed: it could not be started, did not end in time (`delivery_unknown`), or did not end with 0.
        """
        try:
            code = await _exit_code(argv, source, self.timeout)
        except TimeoutError:
            code = None
        except OSError as error:
            raise self._failed("the command cannot be started", "Check its path and permissions.") from error
        if code is None:
            reason = f"the command did not end within {self.timeout:g} seconds and was killed"
            raise not_delivered(self.reference, reason, BY_HAND, code=DELIVERY_UNKNOWN)
        if code != 0:
            raise self._failed(f"the command ended with {_ending(code)}", BY_HAND)

    def _find(self, argv: tuple[str, ...]) -> None:
        if shutil.which(argv[0]) is None:
            raise self._failed("there is no such program", "Install it, or give its whole path.")

    def _failed(self, reason: str, fix: str) -> DeliveryFailed:
        return not_delivered(self.reference, reason, fix)


def child_environment() -> dict[str, str]:
    """Return this process's environment without our own variables: some of them hold secrets."""
    return {name: value for name, value in os.environ.items() if not name.startswith("CHEKT_")}


async def _exit_code(argv: tuple[str, ...], source: int, seconds: float) -> int:
    # No pipe of asyncio's: some versions make it a socket, which programs that open /dev/stdin cannot read.
    nowhere = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(
        *argv, stdin=source, stdout=nowhere, stderr=nowhere, env=child_environment(), start_new_session=True
    )
    try:
        async with asyncio.timeout(seconds):
            return await process.wait()
    finally:
        if process.returncode != 0:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()


@contextmanager
def _pipe_holding(value: str) -> Iterator[int | None]:
    """Yield the reading end of a pipe that holds all of `value` and is closed for writing; None when it is too long."""
    content = value.encode()
    reader, writer = os.pipe()
    try:
        try:
            os.set_blocking(writer, False)
            whole = os.write(writer, content) == len(content)
        finally:
            os.close(writer)
        yield reader if whole else None
    finally:
        os.close(reader)


def _ending(code: int) -> str:
    return f"exit code {code}" if code > 0 else f"signal {-code}"


def _check_setting(field: str, argv: tuple[str, ...]) -> None:
    if not argv or not argv[0]:
        raise InvalidInput("The command of a sink is empty.", field=field, code="bad_setting")
    if any(contains_credential(argument) for argument in argv):
        raise InvalidInput(
            "The command of a sink holds something shaped like a key.",
            field=field,
            code="bad_setting",
            fix="Take it out: the command gets the key on its standard input.",
        )
