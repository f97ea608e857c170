"""The one ASGI application: each path, and who serves it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from chekt_mcp.domain.identifier import new_id
from chekt_mcp.errors import ChektError
from chekt_mcp.http.answer import send_answer, send_json
from chekt_mcp.http.asgi import App, Receive, Scope, Send
from chekt_mcp.http.edge_answers import NOT_FOUND
from chekt_mcp.operations.services import Services

POLICY_VIOLATION = 1008  # RFC 6455, 7.4.1


@dataclass(frozen=True, slots=True)
class Site:
    """Sends each request to whoever serves its path.

    Attributes:
        services: the state, for request ids.
        exact: path → application.
        below: beginning of a path, with its last slash → application.
    """

    services: Services
    exact: Mapping[str, App]
    below: Mapping[str, App] = field(default_factory=dict)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; there are no web sockets here."""
        if scope["type"] == "http":
            await self._app(scope["path"])(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": POLICY_VIOLATION})

    def _app(self, path: str) -> App:
        if found := self.exact.get(path):
            return found
        return next((app for start, app in self.below.items() if path.startswith(start)), self._nothing_here)

    async def _nothing_here(self, _scope: Scope, receive: Receive, send: Send) -> None:
        await send_answer(receive, send, NOT_FOUND, new_id("req", self.services.random))


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
