"""`/metrics`: the counters, and how many approvals wait, told anew at each look."""

from __future__ import annotations

from chekt_mcp.errors import ChektError
from chekt_mcp.http.asgi import App, Receive, Scope, Send
from chekt_mcp.http.metrics import Metrics
from chekt_mcp.operations.pending import pending_approvals
from chekt_mcp.operations.services import Services

TYPE = b"text/plain; version=0.0.4; charset=utf-8"


def exposition(services: Services, metrics: Metrics) -> App:
    """Return the application. Without the store there are no numbers: a gap says more than a false zero."""

    async def serve(_scope: Scope, _receive: Receive, send: Send) -> None:
        try:
            status, body = 200, metrics.text(await pending_approvals(services)).encode()
        except ChektError:
            status, body = 503, b""
        headers = [
            (b"content-type", TYPE),
            (b"content-length", str(len(body)).encode()),
            (b"cache-control", b"no-store"),
        ]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return serve
