"""What the program logs, and where: warnings and worse, to stderr, without credentials."""

from __future__ import annotations

import logging
import sys

from chekt_mcp.domain.exposure import redacted


class RedactingFormatter(logging.Formatter):
    """The last line: a log line never holds anything shaped like a credential, traceback included."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the formatted line, redacted."""
        return redacted(super().format(record))


def log_to_stderr() -> None:
    """Send every log line to stderr, and nowhere else."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(RedactingFormatter("%(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
