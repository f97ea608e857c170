"""Calls from outside the allow list that was in force when they came, or was to be had while the layer was off."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from chekt_mcp.domain.analysis.facts import SourceUse
from chekt_mcp.domain.analysis.finding import LISTED, SELECTED, About, Code, Finding, Selector, Severity
from chekt_mcp.domain.audit import Kind
from chekt_mcp.domain.timespan import Window, rfc3339
from chekt_mcp.domain.wording import counted


@dataclass(frozen=True, slots=True)
class Span:
    """A part of the window in which the layer stayed as it was, with the calls from outside the list.

    `version` is the list held against them; `off`: it was not in force then, because the layer was off.
    """

    app: str
    window: Window
    version: int
    off: bool
    outside: tuple[SourceUse, ...]


def outside_lists(spans: Sequence[Span]) -> Iterator[Finding]:
    """Judge each span with calls from outside."""
    for span in spans:
        if span.outside:
            yield _while_off(span) if span.off else _in_force(span)


def _in_force(span: Span) -> Finding:
    served = sum(use.served for use in span.outside)
    message = (
        f"{_calls(span)} outside version {span.version} of the allow list, which was in force "
        f"{rfc3339(span.window.since)} to {rfc3339(span.window.until)}; "
    )
    if served:
        message += f"{counted(served, 'was', 'were')} answered all the same: the list is not enforced where these went."
    else:
        message += "none was answered."
    return _finding(Code.OUTSIDE_ALLOW_LIST, Severity.CRITICAL if served else Severity.WARNING, span, message)


def _while_off(span: Span) -> Finding:
    message = (
        f"{_calls(span)} outside version {span.version} of the allow list while the layer was off, "
        f"{rfc3339(span.window.since)} to {rfc3339(span.window.until)}: that version would have refused them."
    )
    return _finding(Code.OUTSIDE_LIST_WHILE_OFF, Severity.WARNING, span, message)


def _calls(span: Span) -> str:
    addresses = {use.source_ip for use in span.outside}
    calls = sum(use.calls for use in span.outside)
    return f"{counted(calls, 'call', 'calls')} from {counted(len(addresses), 'address', 'addresses')}"


def _finding(code: Code, severity: Severity, span: Span, message: str) -> Finding:
    ranked = sorted(span.outside, key=lambda use: (-use.calls, use.source_ip or ""))
    addresses = tuple(dict.fromkeys(use.source_ip for use in ranked if use.source_ip))
    since, until = span.window.since, span.window.until
    return Finding(
        code,
        severity,
        span.app,
        sum(use.calls for use in span.outside),
        message,
        About(source_ips=addresses[:LISTED], others=max(0, len(addresses) - LISTED)),
        tuple(
            Selector(span.app, since, until, source_ip=address, kind=Kind.API_CALL) for address in addresses[:SELECTED]
        ),
    )
