"""The one thread that writes: jobs that come together share a transaction, and so one flush to the disk.

A brief job is quicker where it comes from, in the event loop's thread: two threads take turns with the interpreter at
every statement, and each turn costs a part of what the statement does. So it is committed there while nobody else
writes and the disk answers soon, and handed to this thread otherwise: then the event loop waits for nothing.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue

from chekt_mcp.errors import ChektError, StateUnusable
from chekt_mcp.storage.sqlite.connection import begin_immediate, connect_to_write
from chekt_mcp.storage.sqlite.database_file import OpenFile, refuse_version
from chekt_mcp.storage.sqlite.failure import OTHER, explain, unusable
from chekt_mcp.storage.sqlite.job import Job, drive
from chekt_mcp.storage.sqlite.migrate import version
from chekt_mcp.storage.sqlite.subjects import SqliteWriter

WriteJob = Job[SqliteWriter]
MOST_TOGETHER = 256
QUICK = 0.002
"""Seconds that the disk may take, on average, for commits in the event loop's thread: an idle one needs a tenth."""
LATEST = 0.1
"""What the latest commit counts in that average."""
AFTER_SLOW = 1.0
"""Seconds for which all are handed over after that."""


class CommitThread:
    """Takes jobs from any thread and commits them in the order they came.

    It is a daemon: a store that nobody closed must not keep the program from ending. What was acknowledged is on
    the disk by then, and of what was not, nothing is.
    """

    def __init__(self, file: OpenFile, random: Callable[[int], bytes]) -> None:
        self._file = file
        self._random = random
        self._jobs: SimpleQueue[WriteJob | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._connection: sqlite3.Connection | None = None
        self._closing = False
        self._turn = threading.Lock()
        """Held by the thread that uses the connection."""
        self._flushed = self._average = self._slow_until = 0.0

    def submit(self, job: WriteJob) -> None:
        """Queue a job. In the event loop's thread."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._serve, name="chekt-commit", daemon=True)
            self._thread.start()
        self._jobs.put(job)

    def commit_here(self, job: WriteJob) -> None:
        """Commit a job in the calling thread, which must always be the same one and never mixed with `submit`.

        Raises:
            RuntimeError: called from within such a job: a mistake in the program.
        """
        if self._connection is not None and self._connection.in_transaction:
            raise RuntimeError("Work inside a transaction may not ask for another one; use the writer it was given.")
        self._commit_or_fail([job])

    def commit_if_quick(self, job: WriteJob) -> bool:
        """Commit a brief job in the event loop's thread; False, with nothing done, where that could hold it up."""
        if time.monotonic() < self._slow_until or not self._jobs.empty() or not self._turn.acquire(blocking=False):
            return False
        try:
            if not self._begun_at_once():
                return False
            self._commit_or_fail([job])
            self._judge_disk()
        finally:
            self._turn.release()
        return True

    def _judge_disk(self) -> None:
        """Hand commits over for a while when the disk made the event loop wait for long."""
        self._average += LATEST * (self._flushed - self._average)
        if self._average > QUICK:
            self._average, self._slow_until = 0.0, time.monotonic() + AFTER_SLOW

    def close(self) -> None:
        """Commit what is queued, and end. Blocks until that is done."""
        if self._thread is None:
            self._abandon()
        else:
            self._jobs.put(None)
            self._thread.join()

    def _serve(self) -> None:
        while not self._closing and (first := self._jobs.get()) is not None:
            self._commit_with_others(first)
            del first  # what a job holds must not live until the next one comes
        self._abandon()

    def _commit_with_others(self, first: WriteJob) -> None:
        jobs = [first]
        with self._turn:
            self._commit_or_fail(jobs)
        Job.settle_all(jobs)

    def _begun_at_once(self) -> bool:
        """Begin a transaction if that takes no waiting. What is wrong otherwise is told by whoever waits."""
        try:
            begin_immediate(self._ready()[0], patience=0)
        except sqlite3.Error:
            return False
        return True

    def _commit_or_fail(self, jobs: list[WriteJob]) -> None:
        try:
            self._commit(jobs)
        except BaseException as error:  # noqa: BLE001 -- whatever it is, nobody may be left waiting
            self._abandon()
            for job in jobs:
                job.fail(_explained(error))

    def _commit(self, jobs: list[WriteJob]) -> None:
        """Commit the first job and all that wait by the time the lock is ours, which are added to `jobs`."""
        connection, writer = self._ready()
        if not connection.in_transaction:
            begin_immediate(connection)
        self._file.refuse_replaced()
        refuse_version(version(connection))
        jobs += self._waiting()
        if len(jobs) == 1:
            if not _attempt_alone(connection, writer, jobs[0]):
                return
        else:
            for job in jobs:
                _attempt(connection, writer, job)
        began = time.monotonic()
        connection.execute("COMMIT")
        self._flushed = time.monotonic() - began

    def _ready(self) -> tuple[sqlite3.Connection, SqliteWriter]:
        if self._connection is None:
            self._connection = connect_to_write(self._file.path)
            self._writer = SqliteWriter(self._connection, self._random)
        return self._connection, self._writer

    def _waiting(self) -> list[WriteJob]:
        jobs: list[WriteJob] = []
        with suppress(Empty):  # the other thread may have been quicker
            while len(jobs) < MOST_TOGETHER and not self._jobs.empty():
                job = self._jobs.get_nowait()
                if job is None:
                    self._closing = True
                    break
                jobs.append(job)
        return jobs

    def _abandon(self) -> None:
        """Give up the connection and what it had begun; the next job gets a fresh one."""
        if self._connection is None:
            return
        with suppress(sqlite3.Error):
            self._connection.rollback()
        self._connection.close()
        self._connection = None


def _attempt_alone(connection: sqlite3.Connection, writer: SqliteWriter, job: WriteJob) -> bool:
    """Run a job whose transaction is its own, and tell whether to commit. No savepoint: it would copy every page."""
    try:
        job.succeed(drive(job.work, writer))
    except BaseException as error:  # noqa: BLE001 -- the caller may be in another thread; it gets whatever was raised
        connection.rollback()
        writer.forget()
        job.fail(explain(error) if isinstance(error, sqlite3.Error) else error)
        return False
    return True


def _attempt(connection: sqlite3.Connection, writer: SqliteWriter, job: WriteJob) -> None:
    """Run one job so that its failure undoes its own changes and nobody else's."""
    connection.execute("SAVEPOINT job")
    try:
        job.succeed(drive(job.work, writer))
    except BaseException as error:  # the caller is in another thread; it gets whatever was raised
        if not connection.in_transaction:  # SQLite has undone everybody's: sqlite.org/lang_transaction.html, 3.1
            raise
        connection.execute("ROLLBACK TO job")
        writer.forget()
        job.fail(explain(error) if isinstance(error, sqlite3.Error) else error)
    connection.execute("RELEASE job")


def _explained(error: BaseException) -> ChektError:
    """Return what every job of a lost transaction is told."""
    if isinstance(error, sqlite3.Error):
        return explain(error)
    return error if isinstance(error, StateUnusable) else unusable(OTHER)
