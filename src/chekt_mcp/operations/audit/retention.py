"""How long a dealer's log is kept, and what stops it from being pruned: the plan, and a legal hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from chekt_mcp.domain.exposure import contains_credential
from chekt_mcp.domain.retention import RETENTION, Plan, kept_from
from chekt_mcp.errors import Conflict, InvalidInput, NotFound
from chekt_mcp.operations.operator import Operator
from chekt_mcp.operations.services import Services
from chekt_mcp.storage.interface import Reader, Writer
from chekt_mcp.storage.records import AgedEntries, LegalHold

PLAN_SET = "audit.retention.set"
HOLD_SET = "audit.hold.set"
HOLD_CLEARED = "audit.hold.clear"
REASON_LIMIT = 500
HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Retention:
    """What is kept of a log, and what may go.

    Attributes:
        before: entries before this moment, a whole hour, may go.
        hold: what stops them from going; None when nothing does.
        aged: what would go, by app.
    """

    plan: Plan
    before: datetime
    hold: LegalHold | None
    aged: Sequence[AgedEntries]

    @property
    def kept_days(self) -> int:
        """How many days are kept."""
        return RETENTION[self.plan].days

    @property
    def entries(self) -> int:
        """How many entries would go."""
        return sum(one.entries for one in self.aged)


async def retention(services: Services, dealer: str) -> Retention:
    """Return what is kept of the dealer's log, and what may go now.

    Raises:
        NotFound: code `unknown_dealer`.
    """
    now = services.clock()

    async def work(reader: Reader) -> Retention:
        plan = await plan_of(reader, dealer)
        before = prunable_before(plan, now)
        return Retention(plan, before, await reader.legal_hold(dealer), await reader.aged_entries(dealer, before))

    return await services.storage.scan(work)


def prunable_before(plan: Plan, now: datetime) -> datetime:
    """Return the hour before which entries may go: an hour that is kept in part is kept whole."""
    return kept_from(plan, now).replace(minute=0, second=0, microsecond=0)


async def plan_of(reader: Reader, dealer: str) -> Plan:
    """Return the dealer's plan.

    Raises:
        NotFound: code `unknown_dealer`.
    """
    plans = {one.name: one.plan for one in await reader.dealers()}
    if dealer not in plans:
        raise NotFound("There is no dealer of that name.", field="dealer", code="unknown_dealer")
    return plans[dealer]


async def set_plan(services: Services, operator: Operator, dealer: str, plan: Plan) -> None:
    """Store the dealer's plan, and log what it was before."""

    async def work(writer: Writer) -> None:
        details = {"plan": plan.value, "before": (await plan_of(writer, dealer)).value, "days": RETENTION[plan].days}
        await writer.append([operator.entry(dealer, PLAN_SET, services.clock(), details=details)])
        await writer.set_plan(dealer, plan)

    await services.storage.write(work)


async def set_hold(services: Services, operator: Operator, dealer: str, reason: str) -> None:
    """Place a legal hold, or give the one that there is another reason; both stand in the log.

    Raises:
        InvalidInput: code `bad_reason`.
    """
    if not reason.strip() or len(reason) > REASON_LIMIT or not reason.isprintable() or contains_credential(reason):
        raise InvalidInput(
            "A hold needs a reason that can be read.",
            field="reason",
            code="bad_reason",
            fix=f"Write 1 to {REASON_LIMIT} characters on one line, without any key: a case number, who asked for it.",
        )
    at = services.clock()

    async def work(writer: Writer) -> None:
        await writer.append([operator.entry(dealer, HOLD_SET, at, details={"reason": reason})])
        await writer.set_legal_hold(dealer, LegalHold(reason, operator.principal, at))

    await services.storage.write(work)


async def clear_hold(services: Services, operator: Operator, dealer: str) -> LegalHold:
    """End the hold, and return it.

    Raises:
        Conflict: code `no_hold`.
    """

    async def work(writer: Writer) -> LegalHold:
        hold = await writer.legal_hold(dealer)
        if hold is None:
            raise Conflict("There is no legal hold on this log.", code="no_hold")
        await writer.append([operator.entry(dealer, HOLD_CLEARED, services.clock(), details={"reason": hold.reason})])
        await writer.set_legal_hold(dealer, None)
        return hold

    return await services.storage.write(work)
