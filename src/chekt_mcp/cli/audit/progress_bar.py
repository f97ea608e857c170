"""A bar on standard error, where a person looks at it; elsewhere nothing."""

from __future__ import annotations

import sys
from typing import Self

from chekt_mcp.operations.audit.import_tally import ImportProgress

WIDTH = 30
ERASE = "\r\x1b[K"


class ProgressBar:
    """Drawn anew on one line, and gone when the work is over."""

    def __init__(self) -> None:
        self._visible = sys.stderr is not None and sys.stderr.isatty()

    def __enter__(self) -> Self:
        """Start without a bar: it appears with the first progress."""
        return self

    def __exit__(self, *_: object) -> None:
        """Take the bar away, whatever happened."""
        self._draw("")

    def show(self, progress: ImportProgress) -> None:
        """Draw how far it is."""
        share = min(1.0, progress.bytes_read / progress.bytes_total) if progress.bytes_total else 1.0
        filled = round(share * WIDTH)
        self._draw(f"[{'#' * filled}{'.' * (WIDTH - filled)}] {share:4.0%}  {progress.rows:,} rows")

    def _draw(self, text: str) -> None:
        if self._visible:
            sys.stderr.write(ERASE + text)
            sys.stderr.flush()
