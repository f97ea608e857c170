"""What a proposed allow list would change, before anybody is asked: errors, difference, findings, real traffic."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass

from typing_extensions import TypedDict

from chekt_mcp.domain.allow_list import AddressMatcher, Entry, ListDiff, ParseError, diff, parse
from chekt_mcp.domain.app import Authority
from chekt_mcp.domain.scope import Scope
from chekt_mcp.operations.allow_list.entry_use import entry_use
from chekt_mcp.operations.allow_list.list_effect import Effect, effect, hold, last_matched, locks_out
from chekt_mcp.operations.allow_list.list_findings import FindingReport, list_findings
from chekt_mcp.operations.allow_list.preview_facts import Facts, preview_facts
from chekt_mcp.operations.allow_list.preview_impact import Impact, impact
from chekt_mcp.operations.allow_list.proposed_list import EMPTY, NO_ENTRIES
from chekt_mcp.operations.services import Call
from chekt_mcp.storage.interface import Reader

SHOWN = 500
"""Networks that an answer lists of each kind; the totals are always whole."""


class ErrorReport(TypedDict):
    """One thing wrong with the text: where, an escaped excerpt, which mistake, and what to write instead."""

    line: int
    column: int
    text: str
    code: str
    message: str
    suggestion: str | None


class Totals(TypedDict):
    """How many networks there are of each kind, listed or not."""

    added: int
    removed: int
    unchanged: int


NOTHING_IN_IT: ErrorReport = {
    "line": 1,
    "column": 1,
    "text": "",
    "code": EMPTY,
    "message": NO_ENTRIES + " To turn the layer off, use update_allow_list with disable=true.",
    "suggestion": None,
}


class PreviewAllowList(TypedDict):
    """Result of `preview_allow_list`. A list that is not valid is compared with nothing: only its errors count.

    `unused`: entries that no request in the window came in by; null without operators:read, since asking for one
    address after the other would give away the log. `locks_out_caller` is null for a local client, which has no
    address, and for a list that is not valid.
    """

    app: str
    authority: str
    valid: bool
    errors: list[ErrorReport]
    current_version: int
    currently_enabled: bool
    added: list[str]
    removed: list[str]
    unchanged: list[str]
    totals: Totals
    findings: list[FindingReport]
    impact: Impact
    unused: list[str] | None
    unused_total: int | None
    locks_out_caller: bool | None
    next_step: str


@dataclass(frozen=True, slots=True)
class Judged:
    """What can be said of a list that could be put in force."""

    changed: ListDiff
    effect: Effect
    findings: list[FindingReport]
    unused: Sequence[str] | None
    locks_out_caller: bool | None


async def preview_allow_list(reader: Reader, call: Call, app: str, text: str, lookback: str) -> PreviewAllowList:
    """Judge `text` as the next list of `app` on the traffic of `lookback`. Takes up to a second: scan, not read.

    Raises:
        InvalidInput: `lookback` is no span or moment before now.
        Unavailable: the list in force cannot be read.
    """
    facts = await preview_facts(reader, call, app, lookback)
    parsed = parse(text)
    errors = [_error(one) for one in parsed.errors] or ([] if parsed.entries else [NOTHING_IN_IT])
    judged = None if errors else await _judged(reader, call, facts, parsed.entries)
    changed = judged.changed if judged else ListDiff((), (), ())
    return {
        "app": facts.app.name,
        "authority": facts.app.authority.value,
        "valid": not errors,
        "errors": errors,
        "current_version": facts.number,
        "currently_enabled": facts.enabled,
        "added": list(changed.added[:SHOWN]),
        "removed": list(changed.removed[:SHOWN]),
        "unchanged": list(changed.unchanged[:SHOWN]),
        "totals": _totals(changed),
        "findings": judged.findings if judged else [],
        "impact": await impact(reader, call, facts, judged.effect if judged else None),
        "unused": list(judged.unused[:SHOWN]) if judged and judged.unused is not None else None,
        "unused_total": len(judged.unused) if judged and judged.unused is not None else None,
        "locks_out_caller": judged.locks_out_caller if judged else None,
        "next_step": _next_step(facts, judged),
    }


async def _judged(reader: Reader, call: Call, facts: Facts, entries: Sequence[Entry]) -> Judged:
    matcher = AddressMatcher(entries)
    in_force = AddressMatcher(facts.entries) if facts.enabled else None
    sees = call.grant.allows(Scope.OPERATORS_READ)
    changed, held = diff(facts.entries, entries), hold(facts.traffic, matcher)
    used = last_matched(held)
    use = await entry_use(reader, facts.app, changed.unchanged, used, call.now) if sees else None
    return Judged(
        changed=changed,
        effect=effect(held, in_force),
        findings=list_findings(facts.app, entries, use, call.now),
        unused=_unused(entries, used) if sees else None,
        locks_out_caller=locks_out(matcher, call.source_ip),
    )


def _unused(entries: Sequence[Entry], used: Container[str]) -> list[str]:
    return [network for network in dict.fromkeys(entry.network for entry in entries) if network not in used]


def _error(one: ParseError) -> ErrorReport:
    return {
        "line": one.line,
        "column": one.column,
        "text": one.text,
        "code": one.code.value,
        "message": one.message,
        "suggestion": one.suggestion,
    }


def _totals(changed: ListDiff) -> Totals:
    return {"added": len(changed.added), "removed": len(changed.removed), "unchanged": len(changed.unchanged)}


def _next_step(facts: Facts, judged: Judged | None) -> str:
    if judged is None:
        return "Correct the errors and preview again; update_allow_list would refuse this text."
    if facts.app.authority is Authority.PLATFORM:
        return "Only CHeKT's dealer portal can put it in force: update_allow_list gives the steps."
    return f"To put it in force: update_allow_list with expected_version={facts.number}; a person confirms it."
