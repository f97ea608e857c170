"""A window cut where an app's allow list changed, with the calls from outside the list of each part."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from chekt_mcp.domain.allow_list.version import AllowListVersion
from chekt_mcp.domain.analysis.allow_lists import Span
from chekt_mcp.domain.audit import Kind
from chekt_mcp.domain.timespan import Window
from chekt_mcp.operations.allow_list.compiled_lists import CompiledLists
from chekt_mcp.storage.interface import Reader

VERSIONS = 100
"""Newest versions that are looked at."""

SPANS = 20
"""Newest parts of a window that are judged."""

MOST_SOURCES = 20_000
LIVE_AFTER = timedelta(seconds=30)
"""CHeKT has a changed list live within so long; what it let in until then was let in by the one before."""


async def spans(reader: Reader, compiled: CompiledLists, dealer: str, app: str, window: Window) -> list[Span]:
    """Return the parts of a window for which there is a list to hold calls against.

    While the layer is off that is the version that was on before or, where there was none, the first one after.

    Raises:
        Unavailable: a stored list cannot be read.
    """
    from chekt_mcp.domain.allow_list.match import AddressVerdict  # noqa: PLC0415 -- rules that not every start needs

    versions = sorted(await reader.allow_list_history(dealer, app, VERSIONS), key=lambda one: one.version)
    found: list[Span] = []
    for part, at in _parts(versions, window)[-SPANS:]:
        held = _to_hold(versions, at)
        if held is None:
            continue
        matcher, _ = compiled.matcher(held)
        uses = await reader.source_uses(dealer, [app], part, MOST_SOURCES)
        calls = [use for use in uses if use.kind is Kind.API_CALL and use.source_ip is not None]
        outside = [use for use in calls if matcher.check(use.source_ip or "").verdict is AddressVerdict.DENIED]
        found.append(Span(app, part, held.version, at is not held, tuple(outside)))
    return found


def _parts(versions: Sequence[AllowListVersion], window: Window) -> list[tuple[Window, AllowListVersion | None]]:
    """Return the parts in order, each with the version in force, None before the first."""
    in_force: AllowListVersion | None = None
    cuts: list[tuple[Window, AllowListVersion | None]] = []
    begin = window.since
    for version in versions:
        live = version.effective_at + LIVE_AFTER
        if begin < live < window.until:
            cuts.append((Window(begin, live), in_force))
            begin = live
        if live < window.until:
            in_force = version
    return [*cuts, (Window(begin, window.until), in_force)]


def _to_hold(versions: Sequence[AllowListVersion], at: AllowListVersion | None) -> AllowListVersion | None:
    if at is not None and at.enabled:
        return at
    enabled = [one for one in versions if one.enabled]
    before = [one for one in enabled if at is not None and one.version < at.version]
    return before[-1] if before else next(iter(enabled), None)
