"""Hold what is recorded as pruned against the entries that tell of it: a prune cannot be stretched to hide a deletion.

The entry that tells of a prune says how many entries went, and has the SHA-256 of their numbers: of the first and last
number of each range, ascending. It is a leaf like any other, so it cannot be changed unseen; the record of the ranges
is no part of the tree. Numbers of first and last alone would let somebody who has a pruned row put it back in the place
of another. Whoever has the file can also log a prune of their own: the age that it claims is held against `prune_ages`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING

from chekt_mcp.domain.audit import Entry
from chekt_mcp.domain.log_problem import LogProblem, Tampering
from chekt_mcp.domain.retention import RETENTION
from chekt_mcp.operations.audit.prune_ages import PruneAges, moment_said
from chekt_mcp.operations.audit.prune_audit import PRUNED, range_line
from chekt_mcp.storage.interface import Reader
from chekt_mcp.storage.records import PrunedRange

if TYPE_CHECKING:
    from hashlib import _Hash as Hash  # the name that typeshed has for it

RANGES = 1_000
"""Ranges read at a time."""

SHORTEST = min(RETENTION.values())
"""What no plan lets go."""


@dataclass(slots=True)
class _Claim:
    """What is recorded as gone by one prune."""

    first: int
    last: int
    entries: int = 0
    numbers: Hash = field(default_factory=sha256)

    def add(self, gone: PrunedRange) -> None:
        self.first, self.last = min(self.first, gone.first), max(self.last, gone.last)
        self.entries += gone.last - gone.first + 1
        self.numbers.update(range_line(gone.first, gone.last))


async def check_prunes(reader: Reader, dealer: str, ages: PruneAges, now: datetime) -> list[LogProblem]:
    """Find prunes of which more is recorded than their entries tell, and those of what was too young to be pruned.

    Memory grows with the prunes, not the entries.
    """
    claims = dict[int, _Claim]()
    after = 0
    while ranges := await reader.pruned_ranges(dealer, after, RANGES):
        for gone in ranges:
            claims.setdefault(gone.prune_seq, _Claim(gone.first, gone.last)).add(gone)
        after = ranges[-1].last
    return [
        LogProblem(Tampering.DELETED, claim.first, claim.last, problem)
        for number, claim in claims.items()
        if (problem := _problem(number, claim, await _entry(reader, dealer, number), ages, now))
    ]


def _problem(number: int, claim: _Claim, entry: Entry | None, ages: PruneAges, now: datetime) -> str | None:
    if entry is None or entry.action != PRUNED or not _told(entry, claim):
        return f"{_recorded(claim)} as pruned, and entry {number:,} does not tell of just these."
    before = moment_said(entry, "before")
    if before is None or before > now - SHORTEST:
        return f"{_recorded(claim)} as pruned by entry {number:,}, which by this machine's clock nothing may prune yet."
    if young := ages.too_young(number, before):
        return (
            f"{_recorded(claim)} as pruned for their age by entry {number:,}, and entry {min(young):,} stood among "
            "younger ones: it was removed for something else, or this machine's clock was far behind as it was logged."
        )
    return None


def _told(entry: Entry, claim: _Claim) -> bool:
    told = entry.details
    return (told.get("entries"), told.get("ranges_sha256")) == (claim.entries, claim.numbers.hexdigest())


async def _entry(reader: Reader, dealer: str, number: int) -> Entry | None:
    found = await reader.logged_entries(dealer, number - 1, 1)
    return found[0].entry if found and found[0].entry.seq == number else None


def _recorded(claim: _Claim) -> str:
    return f"{claim.entries:,} of the entries {claim.first:,} to {claim.last:,} are recorded"
