"""A preview in words, for clients that show only text."""

from __future__ import annotations

from collections.abc import Iterator

from chekt_mcp.domain.wording import counted
from chekt_mcp.operations.allow_list.preview_allow_list import ErrorReport, PreviewAllowList
from chekt_mcp.operations.allow_list.preview_impact import Impact, RefusedReport

SPOKEN = 20
"""Lines of one kind; more stand in the structured result."""
NETWORKS = 10
"""Networks in one line."""


def summary(result: PreviewAllowList) -> str:
    """Say what the list would change, what it would refuse, and what to do next."""
    lines = _changes(result) if result["valid"] else _errors(result)
    return "\n".join([*lines, *_effect(result["impact"]), *_remarks(result), f"Next: {result['next_step']}"])


def _changes(result: PreviewAllowList) -> Iterator[str]:
    totals = result["totals"]
    yield (
        f"Preview for {result['app']}: valid. Compared with {_current(result)}: "
        f"{totals['added']} added, {totals['removed']} removed, {totals['unchanged']} unchanged. Nothing was changed."
    )
    for title, networks, total in (
        ("Added", result["added"], totals["added"]),
        ("Removed", result["removed"], totals["removed"]),
    ):
        if total:
            yield f"{title}: {_named(networks, total)}."


def _current(result: PreviewAllowList) -> str:
    number = result["current_version"]
    if not number:
        return "no list at all"
    return f"version {number}, which is {'in force' if result['currently_enabled'] else 'off'}"


def _errors(result: PreviewAllowList) -> Iterator[str]:
    errors = result["errors"]
    yield f"Preview for {result['app']}: NOT valid, so it could not be put in force. Nothing was changed."
    yield from (_error(one) for one in errors[:SPOKEN])
    if len(errors) > SPOKEN:
        yield "More errors stand in the structured result; correct these first."


def _error(one: ErrorReport) -> str:
    instead = f" Write {one['suggestion']}." if one["suggestion"] else ""
    return f"Line {one['line']}, column {one['column']}, {one['code']}: {one['message']}{instead}"


def _effect(impact: Impact) -> Iterator[str]:
    since = impact["window"]["since"]
    if not impact["requests_seen"]:
        newest = impact["log"]["newest"]
        latest = f"its newest is of {newest}" if newest else "it holds none at all"
        yield f"The log holds no requests since {since} to hold it against; {latest}."
    elif impact["requests_refused"] is None:
        yield f"The log holds {_requests(impact['requests_seen'])} since {since}."
    else:
        yield (
            f"Of {_requests(impact['requests_seen'])} since {since} it would refuse {impact['requests_refused']:,}, "
            f"from {counted(impact['addresses_refused'] or 0, 'address', 'addresses')}; "
            f"what is in force lets {impact['newly_refused']:,} of them in."
        )
    yield from (_refused(one) for one in (impact["would_be_refused"] or ())[:SPOKEN])
    if impact["missing_scope"]:
        yield f"Which addresses these are is shown to callers with {impact['missing_scope']} only."


def _refused(one: RefusedReport) -> str:
    """The actors come last on their line: they are other people's text."""
    now = "refused already" if one["refused_now"] else "let in now"
    actors = ", ".join(one["actors"]) or "none named"
    return (
        f"Would be refused ({now}): {one['source_ip']}, {_requests(one['requests'])}, last {one['last_seen']}, "
        f"actors in the log: {actors}"
    )


def _requests(number: int) -> str:
    return counted(number, "request", "requests")


def _remarks(result: PreviewAllowList) -> Iterator[str]:
    if result["locks_out_caller"]:
        yield "WARNING: it refuses the address that this call came from: you would be LOCKED OUT."
    if result["unused"]:
        total = result["unused_total"] or 0
        yield f"Entries that no request of that time came in by: {_named(result['unused'], total)}."
    yield from (f"{one['severity']} {one['code']}: {one['message']}" for one in result["findings"])


def _named(networks: list[str], total: int) -> str:
    more = f" and {total - NETWORKS} more" if total > NETWORKS else ""
    return ", ".join(networks[:NETWORKS]) + more
