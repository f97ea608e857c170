"""Fetching one published document over https, for a person at a terminal.

1. TLS 1.2 or higher; chain, dates, strength and host name verified; authorities as browsers trust them.
2. No proxy, and nothing else from the environment.
3. No redirect is followed: the document is where it was said to be, or nowhere.
4. Only a whole document counts: it has a length or comes in chunks, so that one cut short is noticed; it is not
   compressed, so that few bytes cannot become many; size and the time for everything together are limited.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from chekt_mcp import __version__
from chekt_mcp.domain.foreign_text import escaped
from chekt_mcp.domain.published_document import LARGEST, Answer, FetchCode, Fetched, NotFetched, Unchanged
from chekt_mcp.network.tls_contexts import TlsContexts, Trust, public_authorities

if TYPE_CHECKING:
    import httpx

ETAG = re.compile(r'(?:W/)?"[\x21\x23-\x7e]{0,200}"')
DETAIL_LIMIT = 150


@dataclass(frozen=True, slots=True)
class DocumentLimits:
    """Bytes of a document; seconds for a step of the connection or to the next byte, and for everything together."""

    size: int = LARGEST
    step: float = 10.0
    whole: float = 30.0


class HttpsDocuments:
    """See the module. Both parameters are for tests; no argument, setting or environment variable reaches them."""

    def __init__(
        self,
        trust: Trust = public_authorities,
        limits: DocumentLimits = DocumentLimits(),
    ) -> None:
        self._contexts = TlsContexts(trust)
        self._limits = limits

    async def fetch(self, url: str, etag: str | None = None) -> Answer:
        """Ask for the document at an https URL; with the entity tag of a copy, only if it is another one."""
        import httpx  # noqa: PLC0415 -- start-up is measured

        try:
            async with asyncio.timeout(self._limits.whole):
                return await self._ask(url, etag)
        except (TimeoutError, httpx.TimeoutException):
            return _trouble(FetchCode.TOO_SLOW, "The server is too slow: it was given up.")
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return _failed(error)

    async def _ask(self, url: str, etag: str | None) -> Answer:
        import httpx  # noqa: PLC0415 -- as above

        client = httpx.AsyncClient(
            verify=self._contexts.strict, trust_env=False, follow_redirects=False, timeout=self._limits.step
        )
        async with client, client.stream("GET", url, headers=_headers(etag)) as response:
            if response.status_code == HTTPStatus.NOT_MODIFIED and etag is not None:
                return Unchanged()
            return _refusal(response) or await self._read(response)

    async def _read(self, response: httpx.Response) -> Answer:
        content = bytearray()
        async for chunk in response.aiter_raw():
            content += chunk
            if len(content) > self._limits.size:
                return _trouble(FetchCode.TOO_LARGE, f"It is larger than {self._limits.size:,} bytes.")
        etag = response.headers.get("etag", "")
        return Fetched(bytes(content), etag if ETAG.fullmatch(etag) else None)


def _headers(etag: str | None) -> Mapping[str, str]:
    headers = {
        "User-Agent": f"chekt-mcp/{__version__} (published ranges)",
        "Accept": "application/json, text/plain;q=0.9, */*;q=0.1",
        "Accept-Encoding": "identity",
    }
    return headers if etag is None else {**headers, "If-None-Match": etag}


def _refusal(response: httpx.Response) -> NotFetched | None:
    """Say what in the answer's head speaks against reading on."""
    headers = response.headers
    if response.has_redirect_location:
        return _trouble(
            FetchCode.REDIRECTED,
            "The server sends on to another address, and no redirect is followed.",
            "If you trust that address, give it instead.",
            escaped(headers["location"], DETAIL_LIMIT),
        )
    if response.status_code != HTTPStatus.OK:
        return _trouble(FetchCode.BAD_STATUS, f"The server answered with status {response.status_code}.")
    if headers.get("content-encoding", "identity") != "identity":
        return _trouble(FetchCode.ENCODED, "The server sent it compressed, though it was asked not to.")
    if "content-length" not in headers and "transfer-encoding" not in headers:
        return _trouble(FetchCode.NO_LENGTH, "The server does not say where it ends, so it could be cut short unseen.")
    return None


def _failed(error: Exception) -> NotFetched:
    import httpx  # noqa: PLC0415 -- as above

    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return _trouble(
            FetchCode.UNTRUSTED_CERTIFICATE,
            "The server's certificate is not for it, has run out, or comes from nobody whom browsers trust: "
            "somebody may be in between.",
            "Nothing was asked of it. Where the network itself opens TLS, fetch it elsewhere and give it as a file.",
        )
    if isinstance(error, httpx.ConnectError | httpx.InvalidURL):
        return _trouble(FetchCode.UNREACHABLE, "The server could not be reached over https.")
    return _trouble(FetchCode.BROKEN_OFF, "The answer broke off, or was no HTTP.")


def _trouble(code: FetchCode, message: str, fix: str = "", detail: str = "") -> NotFetched:
    return NotFetched(code, message, fix, detail)
