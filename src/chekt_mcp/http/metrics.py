"""Counters in the Prometheus text format (0.0.4), of all processes together, with labels out of closed lists only.

The counters lie in memory that the processes were begun with, one block each, so that nobody waits for anybody; whoever
is asked adds the blocks up. A process that is replaced goes on counting where the one before it stopped.
"""

from __future__ import annotations

import mmap
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

TOOL_CALLS: Final = "chekt_mcp_tool_calls_total"
TOOL_SECONDS: Final = "chekt_mcp_tool_seconds"
REFUSALS: Final = "chekt_mcp_refusals_total"
RESPONSES: Final = "chekt_mcp_http_responses_total"
PENDING: Final = "chekt_mcp_approvals_pending"
BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
"""Upper bounds in seconds; the last one a person who confirms in the client exceeds."""
OTHER: Final = "other"
_DOUBLE: Final = 8
_HELP: Final = {
    TOOL_CALLS: ("counter", "Tool calls that were answered, by tool and result."),
    TOOL_SECONDS: ("histogram", "Seconds from the gate to the durable log entry, by tool."),
    REFUSALS: ("counter", "Requests that the edge refused, by code."),
    RESPONSES: ("counter", "Answers of the MCP endpoint, by class of status."),
    PENDING: ("gauge", "Changes that wait for an approver."),
}


@dataclass(frozen=True, slots=True)
class Labels:
    """The closed lists that labels are out of."""

    tools: tuple[str, ...]
    results: tuple[str, ...]
    codes: tuple[str, ...]


class Metrics:
    """The counters. Make it before the processes are begun, and say in each which one it is."""

    def __init__(self, labels: Labels, processes: int = 1) -> None:
        self._series = list(_all_series(labels))
        self._places = {series: place for place, series in enumerate(self._series)}
        self._processes, self._process = processes, 0
        memory = mmap.mmap(-1, max(1, processes * len(self._series)) * _DOUBLE)
        self._values = memoryview(memory).cast("d")

    def be(self, process: int) -> None:
        """Count in the block of this process from now on."""
        self._process = process

    def count_call(self, tool: str, result: str, seconds: float) -> None:
        """Count a tool call that was answered."""
        self._add(f'{TOOL_CALLS}{{tool="{tool}",result="{result}"}}')
        place = bisect_left(BUCKETS, seconds)
        bound = str(BUCKETS[place]) if place < len(BUCKETS) else "+Inf"
        self._add(f'{TOOL_SECONDS}_bucket{{tool="{tool}",le="{bound}"}}')
        self._add(f'{TOOL_SECONDS}_sum{{tool="{tool}"}}', seconds)

    def count_refusal(self, code: str) -> None:
        """Count a request that the edge refused; a code that is not listed counts as `other`."""
        series = f'{REFUSALS}{{code="{code}"}}'
        self._add(series if series in self._places else f'{REFUSALS}{{code="{OTHER}"}}')

    def count_response(self, status: int) -> None:
        """Count an answer of the endpoint."""
        self._add(f'{RESPONSES}{{status="{status // 100}xx"}}')

    def text(self, pending: int) -> str:
        """Return everything in the text format; `pending` is how many approvals wait."""
        width = len(self._series)
        blocks = [self._values[start : start + width] for start in range(0, self._processes * width, width)]
        totals = [sum(block[place] for block in blocks) for place in range(width)]
        return "\n".join([*_lines(self._series, totals), *_described(PENDING), f"{PENDING} {pending}", ""])

    def _add(self, series: str, value: float = 1.0) -> None:
        place = self._places.get(series)
        if place is not None:
            self._values[self._process * len(self._series) + place] += value


def _all_series(labels: Labels) -> Iterator[str]:
    for tool in labels.tools:
        yield from (f'{TOOL_CALLS}{{tool="{tool}",result="{result}"}}' for result in labels.results)
    for tool in labels.tools:
        yield from (f'{TOOL_SECONDS}_bucket{{tool="{tool}",le="{bound}"}}' for bound in (*BUCKETS, "+Inf"))
        yield f'{TOOL_SECONDS}_sum{{tool="{tool}"}}'
    yield from (f'{REFUSALS}{{code="{code}"}}' for code in (*labels.codes, OTHER))
    yield from (f'{RESPONSES}{{status="{number}xx"}}' for number in range(1, 6))


def _lines(series: Sequence[str], totals: Sequence[float]) -> Iterator[str]:
    """Yield the lines of all families; buckets are kept apart and told as what they and all before them hold."""
    family, below = "", 0.0
    for one, total in zip(series, totals, strict=True):
        name = one.partition("{")[0]
        if name.removesuffix("_bucket").removesuffix("_sum") != family:
            family = name.removesuffix("_bucket").removesuffix("_sum")
            yield from _described(family)
        if not name.endswith("_bucket"):
            yield f"{one} {total:.10g}"
            continue
        below = total + (below if 'le="0.001"' not in one else 0.0)
        yield f"{one} {below:.10g}"
        if 'le="+Inf"' in one:
            yield f"{family}_count{{{one.partition('{')[2].partition(',')[0]}}} {below:.10g}"


def _described(family: str) -> Iterable[str]:
    kind, purpose = _HELP[family]
    return (f"# HELP {family} {purpose}", f"# TYPE {family} {kind}")
