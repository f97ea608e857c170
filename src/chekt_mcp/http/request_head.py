"""The head of a request to the MCP endpoint: read in one pass, and refused where two readers could differ about it.

What a proxy and this server may read differently (RFC 9112, 11.2) is refused, whoever is right: both framings at once,
a header twice that may stand once. So is a Host or an Origin that is not ours: a page that rebinds its name to this
address would otherwise speak with the credentials of whoever looks at it.
"""

from __future__ import annotations

from dataclasses import dataclass

from chekt_mcp.http.answer import Answer

MOST_HEADERS = 64
MOST_HEADER_BYTES = 16 * 1024
MOST_BODY_BYTES = 4 * 1024 * 1024
_MOST_DIGITS = 18

ONCE = frozenset(
    {
        b"authorization",
        b"host",
        b"origin",
        b"content-length",
        b"content-type",
        b"content-encoding",
        b"transfer-encoding",
        b"mcp-protocol-version",
        b"mcp-method",
        b"mcp-name",
        b"mcp-session-id",
    }
)
"""Headers that decide something here: a second one is an attempt to be read differently elsewhere."""

HEADERS_TOO_LARGE = Answer(431, "headers_too_large", "The headers are too many or too long.", closes=True)
AMBIGUOUS = Answer(400, "ambiguous_request", "A header that may stand once stands twice.", closes=True)
TOO_LARGE = Answer(413, "payload_too_large", "The body is larger than 4 MiB.", closes=True)
COMPRESSED = Answer(415, "unsupported_media_type", "Send the body as it is, not compressed.", closes=True)
WRONG_HOST = Answer(421, "wrong_host", "This server does not answer to that name. See --public-url.", closes=True)
WRONG_ORIGIN = Answer(403, "wrong_origin", "A page of another site may not call this server.", closes=True)


@dataclass(frozen=True, slots=True)
class OwnNames:
    """What Host and Origin may say; the bytes as a client sends them."""

    hosts: frozenset[bytes]
    origins: frozenset[bytes]


def read_head(headers: list[tuple[bytes, bytes]], own: OwnNames) -> dict[bytes, bytes] | Answer:
    """Return the headers of `ONCE` by name, or why the request is not looked at further."""
    known: dict[bytes, bytes] = {}
    length = 0
    for name, value in headers:
        length += len(name) + len(value)
        if name in ONCE:
            if name in known:
                return AMBIGUOUS
            known[name] = value
    if len(headers) > MOST_HEADERS or length > MOST_HEADER_BYTES:
        return HEADERS_TOO_LARGE
    return _refused(known, own) or known


def _refused(known: dict[bytes, bytes], own: OwnNames) -> Answer | None:
    if b"content-length" in known and b"transfer-encoding" in known:
        return AMBIGUOUS
    if _announces_too_much(known.get(b"content-length", b"0")):
        return TOO_LARGE
    if _is_compressed(known):
        return COMPRESSED
    if known.get(b"host", b"").lower() not in own.hosts:
        return WRONG_HOST
    if b"origin" in known and known[b"origin"].lower() not in own.origins:
        return WRONG_ORIGIN
    return None


def _is_compressed(known: dict[bytes, bytes]) -> bool:
    """Tell whether the body is anything but its own bytes, as it is (RFC 9110, 8.4) or on its way (RFC 9112, 6.1)."""
    content = known.get(b"content-encoding", b"identity").strip().lower()
    transfer = known.get(b"transfer-encoding", b"chunked").strip().lower()
    return content not in (b"identity", b"") or transfer != b"chunked"


def _announces_too_much(length: bytes) -> bool:
    digits = length.strip()
    return not (digits.isdigit() and len(digits) <= _MOST_DIGITS) or int(digits) > MOST_BODY_BYTES
