"""What may go of a log, and what stops it, in words."""

from __future__ import annotations

from chekt_mcp.cli.table import table
from chekt_mcp.domain.foreign_text import escaped
from chekt_mcp.domain.timespan import rfc3339
from chekt_mcp.domain.wording import counted
from chekt_mcp.operations.audit.retention import Retention
from chekt_mcp.storage.records import LegalHold

HEADINGS = ("APP", "ENTRIES", "OLDEST", "NEWEST")


def due_words(found: Retention) -> list[str]:
    """Say what is older than is kept, by app."""
    if not found.entries:
        return [f"Nothing in it is older: nothing before {rfc3339(found.before)}."]
    entries = counted(found.entries, "entry is", "entries are")
    rows = [(_app(one.app), f"{one.entries:,}", rfc3339(one.oldest), rfc3339(one.newest)) for one in found.aged]
    return [f"{entries} older, from before {rfc3339(found.before)}, and may go:", table(HEADINGS, rows)]


def hold_words(hold: LegalHold | None) -> list[str]:
    """Say what stops a prune; nothing where nothing does."""
    if hold is None:
        return []
    who = f"{escaped(hold.placed_by, 80)} since {rfc3339(hold.placed_at)}"
    return [f"A legal hold stops every prune, placed by {who}: {escaped(hold.reason, 500)}"]


def _app(name: str | None) -> str:
    return "-" if name is None else escaped(name, 60)
