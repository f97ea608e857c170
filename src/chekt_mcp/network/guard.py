"""The guard against being used to reach what is not on the internet: for looks at endpoints and for deliveries.

A name is resolved once. If a single address of it is not public, none is given out. The caller connects to an
address it was given, never to the name, so a second answer of the DNS (rebinding) is never asked for.
"""

from __future__ import annotations

import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial

from anyio import CapacityLimiter, to_thread

from chekt_mcp.domain.allow_list.address import read_address
from chekt_mcp.domain.endpoint.public_address import why_not_public

Resolve = Callable[[str], Awaitable[Sequence[str]]]
"""Returns the addresses of a host; none when it has none."""
WhyNot = Callable[[str], str | None]
MOST_LOOKUPS = 4
"""Look-ups at a time: one that hangs holds a thread until the system's resolver gives up."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """What may be contacted. Both are empty for a host without an address.

    Attributes:
        addresses: every one was checked; empty as soon as one was refused.
        refused: why, one word for each refused address, sorted and without repetition.
    """

    addresses: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()


class SystemResolver:
    """The system's resolver (`getaddrinfo`), in a thread of its own."""

    def __init__(self) -> None:
        self._lookups = CapacityLimiter(MOST_LOOKUPS)

    async def __call__(self, host: str) -> list[str]:
        """Resolve `host` as it stands: the dot at the end keeps the system's search domains away."""
        absolute = host if read_address(host) else f"{host}."
        ask = partial(socket.getaddrinfo, absolute, None, type=socket.SOCK_STREAM)
        try:
            found = await to_thread.run_sync(ask, abandon_on_cancel=True, limiter=self._lookups)
        except (OSError, UnicodeError):
            return []
        return list(dict.fromkeys(str(place[0]) for *_, place in found))


class AddressGuard:
    """Resolves a host once and gives out its addresses if all of them are public.

    Both parameters are for tests; nothing that is configured or asked for reaches them.
    """

    def __init__(self, resolve: Resolve | None = None, why_not: WhyNot = why_not_public) -> None:
        self._resolve = resolve or SystemResolver()
        self._why_not = why_not

    async def check(self, host: str) -> Resolved:
        """Return the addresses of `host` that may be contacted."""
        addresses = tuple(await self._resolve(host))
        refused = {why for address in addresses if (why := self._why_not(address))}
        return Resolved(refused=tuple(sorted(refused))) if refused else Resolved(addresses)
