"""The one ASGI application: each path, and who serves it."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from chekt_mcp.domain.identifier import new_id
from chekt_mcp.errors import ChektError
from chekt_mcp.http.answer import Raw, send_answer, send_json
from chekt_mcp.http.asgi import App, Message, Receive, Scope, Send
from chekt_mcp.http.edge_answers import FAILED, NOT_FOUND
from chekt_mcp.operations.services import Services

POLICY_VIOLATION = 1008  # RFC 6455, 7.4.1
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Site:
    """Sends each request to whoever serves its path.

    Attributes:
        services: the state, for request ids.
        exact: path → application.
        below: beginning of a path, with its last slash → application.
        headers: what every answer says.
    """

    services: Services
    exact: Mapping[str, App]
    below: Mapping[str, App] = field(default_factory=dict)
    headers: Raw = ()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; there are no web sockets here."""
        if scope["type"] == "http":
            await self._served(scope, receive, with_headers(send, self.headers) if self.headers else send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": POLICY_VIOLATION})

    async def _served(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._app(scope["path"])(scope, receive, send)
        except Exception:  # noqa: BLE001 -- an answer in our form, whatever went wrong
            request_id = new_id("req", self.services.random)
            _LOG.exception("%s failed as %s", scope["method"], request_id)
            with suppress(RuntimeError):  # the answer had begun: the connection is cut off instead
                await send_answer(receive, send, FAILED, request_id)

    def _app(self, path: str) -> App:
        if found := self.exact.get(path):
            return found
        return next((app for start, app in self.below.items() if path.startswith(start)), self._nothing_here)

    async def _nothing_here(self, _scope: Scope, receive: Receive, send: Send) -> None:
        await send_answer(receive, send, NOT_FOUND, new_id("req", self.services.random))


def with_headers(send: Send, headers: Raw) -> Send:
    """Return a `send` that adds headers to the answer."""

    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", ()), *headers]
        await send(message)

    return send_with_headers


def document(contents: Mapping[str, object], *, cached: bool = False) -> App:
    """Return an application that answers with one JSON document, whoever asks."""
    body = json.dumps(contents).encode()
    keep = b"public, max-age=3600" if cached else b"no-store"
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", keep),
        (b"access-control-allow-origin", b"*"),
    ]

    async def serve(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return serve


def readiness(services: Services) -> App:
    """Return `/readyz`: 200 while the store can be read, else 503."""

    async def serve(_scope: Scope, _receive: Receive, send: Send) -> None:
        request_id = new_id("req", services.random)
        ready = await _readable(services)
        status = {"status": "ready" if ready else "unavailable"}
        await send_json(send, 200 if ready else 503, status, request_id)

    return serve


async def _readable(services: Services) -> bool:
    try:
        await services.storage.read(lambda reader: reader.dealers())
    except ChektError:
        return False
    return True
