"""Asking token issuers: their key sets (GET) and about one token (POST). Small answers, at once, or none.

1. https only; to this machine also http, where an operator has said so for tests.
2. The host is checked once by a guard, and a checked address is contacted, never the name.
3. TLS 1.2 or higher, verified; no proxy, no redirect, nothing from the environment.
4. 5 s and 128 KiB for the whole answer, which is uncompressed and has status 200. Anything else is no answer.
"""

from __future__ import annotations

import asyncio
import base64
import logging
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from chekt_mcp import __version__
from chekt_mcp.domain.allow_list.special import Kind
from chekt_mcp.domain.endpoint.public_address import why_not_public
from chekt_mcp.domain.endpoint.url import EndpointUrl, read_url
from chekt_mcp.errors import InvalidInput
from chekt_mcp.network.guard import AddressGuard, Resolve
from chekt_mcp.network.loopback import LoopbackGuard
from chekt_mcp.network.tls_contexts import TlsContexts

if TYPE_CHECKING:
    import httpx

    from chekt_mcp.network.delivery import Guard

logger = logging.getLogger(__name__)

WHOLE_SECONDS = 5.0
LARGEST = 128 * 1024
MOST_ADDRESSES = 3


class IssuerHosts(StrEnum):
    """Where issuers may be."""

    PUBLIC = "public"
    PRIVATE = "private"
    LOOPBACK = "loopback"


@dataclass(frozen=True, slots=True)
class ClientCredentials:
    """What this server shows an issuer to be allowed to ask (RFC 6749, 2.3.1)."""

    client_id: str
    secret: str = field(repr=False)

    def header(self) -> str:
        """Return the Authorization header: both parts form-encoded, then base64."""
        pair = f"{quote(self.client_id, safe='')}:{quote(self.secret, safe='')}"
        return "Basic " + base64.b64encode(pair.encode()).decode()


def check_issuer_url(text: str, hosts: IssuerHosts) -> EndpointUrl:
    """Return a URL that an issuer may be asked at.

    Raises:
        InvalidInput: code `bad_url`.
    """
    url = read_url(text)
    if url.has_credentials or not (url.scheme == "https" or (hosts is IssuerHosts.LOOPBACK and url.scheme == "http")):
        raise InvalidInput(
            "An issuer is asked over https only, at a URL without a password.", field="url", code="bad_url"
        )
    return url


class IssuerRequests:
    """See the module. `resolve` is for tests; no argument, setting or environment variable reaches it."""

    def __init__(self, hosts: IssuerHosts, ca_file: Path | None = None, resolve: Resolve | None = None) -> None:
        self._hosts = hosts
        self._ca_file = ca_file
        self._guard = _guard(hosts, resolve)

    async def key_set(self, url: str) -> bytes | None:
        """Return the document at `url`, or None with the reason in the log."""
        return await self._whole("GET", url, b"", {"Accept": "application/jwk-set+json, application/json"})

    async def introspect(self, url: str, credentials: ClientCredentials, token: str) -> bytes | None:
        """Return what the issuer says of a token (RFC 7662, 2.1), or None with the reason in the log."""
        headers = {
            "Accept": "application/json",
            "Authorization": credentials.header(),
            "Content-Type": "application/x-www-form-urlencoded",
        }
        return await self._whole("POST", url, urlencode({"token": token}).encode(), headers)

    async def redeem(self, url: str, form: Mapping[str, str]) -> bytes | None:
        """Return what the token endpoint answers to a form (RFC 6749, 4.1.3), or None with the reason in the log."""
        headers = {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"}
        return await self._whole("POST", url, urlencode(form).encode(), headers)

    async def _whole(self, method: str, text: str, body: bytes, headers: Mapping[str, str]) -> bytes | None:
        import httpx  # noqa: PLC0415 -- start-up is measured

        try:
            async with asyncio.timeout(WHOLE_SECONDS):
                return await self._ask(_Question(method, check_issuer_url(text, self._hosts), body, headers))
        except (TimeoutError, httpx.HTTPError, httpx.InvalidURL, OSError, InvalidInput) as error:
            logger.warning("An issuer gave no answer: %s", type(error).__name__)
            return None

    async def _ask(self, question: _Question) -> bytes | None:
        import httpx  # noqa: PLC0415 -- as above

        resolved = await self._guard.check(question.url.host)
        if not resolved.addresses:
            logger.warning("An issuer was not asked: %s", ", ".join(resolved.refused) or "no address")
            return None
        async with httpx.AsyncClient(verify=self._context, trust_env=False, timeout=WHOLE_SECONDS) as client:
            response = await self._sent(client, question, resolved.addresses)
            try:
                return await _read(response)
            finally:
                await response.aclose()

    async def _sent(self, client: httpx.AsyncClient, question: _Question, addresses: Sequence[str]) -> httpx.Response:
        """Send to the first address, and to another one only where no connection came about."""
        import httpx  # noqa: PLC0415 -- as above

        *firsts, last = addresses[:MOST_ADDRESSES]
        for address in firsts:
            try:
                return await client.send(question.to(client, address), stream=True, follow_redirects=False)
            except (httpx.ConnectError, httpx.ConnectTimeout):
                continue
        return await client.send(question.to(client, last), stream=True, follow_redirects=False)

    @cached_property
    def _context(self) -> ssl.SSLContext:
        trust = None if self._ca_file is None else str(self._ca_file)
        return (
            TlsContexts().strict if trust is None else TlsContexts(lambda one: one.load_verify_locations(trust)).strict
        )


def _guard(hosts: IssuerHosts, resolve: Resolve | None) -> Guard:
    if hosts is IssuerHosts.LOOPBACK:
        return LoopbackGuard()
    return AddressGuard(resolve, why_not_public if hosts is IssuerHosts.PUBLIC else _why_not_inside)


def _why_not_inside(address: str) -> str | None:
    """Allow a company's own network too; never this machine, nor the addresses where clouds keep credentials."""
    why = why_not_public(address)
    return None if why == Kind.PRIVATE else why


@dataclass(frozen=True, slots=True)
class _Question:
    method: str
    url: EndpointUrl
    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)

    def to(self, client: httpx.AsyncClient, address: str) -> httpx.Request:
        """Address the request to an address; the name is for the Host header and the certificate alone."""
        url, host = self.url, f"[{address}]" if ":" in address else address
        own = {"Host": _authority(url), "User-Agent": f"chekt-mcp/{__version__}", "Accept-Encoding": "identity"}
        extensions = {"sni_hostname": url.host, "target": url.target.encode("ascii")}
        place, headers = f"{url.scheme}://{host}:{url.port}/", {**self.headers, **own}
        content = self.body or None
        return client.build_request(self.method, place, content=content, headers=headers, extensions=extensions)


def _authority(url: EndpointUrl) -> str:
    """Leave the port out where it is the scheme's own (RFC 9110, 4.2)."""
    return url.authority.removesuffix(":80") if url.scheme == "http" else url.authority


async def _read(response: httpx.Response) -> bytes | None:
    if response.status_code != HTTPStatus.OK or response.headers.get("content-encoding", "identity") != "identity":
        logger.warning("An issuer answered with status %d, or compressed", response.status_code)
        return None
    content = bytearray()
    async for piece in response.aiter_raw():
        content += piece
        if len(content) > LARGEST:
            logger.warning("An issuer answered with more than %d bytes", LARGEST)
            return None
    return bytes(content)
