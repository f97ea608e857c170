"""Answers in the platform's form: `{"error": {"code", "message", "request_id"}}`, and `Retry-After` where it helps."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from chekt_mcp.http.asgi import Receive, Send

LINGER_SECONDS = 2
LINGER_BYTES = 1024 * 1024
"""How long, and for how much, a sender is listened to whose answer is already out."""
Raw = tuple[tuple[bytes, bytes], ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """A status, a code and a sentence for the sender; nothing of what was sent.

    Attributes:
        closes: the connection ends with it, because the request may not have been read to its end.
    """

    status: int
    code: str
    message: str
    headers: Raw = ()
    closes: bool = False


def retry_after(answer: Answer, wait: timedelta) -> Answer:
    """Return `answer` with the whole seconds to wait (RFC 9110, 10.2.3)."""
    seconds = str(max(1, round(wait.total_seconds()))).encode()
    return Answer(
        answer.status, answer.code, answer.message, (*answer.headers, (b"retry-after", seconds)), answer.closes
    )


async def send_answer(receive: Receive, send: Send, answer: Answer, request_id: str) -> None:
    """Send an error, and where the request was not read to its end, let the sender finish before hanging up.

    Otherwise the connection is reset while the sender still writes, and it never sees the answer (RFC 9112, 9.6).
    """
    document = {"error": {"code": answer.code, "message": answer.message, "request_id": request_id}}
    if not answer.closes:
        await send_json(send, answer.status, document, request_id, answer.headers)
        return
    body = await _begin(send, answer.status, document, request_id, (*answer.headers, (b"connection", b"close")))
    await send({"type": "http.response.body", "body": body, "more_body": True})
    with suppress(TimeoutError):
        async with asyncio.timeout(LINGER_SECONDS):
            await _discard(receive)
    await send({"type": "http.response.body", "body": b""})


async def send_json(
    send: Send, status: int, document: Mapping[str, object], request_id: str, headers: Raw = ()
) -> None:
    """Send a JSON document."""
    body = await _begin(send, status, document, request_id, headers)
    await send({"type": "http.response.body", "body": body})


async def _discard(receive: Receive) -> None:
    length, more = 0, True
    while more and length <= LINGER_BYTES:
        message = await receive()
        length += len(message.get("body", b""))
        more = message.get("more_body", False)


async def _begin(send: Send, status: int, document: Mapping[str, object], request_id: str, headers: Raw) -> bytes:
    """Send the head of an answer and return its body."""
    body = json.dumps(document).encode()
    described = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        (b"x-request-id", request_id.encode()),
        *headers,
    ]
    await send({"type": "http.response.start", "status": status, "headers": described})
    return body
