"""A few threads for what may take long, each with a connection of its own, so that nothing waits behind a scan."""

from __future__ import annotations

import sqlite3
import threading
from queue import SimpleQueue

from chekt_mcp.storage.sqlite.connection import connect_to_read
from chekt_mcp.storage.sqlite.database_file import OpenFile
from chekt_mcp.storage.sqlite.failure import CLOSED, explain, unusable
from chekt_mcp.storage.sqlite.job import Job
from chekt_mcp.storage.sqlite.snapshots import Snapshots
from chekt_mcp.storage.sqlite.subjects import SqliteReader

ScanJob = Job[SqliteReader]
MOST_THREADS = 4


class ScanThreads:
    """Runs jobs as they come; a thread is added when all others are busy. Daemons, as in `commit_thread`."""

    def __init__(self, file: OpenFile) -> None:
        self._file = file
        self._jobs: SimpleQueue[ScanJob | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._connections: list[sqlite3.Connection] = []
        self._lock = threading.Lock()
        self._unfinished = 0
        self._closing = False

    def submit(self, job: ScanJob) -> None:
        """Queue a job. In the event loop's thread."""
        with self._lock:
            self._unfinished += 1
            all_busy = self._unfinished > len(self._threads)
        if all_busy and len(self._threads) < MOST_THREADS:
            thread = threading.Thread(target=self._serve, name="chekt-scan", daemon=True)
            self._threads.append(thread)
            thread.start()
        self._jobs.put(job)

    def close(self) -> None:
        """Break off what is running, refuse what is queued, and end. Blocks until that is done."""
        self._closing = True
        for connection in list(self._connections):
            connection.interrupt()
        for _ in self._threads:
            self._jobs.put(None)
        for thread in self._threads:
            thread.join()

    def _serve(self) -> None:
        snapshots: Snapshots | None = None
        while (job := self._jobs.get()) is not None:
            try:
                snapshots = snapshots or self._open()
                job.succeed(snapshots.run(job.work))
            except BaseException as error:  # noqa: BLE001 -- the caller is in another thread; it gets what was raised
                job.fail(explain(error) if isinstance(error, sqlite3.Error) else error)
            with self._lock:
                self._unfinished -= 1
            Job.settle_all([job])
            del job  # what it holds must not live until the next one comes
        if snapshots is not None:
            snapshots.connection.close()

    def _open(self) -> Snapshots:
        if self._closing:
            raise unusable(CLOSED)
        connection = connect_to_read(self._file.path)
        self._connections.append(connection)
        return Snapshots(connection)
