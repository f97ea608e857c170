"""Compare the request ids of an application's log with the audit log, in both directions and in bounded memory.

The file's ids are looked up as they come, each in its index. Of the entries they match only the number is kept, one
bit each; afterwards the app's entries of the window are walked, and those without their bit are what the file lacks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from chekt_mcp.domain.audit import Entry, Kind, Position, Query
from chekt_mcp.domain.choice import any_of
from chekt_mcp.domain.cursor import microseconds
from chekt_mcp.domain.timespan import Window
from chekt_mcp.errors import InvalidInput
from chekt_mcp.operations.audit.log_correlation import FoundId, LogCorrelation
from chekt_mcp.operations.known_app import unknown_app
from chekt_mcp.storage.interface import Reader, Storage

COMPARED = frozenset({Kind.API_CALL, Kind.WEBHOOK_DELIVERY})
"""What an application has a part in. What operators and assistants do never passes through its log."""

IDS_AT_ONCE = 1_000
PAGE = 1_000
Progress = Callable[[int, int], None]
"""Told how many entries were walked, and how many there are to walk at most."""


async def app_to_correlate(storage: Storage, dealer: str, named: str | None) -> str:
    """Return the app named, or the dealer's only one; it may also be one of which there are only entries.

    Raises:
        InvalidInput: code `app_required`.
        NotFound: code `unknown_app`.
    """
    apps = [app.name for app in await storage.read(lambda reader: reader.apps(dealer))]
    if named is None and len(apps) == 1:
        return apps[0]
    if named is None:
        fix = f"Add --app and one of: {', '.join(apps)}." if apps else "Add --app."
        raise InvalidInput("Say whose log that is.", field="app", code="app_required", fix=fix)
    extent = await storage.read(lambda reader: reader.log_extent(dealer, [named]))
    if named not in apps and not extent.entries:
        raise unknown_app()
    return named


class Correlator:
    """One comparison: `take` what the file holds, piece by piece, then `finish`."""

    def __init__(self, storage: Storage, result: LogCorrelation, query: Query) -> None:
        self._storage = storage
        self._result = result
        self._query = query
        self._matched = bytearray()

    @classmethod
    async def begin(cls, storage: Storage, dealer: str, app: str, window: Window) -> Correlator:
        """Start with nothing found."""
        log = await storage.read(lambda reader: reader.log_extent(dealer, [app]))
        query = Query(dealer, (app,), window.since, window.until)
        return cls(storage, LogCorrelation(app, window, log), query)

    async def take(self, found: Sequence[FoundId]) -> None:
        """Look up what stands in some lines of the file."""
        for start in range(0, len(found), IDS_AT_ONCE):
            await self._look_up(found[start : start + IDS_AT_ONCE])

    async def finish(self, progress: Progress = lambda _walked, _of: None) -> LogCorrelation:
        """Find what the file lacks."""
        before, walked = None, 0
        while page := await self._page(before):
            for entry in page:
                self._compare(entry)
            walked += len(page)
            progress(walked, self._result.log.entries)
            before = _position(page[-1])
        return self._result

    async def _look_up(self, found: Sequence[FoundId]) -> None:
        different = dict.fromkeys(one.request_id for one in found)

        async def work(reader: Reader) -> dict[str, tuple[list[Entry], Sequence[Entry]]]:
            return {one: await self._entries(reader, one) for one in different}

        entries = await self._storage.scan(work)
        for one in found:
            self._note(one, *entries[one.request_id])

    async def _entries(self, reader: Reader, request_id: str) -> tuple[list[Entry], Sequence[Entry]]:
        """Return the id's entries of app and window, newest first, or else one of any app and time."""
        query = replace(self._query, request_id=any_of(request_id))
        entries = list(await reader.search(query, PAGE))
        if entries and self._is_matched(entries[0].seq):  # by an earlier line: then all of them are
            return entries[:1], ()
        page: Sequence[Entry] = entries
        while len(page) == PAGE:
            page = await reader.search(replace(query, before=_position(page[-1])), PAGE)
            entries += page
        return entries, () if entries else await reader.entries_by_request_id(query.dealer, request_id, 1)

    def _note(self, found: FoundId, entries: list[Entry], elsewhere: Sequence[Entry]) -> None:
        if entries and not self._is_matched(entries[0].seq):
            self._result.note_match(entries)
            for entry in entries:
                self._mark(entry.seq)
        elif elsewhere:
            self._result.note_elsewhere(found, elsewhere[0])
        elif not entries:
            self._result.note_unknown(found)

    async def _page(self, before: Position | None) -> Sequence[Entry]:
        query = replace(self._query, before=before)
        return await self._storage.scan(lambda reader: reader.search(query, PAGE))

    def _compare(self, entry: Entry) -> None:
        if entry.kind not in COMPARED:
            self._result.not_compared += 1
        elif not self._is_matched(entry.seq):
            self._result.note_lacking(entry)

    def _mark(self, seq: int) -> None:
        byte, bit = divmod(seq, 8)
        if byte >= len(self._matched):
            self._matched.extend(bytes(byte + 1 - len(self._matched)))
        self._matched[byte] |= 1 << bit

    def _is_matched(self, seq: int) -> bool:
        byte, bit = divmod(seq, 8)
        return byte < len(self._matched) and bool(self._matched[byte] >> bit & 1)


def _position(entry: Entry) -> Position:
    return Position(microseconds(entry.timestamp), entry.seq)
