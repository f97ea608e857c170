"""`storage.interface.Storage` over one SQLite file: reads in the caller's thread, writes in one other, scans apart.

With WAL a reader neither waits for a writer nor holds one up, so a point lookup runs where it is asked, in
microseconds. A write waits for the disk and for other processes, and so not in the event loop's thread; the few rows
of `write_briefly` are written there while that wait is shorter than handing them over would be.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar, cast

from chekt_mcp.storage.interface import Reader, Writer
from chekt_mcp.storage.sqlite.commit_thread import CommitThread, WriteJob
from chekt_mcp.storage.sqlite.connection import connect
from chekt_mcp.storage.sqlite.database_file import OpenFile, open_file, prepare
from chekt_mcp.storage.sqlite.failure import CLOSED, explained, unusable
from chekt_mcp.storage.sqlite.file_system import read_mounts, refuse_network
from chekt_mcp.storage.sqlite.job import Job
from chekt_mcp.storage.sqlite.migrate import make_current
from chekt_mcp.storage.sqlite.scan_threads import ScanJob, ScanThreads
from chekt_mcp.storage.sqlite.snapshots import Snapshots

T = TypeVar("T")


def open_storage(
    directory: Path,
    *,
    random: Callable[[int], bytes] = os.urandom,
    mounts: Callable[[], str] = read_mounts,
    one_caller: bool = False,
    make: bool = True,
) -> SqliteStorage:
    """Open the state in `directory`, making or upgrading the database as needed. Tightens no permissions.

    Args:
        directory: an existing directory, on a disk of this machine.
        random: returns so many random bytes, for the salts of log entries.
        mounts: returns the system's mount table, in the form of /proc/self/mountinfo.
        one_caller: write in the caller's thread. For a program with one caller at a time nobody shares a commit,
            and handing each to another thread would only add to its wait (a third of it, measured). While
            another process holds the lock the event loop then stands still, five seconds at most.
        make: make a database where there is none; without it, that is `state_missing`.

    Raises:
        StateUnusable: it cannot be used as it is, and was left untouched. Codes: `state_missing`,
            `state_network_filesystem`, `state_unwritable`, `state_corrupt`, `state_not_ours`, `state_newer`,
            `state_no_wal`, `state_busy`, `state_full`, `state_io_error`.
    """
    refuse_network(directory, mounts())
    path = prepare(directory.absolute(), make=make)
    file = open_file(path)
    with explained():
        connection = connect(path)
        try:
            make_current(connection, random)
            connection.execute("SELECT 1 FROM logs LIMIT 1").fetchall()  # reads the schema: a damaged one shows here
            connection.execute("PRAGMA query_only = ON")
        except BaseException:
            connection.close()
            raise
    return SqliteStorage(file, Snapshots(connection), random, one_caller=one_caller)


class SqliteStorage:
    """One store, for one event loop's thread at a time. Made by `open_storage`."""

    def __init__(
        self, file: OpenFile, snapshots: Snapshots, random: Callable[[int], bytes], *, one_caller: bool = False
    ) -> None:
        self._snapshots = snapshots
        self._one_caller = one_caller
        self._commits = CommitThread(file, random)
        self._scans = ScanThreads(file)
        self._closed = False

    async def read(self, work: Callable[[Reader], Awaitable[T]]) -> T:
        """Run quick lookups on one snapshot, here and now."""
        self._refuse_closed()
        return self._snapshots.run(work)

    async def scan(self, work: Callable[[Reader], Awaitable[T]]) -> T:
        """Run what may take long on one snapshot, in a thread of its own."""
        self._refuse_closed()
        job: ScanJob = Job(work)
        self._scans.submit(job)
        return cast("T", await job.future)

    async def write(self, work: Callable[[Writer], Awaitable[T]]) -> T:
        """Run one transaction; returns once it is durable. A caller that is cancelled does not take it back."""
        self._refuse_closed()
        return cast("T", await self._written(Job(work)))

    async def write_briefly(self, work: Callable[[Writer], Awaitable[T]]) -> T:
        """Do as `write`, here if that holds nobody up."""
        self._refuse_closed()
        job: WriteJob = Job(work)
        if not self._one_caller and self._commits.commit_if_quick(job):
            job.settle()
            return cast("T", await job.future)
        return cast("T", await self._written(job))

    async def _written(self, job: WriteJob) -> object:
        if self._one_caller:
            self._commits.commit_here(job)
            job.settle()
        else:
            self._commits.submit(job)
        return await job.future

    async def close(self) -> None:
        """Finish what is queued and let go of the file. A second time does nothing."""
        if not self._closed:
            self._closed = True
            await asyncio.to_thread(self._end)

    def _end(self) -> None:
        self._commits.close()
        self._scans.close()
        self._snapshots.connection.close()

    def _refuse_closed(self) -> None:
        if self._closed:
            raise unusable(CLOSED)
