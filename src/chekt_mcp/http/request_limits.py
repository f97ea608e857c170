"""What a request may be like, judged by its headers before its body is read, and the body read within bounds."""

from __future__ import annotations

from chekt_mcp.domain.webhook import MAX_BODY_BYTES
from chekt_mcp.http.answer import Answer
from chekt_mcp.http.asgi import Headers, Receive
from chekt_mcp.http.receiver_answers import HEADERS_TOO_LARGE, NOT_JSON, TOO_LARGE

MOST_HEADERS = 64
MOST_HEADER_BYTES = 16 * 1024
MOST_DIGITS = 18


class ClientGone(Exception):
    """The client went away before its request was complete: nobody is left to answer."""


def unacceptable(headers: Headers) -> Answer | None:
    """Return why the request is not read at all, or None."""
    if len(headers) > MOST_HEADERS or sum(len(name) + len(value) for name, value in headers) > MOST_HEADER_BYTES:
        return HEADERS_TOO_LARGE
    if not all(_is_json(value) for value in _values(headers, "content-type")):
        return NOT_JSON
    if any(value.strip().lower() not in ("", "identity") for value in _values(headers, "content-encoding")):
        return NOT_JSON  # the signature is over the bytes as sent: nothing may be unpacked on the way
    if any(_announces_too_much(value) for value in _values(headers, "content-length")):
        return TOO_LARGE
    return None


async def read_body(receive: Receive) -> bytes | None:
    """Return the whole body, or None once it is longer than 1 MiB, whatever length was announced.

    Raises:
        ClientGone: it ended before its end.
    """
    parts, length, more = [], 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        parts.append(message.get("body", b""))
        length += len(parts[-1])
        if length > MAX_BODY_BYTES:
            return None
        more = message.get("more_body", False)
    return b"".join(parts)


def _values(headers: Headers, name: str) -> list[str]:
    return [value for each, value in headers if each == name]


def _is_json(content_type: str) -> bool:
    kind = content_type.partition(";")[0].strip().lower()
    return kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))


def _announces_too_much(length: str) -> bool:
    digits = length.strip()
    readable = digits.isascii() and digits.isdigit() and len(digits) <= MOST_DIGITS
    return not readable or int(digits) > MAX_BODY_BYTES
