"""The entries of calls that end together go to the log together: one piece of work, one flush, one look at the clock.

While one batch is on its way to the disk, the next one gathers. Who waits for its entry waits for its own batch only.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from chekt_mcp.domain.audit import NewEntry
from chekt_mcp.errors import Unavailable
from chekt_mcp.operations.keys.overdue import settle
from chekt_mcp.storage.interface import Storage, Writer

MOST_TOGETHER = 64

Waiting = tuple[NewEntry, "asyncio.Future[None]"]


class CallRecorder:
    """Records calls, for one event loop."""

    def __init__(self) -> None:
        self._waiting: list[Waiting] = []
        self._writing: asyncio.Task[None] | None = None

    async def record(self, storage: Storage, entry: NewEntry) -> None:
        """Write the entry of a call, and what the clock has ended; returns once it is durable.

        A caller that is cancelled does not take its entry back.

        Raises:
            Unavailable: it could not be written; the answer must then be withheld.
        """
        durable: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((entry, durable))
        if self._writing is None:
            self._writing = asyncio.create_task(self._write(storage))
        await durable

    async def _write(self, storage: Storage) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:MOST_TOGETHER], self._waiting[MOST_TOGETHER:]
                await _write_batch(storage, batch)
        finally:
            self._writing = None


async def _write_batch(storage: Storage, batch: Sequence[Waiting]) -> None:
    """Write a batch; where an entry cannot be stored, each by itself, so that it holds up no other."""
    failure: Exception | None = None
    try:
        await _append(storage, [entry for entry, _ in batch])
    except Exception as error:  # noqa: BLE001 -- it belongs to the callers, not to this task
        failure = error
    if failure is not None and not isinstance(failure, Unavailable) and len(batch) > 1:
        for one in batch:
            await _write_batch(storage, [one])
        return
    for _, durable in batch:
        _settle(durable, failure)


async def _append(storage: Storage, entries: list[NewEntry]) -> None:
    newest = max(entry.timestamp for entry in entries)

    async def work(writer: Writer) -> None:
        for key_id in {entry.key_id for entry in entries}:
            await settle(writer, newest, key_id)
        await writer.append(entries)

    await storage.write_briefly(work)


def _settle(durable: asyncio.Future[None], error: Exception | None) -> None:
    if durable.done():  # the caller was cancelled meanwhile
        return
    if error is None:
        durable.set_result(None)
    else:
        durable.set_exception(error)
