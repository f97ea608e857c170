"""A URL as the target: the delivery is posted as it came, and a 2xx answer takes it.

https to any host, http to this machine only. No redirect is followed, no proxy used, no body of an answer read.
The five X-CHeKT headers go along unchanged, so that the target can verify the delivery itself (with a wider window,
for it may come late); `Idempotency-Key` is the same at every attempt.
"""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from chekt_mcp.domain.allow_list.address import read_address
from chekt_mcp.domain.endpoint.url import EndpointUrl, read_url
from chekt_mcp.errors import InvalidInput
from chekt_mcp.hand_on.interface import HandedEvent, NotTaken, Trouble

if TYPE_CHECKING:
    import httpx

LOOPBACK_IPV4 = 127


@dataclass(frozen=True, slots=True)
class UrlTarget:
    """Made by `url_target`. One connection pool for one event loop; `close` lets go of it."""

    url: str
    seconds: float
    http: httpx.AsyncClient = field(repr=False)

    async def hand_on(self, event: HandedEvent) -> NotTaken | None:
        """Post the delivery; see `Target`."""
        import httpx  # noqa: PLC0415 -- start-up is measured

        headers = {"Content-Type": "application/json", **event.headers, "Idempotency-Key": event.queue_id}
        try:
            async with (
                asyncio.timeout(self.seconds),
                self.http.stream("POST", self.url, content=event.body, headers=headers) as response,
            ):
                status, taken = response.status_code, response.is_success
        except TimeoutError:
            return NotTaken(Trouble.TIMED_OUT, f"after {self.seconds:g} s")
        except httpx.HTTPError as error:  # its text may quote what was sent
            return NotTaken(Trouble.UNREACHABLE, type(error).__name__)
        return None if taken else NotTaken(Trouble.REFUSED, f"status {status}")

    async def close(self) -> None:
        """Close the connections."""
        await self.http.aclose()


def url_target(text: str, seconds: float) -> UrlTarget:
    """Return the target for a URL.

    Raises:
        InvalidInput: codes `bad_url`, `credentials_in_url` and `not_https`.
    """
    url = read_url(text)
    if url.has_credentials:
        raise InvalidInput(
            "The URL holds a user name or password.",
            field="url",
            code="credentials_in_url",
            fix="Leave it out: the target can verify the signature that comes with each event.",
        )
    if url.scheme != "https" and not (url.scheme == "http" and is_this_machine(url)):
        raise InvalidInput(
            "Events are handed on to https URLs only, or over http to this machine.",
            field="url",
            code="not_https",
            fix="Use https://, or http://127.0.0.1:PORT/.",
        )
    return UrlTarget(text, seconds, _client(seconds))


def is_this_machine(url: EndpointUrl) -> bool:
    """Tell whether the host is a loopback address (RFC 1122, 3.2.1.3; RFC 4291, 2.5.3) or `localhost` (RFC 6761)."""
    address = read_address(url.host)
    if address is None:
        return url.host == "localhost"
    return address.number >> 24 == LOOPBACK_IPV4 if address.version == 4 else address.number == 1  # noqa: PLR2004


def _client(seconds: float) -> httpx.AsyncClient:
    import httpx  # noqa: PLC0415 -- as above

    trust = ssl.create_default_context()
    return httpx.AsyncClient(verify=trust, timeout=seconds, trust_env=False, follow_redirects=False)
