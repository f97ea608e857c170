"""An https endpoint as the anchor: POST takes a checkpoint, GET at the same URL gives the newest one back.

`{dealer}` in the URL stands for the dealer's name. Any 2xx takes the checkpoint; its body is kept as the receipt.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from http import HTTPStatus

from chekt_mcp.domain.endpoint.url import EndpointUrl, read_url
from chekt_mcp.domain.foreign_text import escaped
from chekt_mcp.domain.signed_note import LONGEST
from chekt_mcp.errors import InvalidInput, Unavailable
from chekt_mcp.network.https_exchange import HttpsExchange, Response

RECEIPT_LIMIT = 2_000
"""Characters of a receipt that are kept."""

SECONDS = 10.0
"""For a whole exchange."""

NONE_KEPT = (HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.NOT_IMPLEMENTED)


@dataclass(frozen=True, slots=True)
class UrlAnchor:
    """Made by `url_anchor`."""

    template: str
    exchange: HttpsExchange = field(repr=False)

    @property
    def name(self) -> str:
        """The URL without its query, which may hold a token."""
        return self.template.partition("?")[0]

    async def keep(self, dealer: str, note: str) -> str:
        """Post the checkpoint; see `Anchor`."""
        response = await self._request("POST", dealer, note.encode())
        if not HTTPStatus.OK <= response.status < HTTPStatus.MULTIPLE_CHOICES:
            raise _failed(f"it answered with status {response.status}")
        return escaped(response.content.decode("utf-8", "backslashreplace"), RECEIPT_LIMIT)

    async def newest(self, dealer: str) -> str | None:
        """Get what it keeps; see `Anchor`."""
        response = await self._request("GET", dealer)
        if response.status in NONE_KEPT:
            return None
        if response.status != HTTPStatus.OK:
            raise _failed(f"it answered with status {response.status}")
        try:
            return response.content.decode()
        except UnicodeDecodeError:
            raise _failed("what it keeps is no text") from None

    async def _request(self, method: str, dealer: str, body: bytes = b"") -> Response:
        try:
            return await self.exchange.request(method, _of_dealer(self.template, dealer), body)
        except Unavailable as error:
            raise Unavailable(error.message, code="anchor_failed") from error


def url_anchor(template: str, exchange: HttpsExchange | None = None) -> UrlAnchor:
    """Return the anchor for a URL; `exchange` is for tests.

    Raises:
        InvalidInput: codes `bad_url`, `not_https` and `credentials_in_url`.
    """
    url = _of_dealer(template, "dealer")
    if url.scheme != "https":
        raise InvalidInput("An anchor is spoken to over https only.", field="url", code="not_https")
    if url.has_credentials:
        raise InvalidInput("The anchor's URL holds a user name or password.", field="url", code="credentials_in_url")
    return UrlAnchor(template, exchange or HttpsExchange(LONGEST * 4, SECONDS))


def _of_dealer(template: str, dealer: str) -> EndpointUrl:
    return read_url(template.replace("{dealer}", dealer))


def _failed(why: str) -> Unavailable:
    return Unavailable(f"The anchor did not do its part: {why}.", code="anchor_failed")
