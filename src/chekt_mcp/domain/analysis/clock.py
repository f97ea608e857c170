"""Entries of our own that were written after ones of a later moment."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

from chekt_mcp.domain.analysis.facts import ClockStep
from chekt_mcp.domain.analysis.finding import LISTED, About, Code, Finding, Severity
from chekt_mcp.domain.wording import counted

TOLERATED = timedelta(minutes=5)
"""Several processes write one log, and an entry bears the moment in which its call began: some disorder is usual."""


def clock_steps(steps: Sequence[ClockStep], total: int) -> Iterator[Finding]:
    """Judge the steps back of more than `TOLERATED`; `steps` are the newest of `total`."""
    if not steps:
        return
    furthest = max(one.written_after - one.at for one in steps)
    message = (
        f"{counted(total, 'entry of this server was', 'entries of this server were')} written after one of a later "
        f"moment, up to {furthest // timedelta(minutes=1):,} minutes later: the clock was set back, or entries were "
        f"slipped in. Up to {TOLERATED // timedelta(minutes=1)} minutes are usual."
    )
    times = tuple(one.at for one in steps[:LISTED])
    yield Finding(
        Code.CLOCK_WENT_BACK,
        Severity.WARNING,
        None,
        total,
        message,
        About(times=times, others=max(0, total - len(times))),
        request_ids=tuple(one.request_id for one in steps[:LISTED]),
    )
