"""Adopt an app that exists at CHeKT: its key as a hash, its signing secret sealed, its list as text."""

from __future__ import annotations

from dataclasses import dataclass, field

from chekt_mcp.domain.app import Authority
from chekt_mcp.operations.approver import set_passphrase
from chekt_mcp.operations.apps.adopted_values import AdoptedValues
from chekt_mcp.operations.apps.app_plan import AppPlan, AppRows, admit, store
from chekt_mcp.operations.keys.key_material import dealer_record
from chekt_mcp.operations.keys.new_key import stored
from chekt_mcp.operations.operator import Operator
from chekt_mcp.operations.services import Services
from chekt_mcp.storage.interface import Writer
from chekt_mcp.storage.records import Approver


@dataclass(frozen=True, slots=True)
class Adoption:
    """Take in one app of the platform, in one transaction. `values` have been checked and match the plan."""

    services: Services = field(repr=False)
    operator: Operator
    plan: AppPlan
    values: AdoptedValues
    approver: Approver | None = None

    async def run(self) -> AppRows:
        """Return what was stored.

        Raises:
            Conflict: code `app_exists`, or the key is known here already.
            NotFound: code `unknown_app`, for an app to cover that the dealer does not have.
            NotPermitted: code `passphrase_required`.
        """
        dealer = await self.services.storage.read(lambda reader: dealer_record(reader, self.plan.dealer))
        now = self.services.clock()
        keys = [
            stored(self.services, dealer, self.plan.name, kind, value, now, key_id=self.values.id_of(kind))
            for kind, value in self.values.credentials()
        ]
        rows = self.plan.rows(Authority.PLATFORM, tuple(keys), self.operator, now)

        async def work(writer: Writer) -> AppRows:
            await admit(writer, self.plan, has_new_passphrase=self.approver is not None)
            if self.approver is not None:
                await set_passphrase(writer, self.operator, self.approver, rows.app)
            await store(writer, self.operator, rows, "app.adopt")
            return rows

        return await self.services.storage.write(work)
