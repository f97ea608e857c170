"""What comparing an application's log with the audit log found. Lists are short of `MOST_LISTED`; counts are whole."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from chekt_mcp.domain.audit import Entry, LogExtent
from chekt_mcp.domain.timespan import Window

MOST_LISTED = 10_000
"""Rows of one list. What is found beyond them is counted and not kept: memory stays bounded."""


@dataclass(frozen=True, slots=True)
class FoundId:
    """A request id in a line of the file."""

    line: int
    request_id: str


@dataclass(slots=True)
class FileRow:
    """A request id of the file: its first line, and on how many lines it stands."""

    line: int
    request_id: str
    lines: int = 1


@dataclass(slots=True)
class ElsewhereRow(FileRow):
    """An id that the audit log knows, but not of this app in this window; with its newest entry."""

    app: str | None = None
    timestamp: datetime | None = None


@dataclass(slots=True)
class LogCorrelation:
    """The result.

    `matched`: different ids of the file that the app's entries of the window have. `unknown` and `elsewhere`: ids of
    the file that the audit log has nowhere, or only in another app or outside the window; `…_more`: places in the
    file with such ids beyond those listed (an id can be in there several times). `lacking`: API calls and webhook
    deliveries of the app and window whose ids the file does not hold, newest first; `lacking_total` counts all,
    `lacking_outside` those before the first match or behind the last. `not_compared`: entries of other kinds.
    """

    app: str
    window: Window
    log: LogExtent
    matched: int = 0
    first_match: datetime | None = None
    last_match: datetime | None = None
    unknown: dict[str, FileRow] = field(default_factory=dict)
    unknown_more: int = 0
    elsewhere: dict[str, ElsewhereRow] = field(default_factory=dict)
    elsewhere_more: int = 0
    lacking: list[Entry] = field(default_factory=list)
    lacking_total: int = 0
    lacking_outside: int = 0
    not_compared: int = 0

    @property
    def one_sided(self) -> bool:
        """Tell whether anything is on one side only."""
        return bool(self.unknown or self.lacking_total)

    def note_match(self, entries: list[Entry]) -> None:
        """Count an id that matches these entries, newest first."""
        newest, oldest = entries[0].timestamp, entries[-1].timestamp
        self.matched += 1
        self.last_match = max(newest, self.last_match or newest)
        self.first_match = min(oldest, self.first_match or oldest)

    def note_unknown(self, found: FoundId) -> None:
        """Keep an id that the audit log does not know, or count it."""
        if (row := self.unknown.get(found.request_id)) is not None:
            row.lines += 1
        elif len(self.unknown) < MOST_LISTED:
            self.unknown[found.request_id] = FileRow(found.line, found.request_id)
        else:
            self.unknown_more += 1

    def note_elsewhere(self, found: FoundId, entry: Entry) -> None:
        """Keep an id that is known for something else, or count it."""
        if (row := self.elsewhere.get(found.request_id)) is not None:
            row.lines += 1
        elif len(self.elsewhere) < MOST_LISTED:
            row = ElsewhereRow(found.line, found.request_id, app=entry.app, timestamp=entry.timestamp)
            self.elsewhere[found.request_id] = row
        else:
            self.elsewhere_more += 1

    def note_lacking(self, entry: Entry) -> None:
        """Count an entry that the file lacks, and keep it while there is room."""
        self.lacking_total += 1
        first, last = self.first_match, self.last_match
        self.lacking_outside += first is not None and last is not None and not first <= entry.timestamp <= last
        if len(self.lacking) < MOST_LISTED:
            self.lacking.append(entry)
