"""Keys that are on their way out, or out, and still used."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from chekt_mcp.domain.analysis.finding import About, Code, Finding, Selector, Severity
from chekt_mcp.domain.api_key import Key, KeyState
from chekt_mcp.domain.audit import Result
from chekt_mcp.domain.timespan import Window, rfc3339
from chekt_mcp.domain.wording import counted


@dataclass(frozen=True, slots=True)
class RetiredUse:
    """Entries that name a retired key: `calls` within `span`, of them `served`; from how many sources."""

    key: Key
    span: Window
    ended: bool
    calls: int
    served: int
    sources: tuple[str, ...]


def ended_at(key: Key) -> datetime | None:
    """Return when a key stopped opening anything, None for one that the clock has not ended yet or never did."""
    if key.state is KeyState.REVOKED:
        return key.revoked_at
    return key.valid_until if key.state is KeyState.PREVIOUS else None


def retired_keys(uses: Sequence[RetiredUse]) -> Iterator[Finding]:
    """Judge each use of a previous or revoked key."""
    for use in uses:
        if use.calls:
            yield _finding(use)


def _finding(use: RetiredUse) -> Finding:
    calls = f"{counted(use.calls, 'entry names', 'entries name')} a key"
    if not use.ended:
        severity = Severity.INFO
        message = f"{calls} in its time of grace: whoever sent them needs the new key before that ends."
    elif use.served:
        severity = Severity.CRITICAL
        message = f"{calls} that ended {rfc3339(use.span.since)} or before, and {use.served:,} of them were answered."
    else:
        severity = Severity.WARNING
        message = f"{calls} that ended {rfc3339(use.span.since)} or before; none was answered."
    about = About(key_ids=(use.key.key_id,), source_ips=use.sources)
    result = Result.OK if use.ended and use.served else None
    evidence = Selector(use.key.app, use.span.since, use.span.until, key_id=use.key.key_id, result=result)
    return Finding(Code.RETIRED_KEY_USED, severity, use.key.app, use.calls, message, about, (evidence,))
