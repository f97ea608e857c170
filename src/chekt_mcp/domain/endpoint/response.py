"""The head of an HTTP/1.1 response (RFC 9112), and what it tells about deliveries. No body is ever looked at."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from chekt_mcp.domain.endpoint.finding import Code, Finding, critical, warning

_STATUS_LINE = re.compile(rb"HTTP/1\.[01] ([1-5][0-9]{2})(?: [^\r\n]*)?\r?\n")
_LOCATION = re.compile(rb"^Location:[ \t]*([^\r\n]*?)[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)
_END = re.compile(rb"\r?\n\r?\n")
_BEGINNING = b"HTTP/1."


@dataclass(frozen=True, slots=True)
class Head:
    """Status and, for a redirect, where to: the endpoint's own text, not yet escaped."""

    status: int
    location: str | None = None

    @property
    def redirects(self) -> bool:
        """Tell whether this sends the caller elsewhere."""
        return 300 <= self.status < 400  # noqa: PLR2004 -- RFC 9110 section 15.4

    @property
    def is_interim(self) -> bool:
        """Tell whether another head follows (RFC 9110 section 15.2)."""
        return self.status < 200  # noqa: PLR2004 -- the class of status codes


class NoHead(StrEnum):
    """Why there is no head."""

    NOT_ASKED = "not_asked"
    SILENT = "silent"
    CLOSED = "closed"
    TOO_LARGE = "too_large"
    NOT_HTTP = "not_http"
    CERTIFICATE_ASKED = "certificate_asked"


def parse_head(data: bytes) -> Head | None:
    """Read a head; None when it is not one of HTTP/1."""
    status_line = _STATUS_LINE.match(data)
    if status_line is None:
        return None
    location = _LOCATION.search(data, status_line.end())
    return Head(int(status_line[1]), location[1].decode("latin-1") if location else None)


def final_head(data: bytes) -> Head | NoHead | None:
    """Read the first head that is not an interim one, from all that came so far; None when more is needed."""
    while data:
        if not _BEGINNING.startswith(data[: len(_BEGINNING)]):
            return NoHead.NOT_HTTP
        end = _END.search(data)
        if end is None:
            return None
        head = parse_head(data[: end.end()])
        if head is None or not head.is_interim:
            return head or NoHead.NOT_HTTP
        data = data[end.end() :]
    return None


def response_findings(response: Head | NoHead) -> Iterator[Finding]:
    """Yield what the answer to a HEAD request tells; a delivery is a POST, so little of it is certain."""
    if isinstance(response, Head):
        yield from _status_findings(response)
    elif response in _NO_HEAD:
        yield _NO_HEAD[response]


def _status_findings(head: Head) -> Iterator[Finding]:
    if head.redirects:
        yield critical(
            Code.REDIRECTS,
            f"The endpoint redirects (status {head.status}; `redirect` says where to). That is no 2xx answer, so "
            "deliveries would be retried for up to 24 h and never arrive.",
            "Register the URL that answers in the end, exactly (host, path, trailing slash), after checking it here.",
        )
    found = _BY_STATUS.get(head.status) or (_SERVER_ERROR if head.status >= 500 else None)  # noqa: PLR2004 -- RFC 9110
    if found is not None:
        yield found


_REFUSES = warning(
    Code.REFUSES_CALLERS,
    "The endpoint refused a HEAD request. CHeKT's deliveries bring a signature and no other credential.",
    "Make sure that a POST without a login or token gets through; verify the signature instead.",
)
_NOT_FOUND = warning(
    Code.PATH_NOT_FOUND,
    "The server knows nothing under this path for a HEAD request.",
    "If it answers POST there, all is well; otherwise correct the path.",
)
_SERVER_ERROR = warning(
    Code.SERVER_ERROR,
    "The server answered a HEAD request with an error of its own (5xx).",
    "Look into the server's log. A delivery that gets such an answer is retried for up to 24 h.",
)
_BY_STATUS = {401: _REFUSES, 403: _REFUSES, 407: _REFUSES, 404: _NOT_FOUND, 410: _NOT_FOUND}
_NO_HEAD = {
    NoHead.SILENT: warning(
        Code.NO_ANSWER,
        "The TLS connection stands, but a HEAD request was not answered in time.",
        "Make sure that the server answers; a delivery without an answer in 30 s is retried.",
    ),
    NoHead.CLOSED: warning(
        Code.NO_ANSWER,
        "The TLS connection stands, but the server closed it without answering a HEAD request.",
        "Look into the server's log: it may ask its callers for a certificate, and CHeKT's deliveries bring none.",
    ),
    NoHead.TOO_LARGE: warning(
        Code.NO_ANSWER,
        "The head of the answer is longer than 16 KiB, so it was not read to its end.",
        "Answer deliveries with a short head: other programs refuse long ones too.",
    ),
    NoHead.NOT_HTTP: critical(
        Code.NOT_HTTP,
        "What answers behind TLS does not speak HTTP/1.1.",
        "Point the URL at the port where the web server listens.",
    ),
    NoHead.CERTIFICATE_ASKED: critical(
        Code.CLIENT_CERTIFICATE_ASKED,
        "The server asks its callers for a certificate of their own. CHeKT's deliveries bring none.",
        "Switch client certificates off for this path, and verify the signature instead.",
    ),
}
