"""Has the log been altered: every row against the tree, the tree against whoever vouches for it.

`verified`    all of it was looked at and fits, and somebody outside vouches for the first `anchored_size` entries.
`unanchored`  nothing wrong was found, but nobody outside vouches for any of it, or not all of it was looked at.
              A log that was rewritten as a whole, by somebody who has the state and its key, looks like this.
`tampered`    what and where is in `problems`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from chekt_mcp.domain.checkpoint import origin_of
from chekt_mcp.domain.log_problem import LogProblem
from chekt_mcp.domain.signed_note import VerifierKey
from chekt_mcp.domain.timespan import rfc3339
from chekt_mcp.operations.audit.checkpoint_key import verifier_key
from chekt_mcp.operations.audit.log_check import LogCheck, Progress
from chekt_mcp.operations.audit.log_findings import Findings
from chekt_mcp.operations.audit.log_summaries import check_counts, pruned_entries
from chekt_mcp.operations.audit.prune_claims import check_prunes
from chekt_mcp.operations.audit.vouchers import (
    GivenCheckpoint,
    Voucher,
    asked,
    given,
    held_against,
    newest_outside,
    receipts,
    stored,
)
from chekt_mcp.operations.services import Services
from chekt_mcp.storage.interface import Reader


class Status(StrEnum):
    """What a verification came to; see the module."""

    VERIFIED = "verified"
    UNANCHORED = "unanchored"
    TAMPERED = "tampered"


@dataclass(frozen=True, slots=True)
class Verification:
    """What a check came to, before it is put into words."""

    found: Findings
    problems: list[LogProblem]
    vouchers: list[Voucher]
    whole: bool
    counted_too: bool
    anchored_at: str | None
    pruned_up_to: str | None

    def with_problems(self, more: list[LogProblem]) -> Verification:
        """Return the same with what was found besides."""
        known = set(self.problems)
        return replace(self, problems=self.problems + [one for one in more if one not in known])

    @property
    def anchor(self) -> Voucher | None:
        """Who outside vouches for the most entries."""
        return newest_outside(self.vouchers)

    @property
    def status(self) -> Status:
        """See the module."""
        if self.problems:
            return Status.TAMPERED
        return Status.VERIFIED if self.whole and self.anchor is not None else Status.UNANCHORED


@dataclass(frozen=True, slots=True)
class LogVerifier:
    """A verification of a dealer's log; `newest` as in `LogCheck`."""

    services: Services = field(repr=False)
    dealer: str
    newest: int | None = None
    against: Sequence[GivenCheckpoint] = ()

    async def run(self, progress: Progress | None = None) -> Verification:
        """Look at the log and ask whoever vouches for it.

        Raises:
            InvalidInput: as `vouchers.given`.
            Unavailable: the log cannot be read.
        """
        storage, dealer = self.services.storage, self.dealer
        key = await storage.read(lambda reader: verifier_key(reader, dealer))
        vouchers = await self._vouchers(key)
        sizes = [one.checkpoint.size for one in vouchers if one.checkpoint is not None]
        pruned = await storage.scan(lambda reader: pruned_entries(reader, dealer))
        found = await LogCheck(storage, dealer, self.newest).run(sizes, progress)
        problems = found.problems() + await storage.scan(lambda reader: _against(reader, dealer, found, vouchers))
        whole = found.first == 1
        now, ages = self.services.clock(), found.ages
        problems += await storage.scan(lambda reader: check_prunes(reader, dealer, ages, now)) if whole else []
        counts = await storage.scan(lambda reader: check_counts(reader, dealer, found, pruned)) if whole else None
        anchor = newest_outside(vouchers)
        at = await storage.read(lambda reader: _anchored_at(reader, dealer, anchor))
        up_to = await storage.read(lambda reader: reader.pruned_before(dealer))
        return Verification(
            found, problems + (counts or []), vouchers, whole, counts is not None, at, rfc3339(up_to) if up_to else None
        )

    async def _vouchers(self, key: VerifierKey | None) -> list[Voucher]:
        storage, dealer = self.services.storage, self.dealer
        files = [given(one, key, origin_of(dealer)) for one in self.against]
        answers = [await asked(anchor, dealer, key) for anchor in self.services.anchors()]
        return [*files, *answers, *await storage.read(lambda reader: stored(reader, dealer, key))]


async def _against(reader: Reader, dealer: str, found: Findings, vouchers: Sequence[Voucher]) -> list[LogProblem]:
    size = found.head.size
    problems = [
        await held_against(reader, dealer, size, voucher, found.roots)
        for voucher in vouchers
        if not _beyond_hole(found, voucher)
    ]
    return [*(one for one in problems if one is not None), *await receipts(reader, dealer, size)]


def _beyond_hole(found: Findings, voucher: Voucher) -> bool:
    """Tell whether the root that somebody vouches for cannot be computed, because the hash of an entry is gone."""
    checkpoint = voucher.checkpoint
    return found.hole is not None and checkpoint is not None and found.hole <= checkpoint.size <= found.head.size


async def _anchored_at(reader: Reader, dealer: str, anchor: Voucher | None) -> str | None:
    """Return when the checkpoint that an anchor vouches for was made, as far as that is known here."""
    if anchor is None or anchor.checkpoint is None:
        return None
    kept = await reader.checkpoint_at(dealer, anchor.checkpoint.size)
    return None if kept is None else rfc3339(kept.created_at)
