"""What is wrong with a log: which entries, in words for a person, and whether two problems are one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from chekt_mcp.domain.audit import LoggedEntry
from chekt_mcp.domain.audit_leaf import leaf_hash
from chekt_mcp.domain.wording import counted


class Tampering(StrEnum):
    """What was done to the log. `first` and `last` of a problem say where, where that can be told."""

    EDITED = "edited"
    DELETED = "deleted"
    REORDERED = "reordered"
    INSERTED = "inserted"
    TRUNCATED = "truncated"
    REWRITTEN = "rewritten"
    TREE = "tree"
    SUMMARY = "summary"
    CHECKPOINT = "checkpoint"


@dataclass(frozen=True, slots=True)
class LogProblem:
    """One finding about the entries `first` to `last` (numbers, from 1); both None where it concerns no entry."""

    what: Tampering
    first: int | None
    last: int | None
    message: str


def entries_problem(what: Tampering, first: int, last: int) -> LogProblem:
    """Return a problem of entries that are not, or not any more, what was logged."""
    number = last - first + 1
    span = f"Entry {first:,}" if number == 1 else f"Entries {first:,} to {last:,}"
    said = {
        Tampering.EDITED: "not what was logged: the row was changed afterwards",
        Tampering.DELETED: "gone, and no pruning tells of it",
        Tampering.REORDERED: "logged, and stood elsewhere in the log",
        Tampering.INSERTED: "not part of the log: the row was put there past the tree",
    }[what]
    return LogProblem(what, first, last, f"{span} {'is' if number == 1 else 'are'} {said}.")


def runs(what: Tampering, numbers: Iterable[int]) -> list[LogProblem]:
    """Return one problem for each unbroken run of entry numbers, in their order."""
    found: list[LogProblem] = []
    for number in sorted(numbers):
        if found and found[-1].last == number - 1:
            first = found[-1].first
            found[-1] = entries_problem(what, number if first is None else first, number)
        else:
            found.append(entries_problem(what, number, number))
    return found


def changed_places(suspects: Mapping[int, LoggedEntry], leaves: Mapping[int, bytes]) -> set[int]:
    """Return the numbers of those changed entries that only stand in one another's place.

    A row moved from number a to number b fits leaf a as soon as it is numbered a again.
    """
    return {
        here
        for here, logged in suspects.items()
        if not logged.entry.odd
        and any(
            leaf_hash(replace(logged.entry, seq=other), logged.salt) == leaf
            for other, leaf in leaves.items()
            if other != here
        )
    }


def truncated(size: int, vouched: int, by: str) -> LogProblem:
    """Return the problem of a log that is shorter than somebody says it was."""
    lost = counted(vouched - size, "entry is", "entries are")
    message = f"The log has {counted(size, 'entry', 'entries')}; {by} says it had {vouched:,}: the newest {lost} gone."
    return LogProblem(Tampering.TRUNCATED, size + 1, vouched, message)


def rewritten(size: int, by: str) -> LogProblem:
    """Return the problem of a log whose beginning is not the one that somebody vouches for."""
    message = f"Up to entry {size:,} the log is not the one that {by} says it was: something in it was changed."
    return LogProblem(Tampering.REWRITTEN, 1, size, message)
