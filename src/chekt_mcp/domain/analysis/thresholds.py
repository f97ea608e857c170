"""From where on something is worth saying; each can be set (CHEKT_MCP_ANALYSIS) and is named in docs/analysis.md."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Whole numbers that the rules compare with.

    Attributes:
        baseline_days: with a shorter past before the window nothing is held against it.
        new_addresses: first-seen addresses in 30 days that make an actor one whose addresses change anyway.
        burst_calls: calls in a minute below which there is no burst, however quiet the baseline.
        failed_calls: the same for calls that failed or were refused.
        burst_factor: how many times the baseline's busiest minute a burst is.
        refusals: refusals of one source, then a success, that are worth a look.
        usual_days: an hour of the day is usual if the baseline has calls in it on as many days.
        silent_hours: hours in a row without the traffic that they always had.
        unused_days: a scope granted and not used for so long is one too many.
    """

    baseline_days: int = 7
    new_addresses: int = 5
    burst_calls: int = 10
    failed_calls: int = 5
    burst_factor: int = 2
    refusals: int = 3
    usual_days: int = 2
    silent_hours: int = 2
    unused_days: int = 90
