"""A local program as the target: the event's body on its standard input, byte for byte; exit code 0 takes it.

Nothing of the event is in its arguments. Its environment is the one given, and four values that name the event:
CHEKT_WEBHOOK_APP, _EVENT_ID (from the signed body, empty where it has none), _QUEUE_ID (the same at every
attempt) and _ATTEMPT. Its output goes nowhere, for it could repeat the body.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import BinaryIO

from chekt_mcp.hand_on.interface import HandedEvent, NotTaken, Trouble


@dataclass(frozen=True, slots=True)
class CommandTarget:
    """A command line, its environment, and the seconds it may take."""

    argv: tuple[str, ...]
    environment: Mapping[str, str] = field(repr=False)
    seconds: float

    async def hand_on(self, event: HandedEvent) -> NotTaken | None:
        """Run the program to its end, or kill its whole process group; see `Target`."""
        try:
            code = await self._exit_code(event)
        except TimeoutError:
            return NotTaken(Trouble.TIMED_OUT, f"after {self.seconds:g} s")
        except (OSError, ValueError) as error:
            return NotTaken(Trouble.NOT_STARTED, type(error).__name__)
        return None if code == 0 else NotTaken(Trouble.ENDED_BADLY, _ending(code))

    async def close(self) -> None:
        """Do nothing: every program has ended by itself or was killed."""

    async def _exit_code(self, event: HandedEvent) -> int:
        async with _fed(event.body) as source:
            try:
                process = await self._start(event, source)
            finally:
                os.close(source)  # the program's copy must be the only one, or writing to it would never fail
            try:
                async with asyncio.timeout(self.seconds):
                    return await process.wait()
            finally:
                if process.returncode is None:
                    with suppress(ProcessLookupError):
                        os.killpg(process.pid, signal.SIGKILL)
                    await process.wait()

    async def _start(self, event: HandedEvent, source: int) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *self.argv,
            stdin=source,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            env={**self.environment, **_named(event)},
            start_new_session=True,
        )


def _named(event: HandedEvent) -> dict[str, str]:
    return {
        "CHEKT_WEBHOOK_APP": event.app,
        "CHEKT_WEBHOOK_EVENT_ID": event.event_id or "",
        "CHEKT_WEBHOOK_QUEUE_ID": event.queue_id,
        "CHEKT_WEBHOOK_ATTEMPT": str(event.attempt),
    }


@asynccontextmanager
async def _fed(body: bytes) -> AsyncIterator[int]:
    """Yield the reading end of a pipe into which `body` is written as it is read; the caller closes it.

    A pipe of our own: asyncio makes it a socket in some versions, which programs that open /dev/stdin cannot read.
    """
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with os.fdopen(writer, "wb", 0) as pipe:
        feeding = asyncio.create_task(_feed(pipe, body))
        try:
            yield reader
        finally:
            feeding.cancel()
            await asyncio.wait([feeding])


async def _feed(pipe: BinaryIO, body: bytes) -> None:
    """Write all of it and close the pipe; a program need not read it to its end."""
    loop, writable, left = asyncio.get_running_loop(), asyncio.Event(), memoryview(body)
    loop.add_writer(pipe, writable.set)
    try:
        while left:
            writable.clear()
            await writable.wait()
            with suppress(BlockingIOError):  # what was heard can be older than what filled the pipe
                left = left[os.write(pipe.fileno(), left) :]
    except BrokenPipeError:
        pass
    finally:
        loop.remove_writer(pipe)
        pipe.close()


def _ending(code: int) -> str:
    return f"exit code {code}" if code > 0 else f"signal {-code}"
