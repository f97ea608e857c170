"""Sources of calls that a person knows to be gone: a server switched off needs no new key before the old one ends."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field

from chekt_mcp.domain.foreign_text import escaped
from chekt_mcp.errors import InvalidInput
from chekt_mcp.operations.known_app import known_app
from chekt_mcp.operations.operator import Operator
from chekt_mcp.operations.services import Services
from chekt_mcp.storage.interface import Writer
from chekt_mcp.storage.records import GoneSource

LONGEST = 64


@dataclass(frozen=True, slots=True)
class GoneSources:
    """What one operator says of one app's sources."""

    services: Services = field(repr=False)
    operator: Operator
    dealer: str
    app: str

    async def add(self, source: str) -> str:
        """Keep that a source is gone; return it as the log names it.

        Raises:
            InvalidInput: code `bad_source`.
            NotFound: code `unknown_app`.
        """
        name, now = normalised(source), self.services.clock()

        async def work(writer: Writer) -> None:
            await known_app(writer, self.dealer, self.app)
            await writer.add_gone_source(GoneSource(self.dealer, self.app, name, self.operator.principal, now))
            details = {"source": name}
            await writer.append(
                [self.operator.entry(self.dealer, "key.source.gone", now, app=self.app, details=details)]
            )

        await self.services.storage.write(work)
        return name

    async def remove(self, source: str) -> bool:
        """Take it back; False when nobody had said so.

        Raises:
            InvalidInput: code `bad_source`.
        """
        name, now = normalised(source), self.services.clock()

        async def work(writer: Writer) -> bool:
            removed = await writer.remove_gone_source(self.dealer, self.app, name)
            if removed:
                details = {"source": name}
                await writer.append(
                    [self.operator.entry(self.dealer, "key.source.back", now, app=self.app, details=details)]
                )
            return removed

        return await self.services.storage.write(work)


def normalised(source: str) -> str:
    """Return a source as the log names it: an address in its usual form, or another short name.

    Raises:
        InvalidInput: code `bad_source`.
    """
    try:
        address = ipaddress.ip_address(source)
    except ValueError:
        if not 0 < len(source) <= LONGEST or escaped(source) != source:
            raise InvalidInput("That is no address or source.", field="source", code="bad_source") from None
        return source
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)
