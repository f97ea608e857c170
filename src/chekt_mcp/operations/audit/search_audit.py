"""Search the audit log: newest first, a page at a time, and honest about what the page leaves out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from typing_extensions import TypedDict

from chekt_mcp.domain.audit import LogExtent, Page, Query
from chekt_mcp.domain.cursor import EPOCH, Cursor, seal, unseal
from chekt_mcp.domain.log_filter import canonical, with_filters
from chekt_mcp.domain.timespan import parse_window, rfc3339
from chekt_mcp.domain.wording import counted
from chekt_mcp.operations.audit.imported_from import ImportedFrom, imported_from, imported_words
from chekt_mcp.operations.audit.search_rows import ODD, Row, chosen_fields, row_words, rows_of
from chekt_mcp.operations.services import Call, Services
from chekt_mcp.operations.whoami import LogReport, extent_report, extent_words
from chekt_mcp.storage.interface import Reader


class Omitted(TypedDict):
    """What the page leaves out: further matches, as far as they were counted, and values that were cut."""

    entries: int
    at_least: bool
    values_cut: int


class WindowReport(TypedDict):
    """The window that was searched."""

    since: str
    until: str


class SearchAuditLog(TypedDict):
    """Result of `search_audit_log`. `apps`: whose entries were searched; `dealer_wide`: those of no app as well.

    Absent fields of an entry are null. `searched_to`: where the search stopped to stay quick; older entries were not
    looked at. `pruned_before`: older entries were removed by age; set where the window begins before that. `imports`:
    where entries with an `origin` came from; listed where that field is asked for.
    """

    window: WindowReport
    apps: list[str]
    dealer_wide: bool
    log: LogReport
    pruned_before: str | None
    entries: list[Row]
    imports: list[ImportedFrom]
    complete: bool
    searched_to: str | None
    omitted: Omitted
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Search:
    """The arguments of a search, as given."""

    apps: tuple[str, ...]
    dealer_wide: bool = False
    since: str = "24h"
    until: str | None = None
    filters: Mapping[str, str] = field(default_factory=dict)
    limit: int = 20
    cursor: str | None = None
    fields: Sequence[str] | None = None

    def query(self, dealer: str) -> Query:
        """Return the query of all time. Raises as `with_filters`."""
        return with_filters(Query(dealer, self.apps, EPOCH, EPOCH, dealer_wide=self.dealer_wide), self.filters)

    def identity(self, query: Query) -> dict[str, object]:
        """What a cursor is bound to: dealer, apps, window as written, and filters, however they were written."""
        return {
            "dealer": query.dealer,
            "apps": sorted(self.apps),
            "dealer_wide": self.dealer_wide,
            "since": self.since,
            "until": self.until,
            "filters": canonical(query),
        }


async def search_audit_log(services: Services, call: Call, search: Search) -> SearchAuditLog:
    """Return one page.

    Raises:
        InvalidInput: a field, window, filter or cursor that cannot be read.
    """
    fields, query = chosen_fields(search.fields), search.query(call.grant.dealer)
    identity, secret = search.identity(query), await cursor_secret(services)
    resumed = unseal(search.cursor, identity, secret) if search.cursor else None
    window = resumed.window if resumed else parse_window(search.since, search.until, call.now)
    query = replace(query, since=window.since, until=window.until, before=resumed.position if resumed else None)

    async def look(reader: Reader) -> tuple[Page, LogExtent, datetime | None, list[ImportedFrom]]:
        page = await reader.search_page(query, search.limit)
        extent = await reader.log_extent(query.dealer, search.apps, dealer_wide=search.dealer_wide)
        imports = await imported_from(reader, query.dealer, page.entries) if "origin" in fields else []
        return page, extent, await reader.pruned_before(query.dealer), imports

    page, extent, pruned, imports = await services.storage.scan(look)
    rows, cut = rows_of(page.entries, fields)
    following = Cursor(window, page.following) if page.following else None
    stopped = page.following if not page.full else None
    return {
        "window": {"since": rfc3339(window.since), "until": rfc3339(window.until)},
        "apps": list(search.apps),
        "dealer_wide": search.dealer_wide,
        "log": extent_report(extent),
        "pruned_before": rfc3339(pruned) if pruned and window.since < pruned else None,
        "entries": rows,
        "imports": imports,
        "complete": following is None,
        "searched_to": rfc3339(EPOCH + timedelta(microseconds=stopped.microseconds)) if stopped else None,
        "omitted": {"entries": page.further, "at_least": page.at_least or stopped is not None, "values_cut": cut},
        "next_cursor": seal(following, identity, secret) if following else None,
    }


async def cursor_secret(services: Services) -> bytes:
    """Return this installation's secret for sealing cursors, made on first use."""
    known = await services.storage.read(lambda reader: reader.server_secret("cursor"))
    if known is not None:
        return known
    fresh = services.random(32)
    return await services.storage.write(lambda writer: writer.make_server_secret("cursor", fresh))


def summary(result: SearchAuditLog) -> str:
    """Say the page in lines: what was searched, the rows, whether that is all, and how to go on."""
    window = result["window"]
    whose = ", ".join(result["apps"]) + (" and the dealer as a whole" if result["dealer_wide"] else "")
    found = counted(len(result["entries"]), "entry", "entries")
    lines = [f"{found} of {whose}, {window['since']} to {window['until']}."]
    lines += [row_words(row) for row in result["entries"]]
    return "\n".join([*lines, _completeness(result), f"The log holds {extent_words(result['log'])}.", *_notes(result)])


def _completeness(result: SearchAuditLog) -> str:
    cursor = f"Repeat with cursor={result['next_cursor']}"
    if result["complete"]:
        return "Complete: nothing else in this window fits."
    if result["searched_to"]:
        return f"NOT complete: searched back to {result['searched_to']}, not yet beyond. {cursor}"
    least = "at least " if result["omitted"]["at_least"] else ""
    more = counted(result["omitted"]["entries"], "older entry fits", "older entries fit")
    return f"NOT complete: {least}{more}. {cursor}"


def _notes(result: SearchAuditLog) -> list[str]:
    notes = imported_words(result["imports"])
    if result["pruned_before"]:
        notes.append(f"Entries before {result['pruned_before']} were pruned by age: of those this cannot tell.")
    odd = sum(ODD in row for row in result["entries"])
    if odd:
        notes.append(f"{counted(odd, 'entry has', 'entries have')} values that cannot be read, marked odd.")
    return notes
