"""What a person should know about fetched ranges, beside the ranges themselves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from chekt_mcp.domain.published_ranges import PublishedList, RangeProblem, labels_without_ranges, listed
from chekt_mcp.domain.range_text import RangeText
from chekt_mcp.operations.ranges.range_sources import Obtained


def notes(obtained: Obtained, chosen: Sequence[PublishedList], written: RangeText, *, named: bool) -> Iterator[str]:
    """Yield sentences: whence, which lists, what was left out and why, and who shares the ranges.

    `named`: the lists were asked for by name, so the others are nobody's concern.
    """
    yield from obtained.notes
    if not named:
        yield from _lists(chosen, labels_without_ranges(obtained.lists))
    if written.repeated:
        yield f"{written.repeated:,} networks stand in several lists; each is written once, under the first."
    for one in chosen:
        yield from _unread(one)
    if obtained.origin.shared:
        yield "All customers of the provider share these ranges: whoever rents there passes a list that has them."
    else:
        yield "If all customers of a provider share these ranges, add --shared, so that findings tell."


def _lists(chosen: Sequence[PublishedList], others: Sequence[str]) -> Iterator[str]:
    if len(chosen) > 1:
        counts = listed([f"{one.label} ({len(one.entries):,})" for one in chosen])
        yield f"All lists were taken: {counts}. Take only what you need with --kind."
    if others:
        yield f"Left out, for they hold no addresses: {listed(others)}."


def _unread(one: PublishedList) -> Iterator[str]:
    for problem in one.problems:
        yield f"left out {_place(one, problem)}: {problem.code}: {_words(problem)}"
    more = one.unread - len(one.problems)
    if more:
        yield f"left out {more:,} more of {one.label or 'the list'} that are no addresses."


def _place(one: PublishedList, problem: RangeProblem) -> str:
    return f"{one.label}, {problem.place}" if one.label else problem.place


def _words(problem: RangeProblem) -> str:
    shown = f" It says: {problem.text}" if problem.text else ""
    meant = f" Perhaps {problem.suggestion} was meant." if problem.suggestion else ""
    return f"{problem.message}{meant}{shown}"
