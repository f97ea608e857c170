"""One request to an https server that the operator named: a small body there, a small text back.

1. The host is checked by a guard, once, and a checked address is contacted, never the name (`network.guard`).
2. TLS 1.2 or higher; chain, dates, strength and host name verified; authorities as browsers trust them.
3. No proxy, no redirect, nothing else from the environment.
4. Size and time are limited, and only a whole answer counts.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from chekt_mcp import __version__
from chekt_mcp.domain.endpoint.url import EndpointUrl
from chekt_mcp.errors import Unavailable
from chekt_mcp.network.guard import AddressGuard, Resolved
from chekt_mcp.network.tls_contexts import TlsContexts

if TYPE_CHECKING:
    import httpx


class Guard(Protocol):
    """Tells which addresses of a host may be contacted."""

    async def check(self, host: str) -> Resolved:
        """Return them; none when one of them was refused."""
        ...


@dataclass(frozen=True, slots=True)
class Response:
    """A whole answer."""

    status: int
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class HttpsExchange:
    """See the module. Guard and contexts are for tests; no setting reaches them.

    Attributes:
        largest: bytes of an answer.
        seconds: for everything together.
    """

    largest: int
    seconds: float
    guard: Guard = field(default_factory=AddressGuard)
    contexts: TlsContexts = field(default_factory=TlsContexts)

    async def request(self, method: str, url: EndpointUrl, body: bytes = b"") -> Response:
        """Send one request and return the answer, whatever its status.

        Raises:
            Unavailable: code `no_answer`; there was none, or none that could be taken.
        """
        import httpx  # noqa: PLC0415 -- start-up is measured

        try:
            async with asyncio.timeout(self.seconds):
                return await self._exchanged(method, url, await self._address(url), body)
        except TimeoutError:
            raise _no_answer(f"it took longer than {self.seconds:g} seconds") from None
        except httpx.HTTPError as error:  # its text may quote what was sent
            raise _no_answer(_why(error)) from None

    async def _address(self, url: EndpointUrl) -> str:
        resolved = await self.guard.check(url.host)
        if resolved.refused:
            raise _no_answer(f"its address is not a public one ({', '.join(resolved.refused)})")
        if not resolved.addresses:
            raise _no_answer("its name has no address")
        return resolved.addresses[0]

    async def _exchanged(self, method: str, url: EndpointUrl, address: str, body: bytes) -> Response:
        import httpx  # noqa: PLC0415 -- as above

        host = f"[{address}]" if ":" in address else address
        extensions = {"sni_hostname": url.host, "target": url.target.encode("ascii")}
        async with httpx.AsyncClient(verify=self.contexts.strict, trust_env=False, timeout=self.seconds) as client:
            request = client.build_request(
                method, f"https://{host}:{url.port}/", content=body, headers=_headers(url), extensions=extensions
            )
            response = await client.send(request, stream=True, follow_redirects=False)
            try:
                return Response(response.status_code, await self._content(response))
            finally:
                await response.aclose()

    async def _content(self, response: httpx.Response) -> bytes:
        content = bytearray()
        async for piece in response.aiter_raw():
            content += piece
            if len(content) > self.largest:
                raise _no_answer(f"its answer is larger than {self.largest:,} bytes")
        return bytes(content)


def _headers(url: EndpointUrl) -> dict[str, str]:
    return {
        "Host": url.authority,
        "Content-Type": "text/plain; charset=utf-8",
        "User-Agent": f"chekt-mcp/{__version__} (checkpoints)",
        "Accept": "text/plain, */*;q=0.1",
        "Accept-Encoding": "identity",
        "Connection": "close",
    }


def _why(error: Exception) -> str:
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return "its certificate is not for it, has run out, or comes from nobody whom browsers trust"
    return f"the connection failed ({type(error).__name__})"


def _no_answer(why: str) -> Unavailable:
    return Unavailable(f"The server gave no answer that counts: {why}.", code="no_answer")
