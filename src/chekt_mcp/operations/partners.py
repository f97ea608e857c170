"""Who may sign assertions: partners that an operator registers and removes. It counts from the next call on."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from chekt_mcp.domain.partner import Partner
from chekt_mcp.errors import InvalidInput, NotFound
from chekt_mcp.operations.known_app import known_app
from chekt_mcp.operations.operator import Operator
from chekt_mcp.operations.services import Services
from chekt_mcp.storage.interface import Writer

ISSUER = re.compile(r"[\x21-\x7e]{1,200}")


@dataclass(frozen=True, slots=True)
class Partners:
    """The partners of one dealer."""

    services: Services = field(repr=False)
    operator: Operator
    dealer: str

    async def add(self, partner: Partner) -> None:
        """Register a partner, and log it under the first of its apps.

        Raises:
            InvalidInput: code `bad_issuer`: it is to be plain ASCII without blanks, as it stands in `iss`.
            NotFound: code `unknown_app`.
            Conflict: code `partner_exists`: the name or the issuer is taken.
        """
        if not ISSUER.fullmatch(partner.issuer):
            raise InvalidInput(
                "An issuer is 1 to 200 characters of ASCII without blanks.", field="issuer", code="bad_issuer"
            )

        async def work(writer: Writer) -> None:
            for name in partner.apps:
                await known_app(writer, self.dealer, name)
            await writer.add_partner(partner)
            await self._log(writer, "partner.add", partner)

        await self.services.storage.write(work)

    async def all(self) -> Sequence[Partner]:
        """Return the partners by name."""
        return await self.services.storage.read(lambda reader: reader.partners(self.dealer))

    async def remove(self, name: str) -> Partner:
        """Forget a partner; its assertions open nothing from the next call on.

        Raises:
            NotFound: code `unknown_partner`.
        """

        async def work(writer: Writer) -> Partner:
            known = {one.name: one for one in await writer.partners(self.dealer)}.get(name)
            if known is None:
                raise NotFound(
                    "This dealer has no partner of that name.",
                    field="partner",
                    code="unknown_partner",
                    fix="`chekt-mcp partner list` shows them.",
                )
            await writer.remove_partner(self.dealer, name)
            await self._log(writer, "partner.remove", known)
            return known

        return await self.services.storage.write(work)

    async def _log(self, writer: Writer, action: str, partner: Partner) -> None:
        details = {
            "partner": partner.name,
            "issuer": partner.issuer,
            "apps": " ".join(partner.apps),
            "scopes": " ".join(sorted(partner.scopes)),
        }
        now = self.services.clock()
        await writer.append([self.operator.entry(self.dealer, action, now, app=partner.apps[0], details=details)])
