"""What every storage engine promises of the log's summaries. Part of `interface.Reader`.

All are kept on every append and read without the entries, but for the hours that a window cuts. `apps` names whose
entries count, None those of no app. Of an app or dealer that the log has never held there is nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from chekt_mcp.domain.analysis.facts import (
    Activity,
    ClockStep,
    HourCount,
    MinuteCount,
    Newcomer,
    Ranked,
    ScopeUse,
    SourceUse,
    Turnover,
)
from chekt_mcp.domain.audit import Kind
from chekt_mcp.domain.timespan import Window

Apps = Sequence[str | None]


class SummaryLookups(Protocol):
    """What can be asked of summaries. See `interface.Reader`."""

    async def logged_apps(self, dealer: str) -> Apps:
        """Whose entries the dealer's log holds, by name; None comes last."""
        ...

    async def countable(self, dealer: str, apps: Apps, window: Window) -> Window:
        """The window, its ends moved out to the whole hour where the hour it cuts holds too many entries to read."""
        ...

    async def activity(self, dealer: str, apps: Apps, window: Window) -> Sequence[Activity]:
        """The entries of a window, by all that they may have in common."""
        ...

    async def actions(self, dealer: str, apps: Apps, window: Window, limit: int) -> Ranked:
        """The most frequent actions of a window, most first."""
        ...

    async def source_uses(self, dealer: str, apps: Apps, window: Window, limit: int) -> Sequence[SourceUse]:
        """The entries of a window by where they came from: at most `limit` rows, most entries first."""
        ...

    async def hour_counts(self, dealer: str, apps: Apps, window: Window) -> Sequence[HourCount]:
        """Every hour with entries that the window touches, whole, oldest first."""
        ...

    async def busy_minutes(
        self, dealer: str, of: tuple[str | None, Kind], window: Window, limits: tuple[int, int]
    ) -> Sequence[MinuteCount]:
        """Minutes of one app and kind with so many calls, or so many failed (`limits`): at most 500, most calls first.

        Whole ones, as far as the window touches them.
        """
        ...

    async def newcomers(self, dealer: str, apps: Apps, span: Window) -> Sequence[Newcomer]:
        """Addresses that an actor first came from within a span: at most 1,000 for an app, the latest first."""
        ...

    async def turnover(self, dealer: str, apps: Apps, span: Window) -> Sequence[Turnover]:
        """How many addresses each actor first came from within a span, once it was known for a week."""
        ...

    async def scope_uses(self, dealer: str, apps: Apps) -> Sequence[ScopeUse]:
        """The scopes that the apps' own calls (to CHeKT or to this server) ever named."""
        ...

    async def scope_grants(self, dealer: str, app: str) -> Mapping[str, datetime]:
        """The scopes an app holds, and since when without a break."""
        ...

    async def clock_steps(self, dealer: str, window: Window, limit: int) -> tuple[Sequence[ClockStep], int]:
        """Entries of our own in a window that bear an earlier moment than the one before: the newest, and how many."""
        ...
