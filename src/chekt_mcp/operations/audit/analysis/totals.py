"""How many entries a window has, by everything that entries have in common."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from typing_extensions import TypedDict

from chekt_mcp.domain.analysis.facts import Activity, Ranked, SourceUse
from chekt_mcp.domain.foreign_text import escaped
from chekt_mcp.domain.timespan import rfc3339

TOP = 15
"""Most values of a column that are listed."""

HOURS = 48
SHOWN = 100
"""Characters of a value."""

ABSENT = "-"
"""Stands for entries that have no such value."""


class Others(TypedDict):
    """What a list leaves out: so many different values, with so many entries."""

    values: int
    entries: int


class Totals(TypedDict):
    """Entries of the window, by value, most first (hours: in order); `-` stands for none. `others`: what was cut.

    By address: entries without one are counted by how they came (`stdio`, `import`).
    """

    entries: int
    by_result: dict[str, int]
    by_kind: dict[str, int]
    by_app: dict[str, int]
    by_actor: dict[str, int]
    by_scope: dict[str, int]
    by_action: dict[str, int]
    by_source_ip: dict[str, int]
    by_key: dict[str, int]
    by_hour: dict[str, int]
    others: dict[str, Others]


def totals(activity: Sequence[Activity], actions: Ranked, sources: Sequence[SourceUse]) -> Totals:
    """Add up; `sources` may have been cut, what it lacks is among the others."""
    entries = sum(one.calls for one in activity)
    others: dict[str, Others] = {}
    if actions.others:
        others["by_action"] = {"values": actions.others, "entries": actions.others_calls}
    places: Counter[str | None] = Counter()
    for use in sources:
        places[use.source_ip or use.source] += use.calls
    unread = entries - sum(places.values())
    result: Totals = {
        "entries": entries,
        "by_result": _by(activity, "result", others),
        "by_kind": _by(activity, "kind", others),
        "by_app": _by(activity, "app", others),
        "by_actor": _by(activity, "actor", others),
        "by_scope": _by(activity, "scope", others),
        "by_action": _shown(actions.listed),
        "by_source_ip": _top("by_source_ip", places, others),
        "by_key": _by(activity, "key_id", others, name="by_key"),
        "by_hour": _by_hour(activity, others),
        "others": others,
    }
    if unread:
        known = others.get("by_source_ip", {"values": 0, "entries": 0})
        others["by_source_ip"] = {"values": known["values"] + 1, "entries": known["entries"] + unread}
    return result


def _by(activity: Sequence[Activity], column: str, others: dict[str, Others], *, name: str = "") -> dict[str, int]:
    counts: Counter[str | None] = Counter()
    for one in activity:
        counts[getattr(one, column)] += one.calls
    return _top(name or f"by_{column}", counts, others)


def _top(name: str, counts: Counter[str | None], others: dict[str, Others]) -> dict[str, int]:
    ranked = sorted(counts.items(), key=lambda one: (-one[1], one[0] or ""))
    if rest := ranked[TOP:]:
        others[name] = {"values": len(rest), "entries": sum(calls for _, calls in rest)}
    return _shown(ranked[:TOP])


def _shown(ranked: Sequence[tuple[str | None, int]]) -> dict[str, int]:
    shown: dict[str, int] = {}
    for value, calls in ranked:
        text = ABSENT if value is None else escaped(value, SHOWN)
        shown[text] = shown.get(text, 0) + calls
    return shown


def _by_hour(activity: Sequence[Activity], others: dict[str, Others]) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for one in activity:
        counts[rfc3339(one.hour)] += one.calls
    hours = sorted(counts)
    if rest := hours[:-HOURS]:
        others["by_hour"] = {"values": len(rest), "entries": sum(counts[hour] for hour in rest)}
    return {hour: counts[hour] for hour in hours[-HOURS:]}
