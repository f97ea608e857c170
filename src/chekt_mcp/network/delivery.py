"""Posting one signed delivery, as the platform would: one request, no redirect, no proxy, 30 s for everything.

1. The host is checked by a guard, once; when it refuses, nothing is sent.
2. A checked address is contacted, never the name; one of another family only where no connection came about.
3. Of the answer the status, the time, `Location` and the beginning of the body are kept.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterable, Iterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, cast

from chekt_mcp import __version__
from chekt_mcp.domain.endpoint.url import EndpointUrl
from chekt_mcp.domain.webhook.answer import ANSWER_SECONDS, Answer, Failure, NoAnswer
from chekt_mcp.network.guard import AddressGuard, Resolved
from chekt_mcp.network.loopback import LoopbackGuard, loopback_context
from chekt_mcp.network.tls_contexts import TlsContexts

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    import httpx

KEPT_BYTES = 2048
"""Of the answer's body: enough to recognise an error page. Its end is not waited for."""


class Guard(Protocol):
    """Tells which addresses of a host may be contacted."""

    async def check(self, host: str) -> Resolved:
        """Return them; none when one of them was refused."""
        ...


@dataclass(frozen=True, slots=True)
class Waiting:
    """Seconds: for the name and each connection, for the beginning of the body, and for everything up to it."""

    connect: float = 5.0
    body: float = 2.0
    answer: float = ANSWER_SECONDS


@dataclass(frozen=True, slots=True)
class HttpSender:
    """See the module. Made by `public_sender` and `local_sender`; only tests hand in other parts.

    Attributes:
        guard: which addresses may be contacted.
        context: how a server is met that speaks TLS.
        refusal: what it means when the guard refuses.
        waiting: see `Waiting`.
    """

    guard: Guard
    context: ssl.SSLContext
    refusal: Failure
    waiting: Waiting = Waiting()

    async def send(self, url: EndpointUrl, headers: Mapping[str, str], body: bytes) -> Answer | NoAnswer:
        """Post `body` once; whatever goes wrong is the outcome."""
        try:
            async with asyncio.timeout(self.waiting.connect):
                resolved = await self.guard.check(url.host)
        except TimeoutError:
            return NoAnswer(Failure.NOT_RESOLVED)
        if resolved.refused:
            return NoAnswer(self.refusal, resolved.refused)
        posting = _Posting(url, {**headers, **_own_headers(url)}, body, self.context, self.waiting)
        return await posting.to_one_of(resolved.addresses)


def public_sender() -> HttpSender:
    """Return the sender to receivers on the internet: public addresses, certificates as CHeKT wants them."""
    return HttpSender(AddressGuard(), TlsContexts().strict, Failure.NOT_PUBLIC)


def local_sender() -> HttpSender:
    """Return the sender to receivers on this machine, and to nothing else."""
    return HttpSender(LoopbackGuard(), loopback_context(), Failure.NOT_THIS_MACHINE)


@dataclass(frozen=True, slots=True)
class _Posting:
    url: EndpointUrl
    headers: Mapping[str, str]
    body: bytes
    context: ssl.SSLContext
    waiting: Waiting

    async def to_one_of(self, addresses: Iterable[str]) -> Answer | NoAnswer:
        """Try the first address of each family: this machine may have a way for one of them only."""
        outcome: Answer | NoAnswer = NoAnswer(Failure.NOT_RESOLVED)
        for address in _first_of_each_family(addresses):
            outcome = await self._to(address)
            if outcome != NoAnswer(Failure.UNREACHABLE):
                break
        return outcome

    async def _to(self, address: str) -> Answer | NoAnswer:
        import httpx  # noqa: PLC0415 -- start-up is measured

        try:
            return await self._post(address)
        except TimeoutError:
            return NoAnswer(Failure.NO_ANSWER)
        except httpx.HTTPError as error:
            return NoAnswer(_failure(error))

    async def _post(self, address: str) -> Answer:
        import httpx  # noqa: PLC0415 -- as above

        loop = asyncio.get_running_loop()
        started = loop.time()
        async with httpx.AsyncClient(verify=self.context, trust_env=False, timeout=self._timeouts()) as client:
            async with asyncio.timeout(self.waiting.answer):
                response = await client.send(self._request(client, address), stream=True, follow_redirects=False)
            seconds = loop.time() - started
            async with aclosing(response):
                location = response.headers.get("location") if response.is_redirect else None
                return Answer(response.status_code, seconds, location, await self._beginning(response))

    def _request(self, client: httpx.AsyncClient, address: str) -> httpx.Request:
        """Address the request to an address; the name is for the Host header and the certificate alone."""
        host = f"[{address}]" if ":" in address else address
        extensions = {"sni_hostname": self.url.host, "target": self.url.target.encode("ascii")}
        place = f"{self.url.scheme}://{host}:{self.url.port}/"
        return client.build_request("POST", place, content=self.body, headers=self.headers, extensions=extensions)

    def _timeouts(self) -> httpx.Timeout:
        import httpx  # noqa: PLC0415 -- as above

        return httpx.Timeout(None, connect=self.waiting.connect)

    async def _beginning(self, response: httpx.Response) -> bytes:
        import httpx  # noqa: PLC0415 -- as above

        kept, pieces = bytearray(), cast("AsyncGenerator[bytes]", response.aiter_raw())
        try:
            async with asyncio.timeout(self.waiting.body), aclosing(pieces):
                async for piece in pieces:
                    kept += piece
                    if len(kept) >= KEPT_BYTES:
                        break
        except (TimeoutError, httpx.HTTPError):
            pass  # the status has come, and it alone decides; the body is only shown
        return bytes(kept[:KEPT_BYTES])


def _own_headers(url: EndpointUrl) -> Mapping[str, str]:
    return {
        "Host": url.authority,
        "Content-Type": "application/json",
        "User-Agent": f"chekt-mcp/{__version__} (test delivery)",
        "Accept": "*/*",
        "Accept-Encoding": "identity",
        "Connection": "close",
    }


def _first_of_each_family(addresses: Iterable[str]) -> list[str]:
    first: dict[bool, str] = {}
    for address in addresses:
        first.setdefault(":" in address, address)
    return list(first.values())


def _failure(error: httpx.HTTPError) -> Failure:
    import httpx  # noqa: PLC0415 -- as above

    if not isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
        return Failure.BROKEN_OFF
    reasons = list(_reasons(error))
    if any(isinstance(one, ssl.SSLCertVerificationError) for one in reasons):
        return Failure.CERTIFICATE
    return Failure.NO_TLS if any(isinstance(one, ssl.SSLError) for one in reasons) else Failure.UNREACHABLE


def _reasons(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an exception and what led to it: httpx wraps the TLS layer's own twice."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
