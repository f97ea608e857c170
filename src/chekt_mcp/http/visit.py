"""One request as it passes the edge: what is known of it so far, for the answer, the log and the metrics."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from chekt_mcp.auth.caller import NO_DEALER, Caller
from chekt_mcp.domain.audit import Kind, NewEntry, Result
from chekt_mcp.http.answer import Answer
from chekt_mcp.http.asgi import Message, Send

SOURCE: Final = "http"
"""How such calls reach us, as the log has it."""


class Turned(Exception):
    """The request goes no further: `answer` is sent, and `logged` is the code by which the log has it."""

    def __init__(self, answer: Answer, logged: str | None = None) -> None:
        super().__init__(answer.code)
        self.answer = answer
        self.logged = logged or answer.code


@dataclass(slots=True)
class Visit:
    """What is known of a request. `began` is the event loop's clock, `now` the wall clock."""

    request_id: str
    now: datetime
    began: float
    source_ip: str | None = None
    caller: Caller | None = None
    status: int = 0
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)

    def answering(self, send: Send) -> Send:
        """Return a `send` that adds this visit's headers to the answer, and notes its status."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                self.status = message["status"]
                message["headers"] = [*message.get("headers", ()), *self.headers]
            await send(message)

        return send_with_headers

    def refused(self, code: str) -> NewEntry:
        """Return the log entry of its refusal."""
        caller = self.caller
        return NewEntry(
            dealer=caller.dealer if caller else NO_DEALER,
            timestamp=self.now,
            actor=caller.actor if caller else "unknown",
            kind=Kind.TOOL_CALL,
            action="http_request",
            result=Result.DENIED,
            request_id=self.request_id,
            app=caller.app if caller else None,
            source=SOURCE,
            source_ip=self.source_ip,
            key_id=caller.key_id if caller else None,
            details={"outcome": code},
        )
