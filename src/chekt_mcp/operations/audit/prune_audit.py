"""Remove what is older than a log is kept: in batches, each durable on its own and told of by an entry of its own.

Other processes go on appending between the batches. What was killed half-way has removed whole batches, and is gone on
with by running it again. The tree's hashes stay, and the ranges that are gone name the entry that tells of them, so
that what remains still verifies and what was pruned is told from what was tampered with.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from chekt_mcp.domain.retention import RETENTION
from chekt_mcp.domain.timespan import rfc3339
from chekt_mcp.operations.audit.retention import plan_of, prunable_before
from chekt_mcp.operations.operator import Operator
from chekt_mcp.operations.services import Services
from chekt_mcp.storage.interface import Writer

PRUNED = "audit.prune"
BATCH = 5_000
"""Entries of one transaction, or a whole hour where that has more."""

Told = Callable[[int], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Batch:
    """What one batch removed: `entries` before `before`; `remaining` tells whether there is more to go."""

    before: datetime
    entries: int
    remaining: bool


async def prune_log(services: Services, operator: Operator, dealer: str, told: Told, batch: int = BATCH) -> int:
    """Remove every entry that is older than the dealer's plan keeps; return how many.

    `told` is awaited after each batch with how many are gone by then. Plan and hold are looked at in every batch, so
    that a hold placed meanwhile stops what is left.

    Raises:
        Conflict: code `legal_hold`; what earlier batches removed is gone.
        NotFound: code `unknown_dealer`.
    """
    now, gone = services.clock(), 0
    while True:
        done = await services.storage.write(lambda writer: _prune(writer, operator, dealer, now, batch))
        gone += done.entries
        if not done.entries:
            return gone
        await told(gone)
        if not done.remaining:
            return gone


async def _prune(writer: Writer, operator: Operator, dealer: str, now: datetime, batch: int) -> Batch:
    plan = await plan_of(writer, dealer)
    before = prunable_before(plan, now)
    due = await writer.prunable(dealer, before, batch)
    if not due.entries:
        return Batch(due.before, 0, remaining=False)
    details: dict[str, object] = {"before": rfc3339(due.before), "entries": due.entries, "plan": plan.value}
    details |= {"kept_days": RETENTION[plan].days, "first": due.ranges[0][0], "last": due.ranges[-1][1]}
    reached = await writer.pruned_before(dealer)  # further where the plan was a shorter one then
    details["up_to"] = rfc3339(due.before if reached is None else max(due.before, reached))
    details["ranges_sha256"] = sha256(b"".join(range_line(*gone) for gone in due.ranges)).hexdigest()
    (told_by,) = await writer.append([operator.entry(dealer, PRUNED, now, details=details)])
    done = await writer.prune(dealer, before, batch, told_by)
    return Batch(done.before, done.entries, done.remaining)


def range_line(first: int, last: int) -> bytes:
    """Return a range of entry numbers as it goes into `ranges_sha256`, in ascending order."""
    return b"%d-%d\n" % (first, last)
