"""A bar on standard error, where a person looks at it; elsewhere nothing."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Self

from chekt_mcp.operations.audit.import_tally import ImportProgress

WIDTH = 30
ERASE = "\r\x1b[K"
SETTLED = 2.0
"""Seconds before a rate says anything."""

IN_SECONDS = 90
"""Time left up to this is told in seconds, more of it in minutes."""


class ProgressBar:
    """Drawn anew on one line, and gone when the work is over. `clock` counts seconds from anywhere."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._visible = sys.stderr is not None and sys.stderr.isatty()
        self._clock = clock
        self._begin: tuple[float, ImportProgress] | None = None

    def __enter__(self) -> Self:
        """Start without a bar: it appears with the first progress."""
        return self

    def __exit__(self, *_: object) -> None:
        """Take the bar away, whatever happened."""
        self._draw("")

    def show(self, progress: ImportProgress) -> None:
        """Draw how far it is, how fast it goes, and how long it takes yet."""
        share = min(1.0, progress.bytes_read / progress.bytes_total) if progress.bytes_total else 1.0
        filled = round(share * WIDTH)
        bar = f"[{'#' * filled}{'.' * (WIDTH - filled)}] {share:4.0%}  {progress.rows:,} rows"
        self._draw(f"{bar}{self._speed(progress)}")

    def _speed(self, progress: ImportProgress) -> str:
        """Return rate and time left, counted from where this run begins: rows that it only goes past say nothing."""
        now = self._clock()
        if self._begin is None or self._is_new_beginning(self._begin[1], progress):
            self._begin = (now, progress)
        began, first = self._begin
        seconds = now - began
        read = progress.bytes_read - first.bytes_read
        if seconds < SETTLED or read <= 0:
            return ""
        left = round((progress.bytes_total - progress.bytes_read) * seconds / read)
        return f"  {(progress.rows - first.rows) / seconds:,.0f}/s  {_time(left)} left"

    @staticmethod
    def _is_new_beginning(first: ImportProgress, progress: ImportProgress) -> bool:
        return progress.skipped != first.skipped or progress.bytes_read < first.bytes_read

    def _draw(self, text: str) -> None:
        if self._visible:
            sys.stderr.write(ERASE + text)
            sys.stderr.flush()


def _time(seconds: int) -> str:
    return f"{seconds} s" if seconds <= IN_SECONDS else f"{-(-seconds // 60)} min"
