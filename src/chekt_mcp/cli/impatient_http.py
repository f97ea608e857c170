"""uvicorn's HTTP protocol, which waits for ever for the rest of a request's headers, with an end to its patience."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

from uvicorn.protocols.http.h11_impl import H11Protocol


class ImpatientProtocol(H11Protocol):
    """Hangs up on a connection that has brought no whole request head for so many seconds (at most twice as many)."""

    seconds: ClassVar[float] = 10.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        """Begin to look at what comes."""
        super().connection_made(transport)
        self._look_later(None)

    def _look_later(self, request: Any) -> None:
        self.loop.call_later(self.seconds, self._look, request)

    def _look(self, before: Any) -> None:
        """End the connection between requests if the latest one is still that of the look before."""
        if self.transport.is_closing():
            return
        between_requests = before is None or before.response_complete
        if between_requests and self.cycle is before:
            self.transport.close()
        else:
            self._look_later(self.cycle)
