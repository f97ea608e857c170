"""Hold what is recorded as pruned against the entries that tell of it: a prune cannot be stretched to hide a deletion.

The entry that tells of a prune says how many entries went, and has the SHA-256 of their numbers: of the first and last
number of each range, ascending. It is a leaf like any other, so it cannot be changed unseen; the record of the ranges
is no part of the tree. Numbers of first and last alone would let somebody who has a pruned row put it back in the place
of another.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING

from chekt_mcp.domain.audit import Entry
from chekt_mcp.domain.log_problem import LogProblem, Tampering
from chekt_mcp.operations.audit.prune_audit import PRUNED, range_line
from chekt_mcp.storage.interface import Reader
from chekt_mcp.storage.records import PrunedRange

if TYPE_CHECKING:
    from hashlib import _Hash as Hash  # the name that typeshed has for it

RANGES = 1_000
"""Ranges read at a time."""


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


async def check_prunes(reader: Reader, dealer: str) -> list[LogProblem]:
    """Find prunes of which more is recorded than their entries tell; memory grows with the prunes, not the entries."""
    claims = dict[int, _Claim]()
    after = 0
    while ranges := await reader.pruned_ranges(dealer, after, RANGES):
        for gone in ranges:
            claims.setdefault(gone.prune_seq, _Claim(gone.first, gone.last)).add(gone)
        after = ranges[-1].last
    return [
        LogProblem(Tampering.DELETED, claim.first, claim.last, _words(number, claim))
        for number, claim in claims.items()
        if not _told(await _entry(reader, dealer, number), claim)
    ]


def _told(entry: Entry | None, claim: _Claim) -> bool:
    if entry is None or entry.action != PRUNED:
        return False
    told = entry.details
    return (told.get("entries"), told.get("ranges_sha256")) == (claim.entries, claim.numbers.hexdigest())


async def _entry(reader: Reader, dealer: str, number: int) -> Entry | None:
    found = await reader.logged_entries(dealer, number - 1, 1)
    return found[0].entry if found and found[0].entry.seq == number else None


def _words(number: int, claim: _Claim) -> str:
    return (
        f"{claim.entries:,} of the entries {claim.first:,} to {claim.last:,} are recorded as pruned, "
        f"and entry {number:,} does not tell of just these."
    )
