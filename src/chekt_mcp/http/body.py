"""A request's body, read whole within its size and time, and given on as if it had just come."""

from __future__ import annotations

import asyncio

from chekt_mcp.http.asgi import Message, Receive
from chekt_mcp.http.edge_answers import TOO_SLOW
from chekt_mcp.http.request_head import MOST_BODY_BYTES, TOO_LARGE
from chekt_mcp.http.request_limits import ClientGone
from chekt_mcp.http.visit import Turned


async def read_whole(receive: Receive, seconds: float) -> bytes:
    """Return the whole body.

    Raises:
        Turned: it is larger than 4 MiB, or took longer than so many seconds.
        ClientGone: it ended before its end.
    """
    try:
        async with asyncio.timeout(seconds):
            return await _pieces(receive)
    except TimeoutError:
        raise Turned(TOO_SLOW) from None


def replayed(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` that gives the body once, and then what really comes."""
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


async def _pieces(receive: Receive) -> bytes:
    parts, length, more = [], 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        parts.append(message.get("body", b""))
        length += len(parts[-1])
        if length > MOST_BODY_BYTES:
            raise Turned(TOO_LARGE)
        more = message.get("more_body", False)
    return b"".join(parts)
