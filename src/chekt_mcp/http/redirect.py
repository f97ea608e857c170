"""The plain http port beside https: it sends browsers on, and tells whoever sent more that it went in clear."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from chekt_mcp.domain.identifier import new_id
from chekt_mcp.http.answer import Answer, send_answer
from chekt_mcp.http.asgi import Receive, Scope, Send
from chekt_mcp.http.edge_answers import NOT_FOUND
from chekt_mcp.operations.services import Services

IN_CLEAR = Answer(
    403,
    "https_required",
    "This port only leads to https. If a key was sent here, it went over the network in clear: rotate it.",
    closes=True,
)


@dataclass(frozen=True, slots=True)
class Redirect:
    """Sends GET and HEAD to the same path of the public URL; never to a host that the request names."""

    services: Services
    public_url: str

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        refusal = _refused(scope)
        if refusal is not None:
            await send_answer(receive, send, refusal, new_id("req", self.services.random))
            return
        headers = [(b"location", self._target(scope)), (b"content-length", b"0"), (b"connection", b"close")]
        await send({"type": "http.response.start", "status": 308, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    def _target(self, scope: Scope) -> bytes:
        path: bytes = scope["raw_path"].split(b"?")[0]
        query = scope["query_string"]
        return f"https://{urlsplit(self.public_url).netloc}".encode() + path + (b"?" + query if query else b"")


def _refused(scope: Scope) -> Answer | None:
    if scope["method"] not in ("GET", "HEAD") or any(name == b"authorization" for name, _ in scope["headers"]):
        return IN_CLEAR
    is_path = scope["raw_path"].startswith(b"/") and scope["path"].startswith("/")
    return None if is_path else NOT_FOUND  # `@evil.test/` after our name would lead to another host
