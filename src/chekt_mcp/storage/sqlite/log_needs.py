"""What a stretch's sketch must hold for anything in the stretch to fit a query."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from chekt_mcp.domain.audit import Query
from chekt_mcp.domain.choice import Choice
from chekt_mcp.storage.sqlite.log_query import NUMBERED, json_pattern, name_pattern
from chekt_mcp.storage.sqlite.sketch import ANY_TEXT, GRAM, Spread, grams, holds, holds_other, may_hold, spread


@dataclass(frozen=True, slots=True)
class Need:
    """All terms of any of these alternatives; or that those of `unless` are not there."""

    alternatives: tuple[Spread, ...]
    unless: Spread | None = None

    def may_be_met(self, sketch: bytes) -> bool:
        """Tell whether a stretch with this sketch may meet it."""
        if self.unless is not None and not may_hold(sketch, self.unless):
            return True
        for terms in self.alternatives:  # noqa: SIM110 -- some thousand times for a page, and `any` takes twice as long
            if may_hold(sketch, terms):
                return True
        return False


def needs(query: Query, apps: Sequence[int], find: Callable[[str], int | None]) -> list[Need]:
    """Return what the filters of a query need; nothing where no sketch can tell."""
    found = [
        need
        for column in NUMBERED
        if (choice := getattr(query, column)) is not None
        for need in _of_column(column, choice, find)
    ]
    if query.text is not None:
        found += _of_text(query.text)
    if not found:
        return []
    allowed = [*apps, None] if query.dealer_wide else apps
    return [*found, Need(tuple(spread([holds("app", app)]) for app in allowed))]


def _of_column(column: str, choice: Choice[str], find: Callable[[str], int | None]) -> list[Need]:
    numbers = [number for value in choice.values if (number := find(value)) is not None]
    if choice.negated:
        return [
            Need((spread([holds_other(column, number)]),), unless=spread([holds(column, number)])) for number in numbers
        ]
    return [Need(tuple(spread([holds(column, number)]) for number in numbers))]


def _of_text(choice: Choice[str]) -> list[Need]:
    patterns = {pattern(text).encode() for text in choice.values for pattern in (name_pattern, json_pattern)}
    if choice.negated or min(map(len, patterns)) < GRAM:
        return []
    return [Need((*(spread(grams(pattern)) for pattern in patterns), spread(ANY_TEXT)))]
