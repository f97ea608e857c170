"""What the program logs, and where: to stderr, without credentials; over stdio warnings and worse, else JSON lines."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime

from chekt_mcp.domain.exposure import redacted


class RedactingFormatter(logging.Formatter):
    """The last line: a log line never holds anything shaped like a credential, traceback included."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the formatted line, redacted."""
        return redacted(super().format(record))


class JsonFormatter(logging.Formatter):
    """One JSON object a line, for whatever collects a server's logs. docs/observability.md has the fields.

    A record's `fields` are names and numbers of ours, made safe by whoever put them there; any other text is redacted.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line: dict[str, object] = {"time": moment, "level": record.levelname.lower(), "event": "message"}
        fields: dict[str, object] | None = getattr(record, "fields", None)
        if fields is not None:
            return json.dumps(line | fields)
        line |= {"logger": record.name, "message": record.getMessage()}
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return redacted(json.dumps(line))


def log_json_to_stderr() -> None:
    """Send every log line to stderr as JSON: what our own modules say from INFO on, of others warnings and worse."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("chekt_mcp").setLevel(logging.INFO)


def log_to_stderr() -> None:
    """Send every log line to stderr, and nowhere else."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(RedactingFormatter("%(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
