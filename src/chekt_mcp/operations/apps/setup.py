"""Dealers and apps that begin here: an app's key and secret are minted, handed over, and only then in force.

The hand-over comes before the commit: a crash in between leaves a value that opens nothing, never a key in force
that nobody holds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from chekt_mcp.domain import api_key
from chekt_mcp.domain.api_key import KeyKind
from chekt_mcp.domain.app import Authority
from chekt_mcp.domain.retention import Plan
from chekt_mcp.errors import ChektError, Conflict
from chekt_mcp.operations.approver import set_passphrase
from chekt_mcp.operations.apps.app_plan import AppPlan, AppRows, admit, store
from chekt_mcp.operations.keys.key_material import dealer_record
from chekt_mcp.operations.keys.new_key import stored
from chekt_mcp.operations.operator import Operator
from chekt_mcp.operations.services import Services
from chekt_mcp.storage.interface import Reader, Writer
from chekt_mcp.storage.records import Approver, Dealer


@dataclass(frozen=True, slots=True)
class Minted:
    """The two values of a new app in clear, on their way to whoever will hold them."""

    dealer: str
    app: str
    api_key: str = field(repr=False)
    signing_secret: str = field(repr=False)


class Handover(Protocol):
    """Brings new values to their holder. Called before anything is in force."""

    async def deliver(self, minted: Minted) -> None:
        """Hand the values over, durably.

        Raises:
            ChektError: they did not arrive; nothing has been created.
        """
        ...

    async def withdraw(self) -> None:
        """Take back what was delivered: the values never came into force."""
        ...


@dataclass(frozen=True, slots=True)
class Setup:
    """Create an app of ours, with its dealer where `create_dealer` says so, in one transaction.

    `approver` is the dealer's first passphrase, hashed; None when it has one or needs none. `dealer_plan` is that of a
    new dealer with CHeKT.
    """

    services: Services = field(repr=False)
    operator: Operator
    plan: AppPlan
    approver: Approver | None = None
    create_dealer: bool = False
    dealer_plan: Plan = Plan.STANDARD

    async def run(self, handover: Handover) -> AppRows:
        """Return what was created.

        Raises:
            Conflict: code `dealer_exists` or `app_exists`.
            NotFound: code `unknown_app`, for an app to cover that the dealer does not have.
            NotPermitted: code `passphrase_required`, for a live app of a dealer that has no passphrase.
            ChektError: what the hand-over refused.
        """
        dealer = await self.services.storage.read(self._prepare)
        minted = self._mint()
        rows = self._rows(dealer, minted)
        await handover.deliver(minted)
        try:
            await self.services.storage.write(lambda writer: self._commit(writer, dealer, rows))
        except ChektError:
            await handover.withdraw()
            raise
        return rows

    async def _prepare(self, reader: Reader) -> Dealer:
        await self._check(reader)
        if not self.create_dealer:
            return await dealer_record(reader, self.plan.dealer)
        wrapped = self.services.sealing().new_data_key(self.plan.dealer)
        return Dealer(self.plan.dealer, self.services.clock(), wrapped, self.dealer_plan)

    async def _check(self, reader: Reader) -> None:
        known = {dealer.name for dealer in await reader.dealers()}
        if self.create_dealer and self.plan.dealer in known:
            raise Conflict(
                f"The dealer {self.plan.dealer} exists already in this state directory.",
                code="dealer_exists",
                fix="`chekt-mcp app show NAME` prints the configuration for a client again. Add an app with"
                " `chekt-mcp app add NAME`, or name another dealer with --dealer.",
            )
        await admit(reader, self.plan, has_new_passphrase=self.approver is not None)

    async def _commit(self, writer: Writer, dealer: Dealer, rows: AppRows) -> None:
        await self._check(writer)
        at = rows.app.created_at
        if self.create_dealer:
            await writer.add_dealer(dealer)
            await writer.append([self.operator.entry(dealer.name, "dealer.create", at)])
        if self.approver is not None:
            await set_passphrase(writer, self.operator, self.approver, rows.app)
        await store(writer, self.operator, rows, "app.create")

    def _mint(self) -> Minted:
        plan, random = self.plan, self.services.random
        return Minted(
            plan.dealer,
            plan.name,
            api_key.mint(KeyKind.API_KEY, plan.environment, random),
            api_key.mint(KeyKind.SIGNING_SECRET, plan.environment, random),
        )

    def _rows(self, dealer: Dealer, minted: Minted) -> AppRows:
        plan, now = self.plan, self.services.clock()
        values = {KeyKind.API_KEY: minted.api_key, KeyKind.SIGNING_SECRET: minted.signing_secret}
        keys = [stored(self.services, dealer, plan.name, kind, value, now) for kind, value in values.items()]
        return plan.rows(Authority.LOCAL, tuple(keys), self.operator, now)
