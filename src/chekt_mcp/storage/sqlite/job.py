"""A piece of work handed to a thread, and the way its outcome comes back to the event loop that waits for it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any, Generic, TypeVar

S = TypeVar("S")
T = TypeVar("T")


def drive(work: Callable[[S], Awaitable[T]], subject: S) -> T:
    """Run an async function of a reader or writer to its end, without an event loop.

    Raises:
        RuntimeError: it waited for something else, which would hold the transaction open: a mistake in the program.
    """
    steps = work(subject).__await__()
    try:
        next(steps)
    except StopIteration as end:
        outcome: T = end.value
        return outcome
    steps.close()
    raise RuntimeError("Work inside a transaction may await nothing but its reader or writer.")


class Job(Generic[S]):
    """Work on a subject `S`, its outcome, and who waits. A caller that stops waiting does not take the work back."""

    __slots__ = ("_error", "_value", "future", "loop", "work")

    def __init__(self, work: Callable[[S], Awaitable[Any]]) -> None:
        self.work = work
        self.loop = asyncio.get_running_loop()
        self._value: Any = None
        self._error: BaseException | None = None
        self.future: asyncio.Future[Any] = self.loop.create_future()

    def succeed(self, value: object) -> None:
        """Let this be the outcome."""
        self._value = value

    def fail(self, error: BaseException) -> None:
        """Let this be the outcome, whatever it was before."""
        self._error = error

    def settle(self) -> None:
        """Hand the outcome over. In the event loop's thread."""
        if self.future.done():  # the caller was cancelled meanwhile
            return
        if self._error is not None:
            self.future.set_exception(self._error)
        else:
            self.future.set_result(self._value)

    @staticmethod
    def settle_all(jobs: Sequence[Job[S]]) -> None:
        """Hand over the outcomes of jobs that ended together, waking each event loop once. From any thread."""
        loops: dict[asyncio.AbstractEventLoop, list[Job[S]]] = {}
        for job in jobs:
            loops.setdefault(job.loop, []).append(job)
        for loop, waiting in loops.items():
            with suppress(RuntimeError):  # the loop was closed: nobody waits any more
                loop.call_soon_threadsafe(_settle, waiting)


def _settle(jobs: Sequence[Job[Any]]) -> None:
    for job in jobs:
        job.settle()
