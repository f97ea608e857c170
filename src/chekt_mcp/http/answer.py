"""Answers in the platform's form: `{"error": {"code", "message", "request_id"}}`, and `Retry-After` where it helps."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta

from chekt_mcp.http.asgi import Send


@dataclass(frozen=True, slots=True)
class Answer:
    """A status, a code and a sentence for the sender; nothing of what was sent.

    Attributes:
        closes: the connection ends with it, because the request was not read to its end.
    """

    status: int
    code: str
    message: str
    headers: tuple[tuple[bytes, bytes], ...] = ()
    closes: bool = False


def retry_after(answer: Answer, wait: timedelta) -> Answer:
    """Return `answer` with the whole seconds to wait (RFC 9110, 10.2.3)."""
    seconds = str(max(1, round(wait.total_seconds()))).encode()
    return Answer(
        answer.status, answer.code, answer.message, (*answer.headers, (b"retry-after", seconds)), answer.closes
    )


async def send_answer(send: Send, answer: Answer, request_id: str) -> None:
    """Send an error."""
    error = {"code": answer.code, "message": answer.message, "request_id": request_id}
    closing = ((b"connection", b"close"),) if answer.closes else ()
    await send_json(send, answer.status, {"error": error}, request_id, (*answer.headers, *closing))


async def send_json(
    send: Send, status: int, document: dict[str, object], request_id: str, headers: tuple[tuple[bytes, bytes], ...] = ()
) -> None:
    """Send a JSON document."""
    body = json.dumps(document).encode()
    described = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        (b"x-request-id", request_id.encode()),
        *headers,
    ]
    await send({"type": "http.response.start", "status": status, "headers": described})
    await send({"type": "http.response.body", "body": body})
