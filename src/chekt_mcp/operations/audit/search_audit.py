"""Search the audit log: newest first, a page at a time, and honest about what the page leaves out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from typing_extensions import TypedDict

from chekt_mcp.domain.audit import Entry, LogExtent, Position, Query
from chekt_mcp.domain.cursor import Cursor, microseconds, seal, unseal
from chekt_mcp.domain.foreign_text import escaped
from chekt_mcp.domain.log_filter import with_filters
from chekt_mcp.domain.timespan import Window, parse_window, rfc3339
from chekt_mcp.domain.wording import counted
from chekt_mcp.errors import InvalidInput
from chekt_mcp.operations.services import Call, Services
from chekt_mcp.operations.whoami import LogReport, extent_report, extent_words
from chekt_mcp.storage.interface import Reader

ALWAYS = ("seq", "timestamp", "request_id")
DEFAULT_FIELDS = ("app", "actor", "kind", "action", "scope", "result", "source_ip", "key_id")
FIELDS = (*ALWAYS, *DEFAULT_FIELDS, "source", "origin", "details")
COUNT_LIMIT = 1_000
TEXT_LIMIT = 120


class Omitted(TypedDict):
    """What the page leaves out: further matches (counted to 1,000) and values that were cut."""

    entries: int
    at_least: bool
    values_cut: int


class WindowReport(TypedDict):
    """The window that was searched."""

    since: str
    until: str


class SearchAuditLog(TypedDict):
    """Result of `search_audit_log`. `apps`: whose entries were searched; `dealer_wide`: those of no app as well.

    Absent fields of an entry are null.
    """

    window: WindowReport
    apps: list[str]
    dealer_wide: bool
    log: LogReport
    entries: list[dict[str, object]]
    complete: bool
    omitted: Omitted
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Search:
    """The arguments of a search, as given."""

    apps: tuple[str, ...]
    dealer_wide: bool = False
    since: str = "24h"
    until: str | None = None
    filters: Mapping[str, str] | None = None
    limit: int = 20
    cursor: str | None = None
    fields: Sequence[str] | None = None

    def identity(self, call: Call) -> dict[str, object]:
        """What a cursor is bound to: caller, apps, window as written, and filters."""
        filters = dict(self.filters or {})
        return {
            "dealer": call.grant.dealer,
            "apps": self.apps,
            "dealer_wide": self.dealer_wide,
            "since": self.since,
            "until": self.until,
            **filters,
        }


async def search_audit_log(services: Services, call: Call, search: Search) -> SearchAuditLog:
    """Return one page.

    Raises:
        InvalidInput: a field, window, address or cursor that cannot be read.
    """
    fields = _fields(search.fields)
    secret = await cursor_secret(services)
    resumed = unseal(search.cursor, search.identity(call), secret) if search.cursor else None
    window = resumed.window if resumed else parse_window(search.since, search.until, call.now)
    query = _query(call, search, window, resumed.position if resumed else None)

    async def page(reader: Reader) -> tuple[Sequence[Entry], int, LogExtent]:
        found = await reader.search(query, search.limit + 1)
        more = await _count_after(reader, query, found, search.limit)
        extent = await reader.log_extent(call.grant.dealer, search.apps, dealer_wide=search.dealer_wide)
        return found, more, extent

    found, more, extent = await services.storage.scan(page)
    shown = found[: search.limit]
    rows, cut = _rows(shown, fields)
    following = Cursor(window, _position(shown[-1])) if more else None
    return {
        "window": {"since": rfc3339(window.since), "until": rfc3339(window.until)},
        "apps": list(search.apps),
        "dealer_wide": search.dealer_wide,
        "log": extent_report(extent),
        "entries": rows,
        "complete": not more,
        "omitted": {"entries": more, "at_least": more >= COUNT_LIMIT, "values_cut": cut},
        "next_cursor": seal(following, search.identity(call), secret) if following else None,
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
    lines += [" ".join("-" if value is None else str(value) for value in row.values()) for row in result["entries"]]
    return "\n".join([*lines, _completeness(result), f"The log holds {extent_words(result['log'])}."])


def _completeness(result: SearchAuditLog) -> str:
    if result["complete"]:
        return "Complete: nothing else in this window fits."
    least = "at least " if result["omitted"]["at_least"] else ""
    more = counted(result["omitted"]["entries"], "older entry fits", "older entries fit")
    return f"NOT complete: {least}{more}. Repeat with cursor={result['next_cursor']}"


def _query(call: Call, search: Search, window: Window, before: Position | None) -> Query:
    whose = Query(call.grant.dealer, search.apps, window.since, window.until, before=before)
    return with_filters(replace(whose, dealer_wide=search.dealer_wide), search.filters or {})


def _fields(wanted: Sequence[str] | None) -> tuple[str, ...]:
    if wanted is None:
        return (*ALWAYS, *DEFAULT_FIELDS)
    if not set(wanted) <= set(FIELDS):
        raise InvalidInput(
            "There is no such field.", field="fields", code="unknown_field", fix="Fields: " + ", ".join(FIELDS) + "."
        )
    return tuple(dict.fromkeys((*ALWAYS, *wanted)))


async def _count_after(reader: Reader, query: Query, found: Sequence[Entry], limit: int) -> int:
    if len(found) <= limit:
        return 0
    return await reader.count(replace(query, before=_position(found[limit - 1])), COUNT_LIMIT)


def _position(entry: Entry) -> Position:
    return Position(microseconds(entry.timestamp), entry.seq)


def _rows(entries: Sequence[Entry], fields: tuple[str, ...]) -> tuple[list[dict[str, object]], int]:
    cut: list[str] = []
    rows = [{field: _value(entry, field, cut) for field in fields} for entry in entries]
    return rows, len(cut)


def _value(entry: Entry, field: str, cut: list[str]) -> object:
    if field == "timestamp":
        return rfc3339(entry.timestamp)
    value = getattr(entry, field)
    if isinstance(value, Mapping):
        value = ", ".join(f"{name}={inner}" for name, inner in value.items())
    if not isinstance(value, str):
        return value
    if len(value) > TEXT_LIMIT:
        cut.append(field)
    return escaped(str(value), TEXT_LIMIT)
