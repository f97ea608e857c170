"""ASGI middleware: the application inside sees only deliveries that are genuine, fresh and not in hand already."""

from __future__ import annotations

import json
import secrets as randomness
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from chekt_mcp.domain.webhook import MAX_BODY_BYTES, WINDOW_SECONDS, Verification, verify
from chekt_mcp.errors import InvalidInput
from chekt_mcp.webhook.memory import delivery_keys
from chekt_mcp.webhook.secrets import Secrets, signing_secrets

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping

    Scope = MutableMapping[str, Any]
    Message = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[Message]]
    Send = Callable[[Message], Awaitable[None]]
    App = Callable[[Scope, Receive, Send], Awaitable[None]]
    Hook = Callable[[Verification], bool | Awaitable[bool | None] | None]

SCOPE_KEY = "chekt_webhook"
"""Where the application finds the `Verification`: `request.scope["chekt_webhook"]`."""
_POLICY_VIOLATION = 1008  # RFC 6455, 7.4.1
_SUCCESS = 2  # the first digit


class _Answer(NamedTuple):
    status: int
    code: str
    message: str
    headers: tuple[tuple[bytes, bytes], ...] = ()


# One answer for every bad delivery: what exactly is wrong with it is the receiver's business, not the sender's.
_REFUSED = _Answer(
    401,
    "webhook_signature_invalid",
    "The webhook signature could not be verified.",
    ((b"www-authenticate", b"CHeKT-Signature"),),  # RFC 9110, 15.5.2: a 401 names a scheme
)
_TOO_LARGE = _Answer(413, "payload_too_large", "The body is larger than this endpoint accepts.")
_IN_HAND = _Answer(
    503, "delivery_in_progress", "This delivery is being dealt with; ask again.", ((b"retry-after", b"30"),)
)


class SignedWebhookMiddleware:
    """Verify every HTTP request before `app` sees it; put it around the webhook route only.

    The body is read first (at most `max_body` bytes, else 413) and handed on unchanged. A request that does not
    verify is answered 401 in the platform's error envelope. Anything but HTTP and lifespan is closed unseen.

    A retry or replay is answered 200 without the application, once `remember` has been told of the first: that
    happens when the application answers 2xx, and before the platform hears of it. So an application that fails, or
    crashes, gets the retry. The same delivery twice at once in this process: one is answered 503, to come again.

    Args:
        app: the application that handles the event.
        secret: the signing secret, or the current and the previous one.
        tolerance: how many seconds the timestamp may be off, either way.
        seen: asked whether a delivery was dealt with before, with its `Verification`; may be a coroutine function.
            By what to recognise it: `body_digest` and `event_id`. Without it nothing stops a replay in the window.
        remember: told of a delivery that has been dealt with. `RecentDeliveries` offers both for one process.
        refused: told of a delivery that was not accepted, to log its `verdict` and `cause`.
        max_body: bytes; at most 1 MiB.
        clock: returns the unix time in seconds.

    Raises:
        InvalidInput: there is no usable secret; a receiver that refuses everything had better not start.
    """

    def __init__(  # noqa: PLR0913  each has its default
        self,
        app: App,
        secret: Secrets,
        *,
        tolerance: int = WINDOW_SECONDS,
        seen: Hook | None = None,
        remember: Hook | None = None,
        refused: Hook | None = None,
        max_body: int = MAX_BODY_BYTES,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._app, self._tolerance, self._max_body, self._clock = app, tolerance, min(max_body, MAX_BODY_BYTES), clock
        self._seen, self._remember, self._refused = seen, remember, refused
        self._secrets = signing_secrets(secret)
        self._in_hand: set[bytes | str] = set()
        if not any(each.usable for each in self._secrets):
            raise InvalidInput("There is no webhook signing secret.", field="secret", code="no_signing_secret")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection (ASGI 3)."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await self._serve(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": _POLICY_VIOLATION})

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await _read_body(receive, self._max_body)
        if body is None:
            await _answer(send, _TOO_LARGE)
            return
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
        verification = verify(headers, body, self._secrets, now=self._clock(), window=self._tolerance)
        if verification:
            await self._accept(verification, scope, receive, send)
        else:
            await _ask(self._refused, verification)
            await _answer(send, _REFUSED)

    async def _accept(self, verification: Verification, scope: Scope, receive: Receive, send: Send) -> None:
        keys = set(delivery_keys(verification))
        if keys & self._in_hand:
            await _answer(send, _IN_HAND)
            return
        self._in_hand |= keys
        try:
            if await _ask(self._seen, verification):
                await _send_json(send, 200, {"received": True, "duplicate": True})
            else:
                await self._hand_on(verification, scope, receive, send)
        finally:
            self._in_hand -= keys

    async def _hand_on(self, verification: Verification, scope: Scope, receive: Receive, send: Send) -> None:
        async def remembering(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] // 100 == _SUCCESS:
                await _ask(self._remember, verification)
            await send(message)

        inner = {**scope, SCOPE_KEY: verification}
        await self._app(inner, _replaying(verification.body, receive), remembering)


async def _ask(hook: Hook | None, verification: Verification) -> bool:
    answer = hook(verification) if hook else False
    return bool(answer if isinstance(answer, bool | None) else await answer)


async def _read_body(receive: Receive, limit: int) -> bytes | None:
    """Return the whole body, or None once it is longer than `limit`. What a client leaves unfinished stays short."""
    parts, length, more = [], 0, True
    while more:
        message = await receive()
        parts.append(message.get("body", b""))
        length += len(parts[-1])
        if length > limit:
            return None
        more = message.get("more_body", False)
    return b"".join(parts)


def _replaying(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` that gives the body once, in one piece, and then whatever the server has to say."""
    pending = [body]

    async def replay() -> Message:
        if pending:
            return {"type": "http.request", "body": pending.pop(), "more_body": False}
        return await receive()

    return replay


async def _answer(send: Send, answer: _Answer) -> None:
    request_id = f"req_{randomness.token_hex(12)}"
    error = {"code": answer.code, "message": answer.message, "request_id": request_id}
    await _send_json(send, answer.status, {"error": error}, answer.headers)


async def _send_json(
    send: Send, status: int, document: dict[str, object], headers: tuple[tuple[bytes, bytes], ...] = ()
) -> None:
    body = json.dumps(document).encode()
    described = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode()), *headers]
    await send({"type": "http.response.start", "status": status, "headers": described})
    await send({"type": "http.response.body", "body": body})
