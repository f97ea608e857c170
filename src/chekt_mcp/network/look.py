"""One look at one endpoint: the steps of `tls_probe.py`."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, replace
from socket import socket

from chekt_mcp.domain.endpoint.chain import Chain
from chekt_mcp.domain.endpoint.observation import Observation, Reach
from chekt_mcp.domain.endpoint.response import NoHead
from chekt_mcp.domain.endpoint.url import EndpointUrl
from chekt_mcp.network.certificate_reader import read_certificate
from chekt_mcp.network.connection import Target, TlsConnection, connect, dial, shake_hands
from chekt_mcp.network.guard import AddressGuard, Resolved
from chekt_mcp.network.head import ask_head
from chekt_mcp.network.old_tls import look_for_old_tls
from chekt_mcp.network.tls_contexts import TlsContexts
from chekt_mcp.network.verification import chain_of, is_about_the_name, is_not_tls


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds: for the name, each connection and each handshake, for the answer's head, and for the whole look."""

    connect: float = 5.0
    answer: float = 5.0
    whole: float = 15.0


@dataclass(frozen=True, slots=True)
class Look:
    """One look; `deadline` is in the event loop's time."""

    url: EndpointUrl
    contexts: TlsContexts
    patience: Patience
    deadline: float

    async def through(self, guard: AddressGuard) -> Observation:
        """Go as far as the guard and the endpoint let us."""
        resolved = Resolved()
        try:
            async with self._within(self.patience.connect):
                resolved = await guard.check(self.url.host)
        except TimeoutError:
            pass
        if resolved.refused:
            return Observation(Reach.NOT_PUBLIC, not_public=resolved.refused)
        return await self._contact(resolved.addresses)

    async def _contact(self, addresses: Iterable[str]) -> Observation:
        """Try one address of each family: this machine may have a way for one of them only."""
        seen = Observation(Reach.NOT_RESOLVED)
        for address in _one_of_each_family(addresses):
            target = Target(address, self.url.port, self.url.host)
            try:
                async with self._within(self.patience.connect):
                    opened = await dial(target)
            except OSError as error:
                seen = Observation(_reach(error), address=address)
            else:
                return await self._greet(opened, target)
        return seen

    async def _greet(self, opened: socket, target: Target) -> Observation:
        try:
            async with self._within(self.patience.connect):
                connection = await shake_hands(opened, target, self.contexts.strict)
        except ssl.SSLCertVerificationError as error:
            seen = await self._read_untrusted(target, error)
        except OSError as error:
            return await self._without_tls(target, error)
        else:
            with closing(connection):
                seen = await self._ask(connection, target)
        old = await look_for_old_tls(target, self.contexts, lambda: self._within(self.patience.connect))
        return replace(seen, old_tls=old.versions)

    async def _ask(self, connection: TlsConnection, target: Target) -> Observation:
        seen = _observed(connection, target, Chain.TRUSTED)
        try:
            async with self._within(self.patience.answer):
                return replace(seen, response=await ask_head(connection, self.url))
        except TimeoutError:
            return replace(seen, response=NoHead.SILENT)

    async def _read_untrusted(self, target: Target, refused: ssl.SSLCertVerificationError) -> Observation:
        """Find out whether the chain alone holds, and read the certificate; nothing is sent."""
        chain, misnamed = chain_of(refused), is_about_the_name(refused)
        for context in (self.contexts.chain_only, self.contexts.unverified):
            try:
                async with self._within(self.patience.connect):
                    connection = await connect(target, context)
            except ssl.SSLCertVerificationError as error:
                chain = chain_of(error)
            except OSError:
                break
            else:
                with closing(connection):
                    return replace(_observed(connection, target, chain), misnamed=misnamed)
        return Observation(Reach.TLS, address=target.address, chain=chain, misnamed=misnamed)

    async def _without_tls(self, target: Target, error: OSError) -> Observation:
        """Find out why no TLS of today came about: not TLS at all, or only that of the past."""
        if is_not_tls(error):
            return Observation(Reach.NO_TLS, address=target.address)
        failed = Observation(Reach.HANDSHAKE_FAILED, address=target.address)
        if isinstance(error, TimeoutError):
            return failed
        old = await look_for_old_tls(target, self.contexts, lambda: self._within(self.patience.connect))
        if old.newest is None:
            return failed
        found = replace(failed, reach=Reach.TLS_TOO_OLD, tls_version=old.newest.version)
        return replace(found, certificate=old.newest.certificate, old_tls=old.versions)

    def _within(self, seconds: float) -> asyncio.Timeout:
        now = asyncio.get_running_loop().time()
        return asyncio.timeout_at(min(now + seconds, self.deadline))


def _observed(connection: TlsConnection, target: Target, chain: Chain) -> Observation:
    return Observation(
        Reach.TLS,
        address=target.address,
        tls_version=connection.version,
        certificate=read_certificate(connection.certificate),
        chain=chain,
    )


def _one_of_each_family(addresses: Iterable[str]) -> list[str]:
    """Return the first address of each family, in the resolver's order (RFC 6724)."""
    first: dict[bool, str] = {}
    for address in addresses:
        first.setdefault(":" in address, address)
    return list(first.values())


def _reach(error: OSError) -> Reach:
    if isinstance(error, TimeoutError):
        return Reach.TIMED_OUT
    return Reach.REFUSED if isinstance(error, ConnectionRefusedError) else Reach.NO_ROUTE
