"""uvicorn's HTTP protocols wait for ever for a request's head and for a client that does not read: these do not.

A connection that has brought no whole head is hung up on after so many seconds (at most twice as many); so is one whose
client reads nothing of its answer. When too many wait at once, the one that has waited longest goes first, so that
thousands that say nothing keep nobody else out.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, ClassVar

from uvicorn.protocols.http.h11_impl import H11Protocol

from chekt_mcp.http.request_head import MOST_HEADER_BYTES

if TYPE_CHECKING:
    _Base = H11Protocol
else:
    _Base = object

MOST_SILENT = 512
REQUEST_LINE_BYTES = 2_048
MOST_HEAD_BYTES = MOST_HEADER_BYTES + REQUEST_LINE_BYTES


class Patience(_Base):
    """Mixed into a uvicorn protocol."""

    seconds: ClassVar[float] = 10.0
    silent: ClassVar[dict[Any, None]] = {}
    """Connections of this process that have brought no request yet, in the order they came."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        """Begin to look at what comes."""
        super().connection_made(transport)
        self.silent[self] = None
        if len(self.silent) > MOST_SILENT:
            oldest = next(iter(self.silent))
            del self.silent[oldest]
            oldest.transport.abort()
        self._look_later(None, stuck=False)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self.silent.pop(self, None)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what came; a connection with a whole request is not silent any more."""
        super().data_received(data)
        if self.cycle is not None:
            self.silent.pop(self, None)

    def _look_later(self, request: Any, *, stuck: bool) -> None:
        self.loop.call_later(self.seconds, self._look, request, stuck)

    def _look(self, before: Any, stuck: bool) -> None:  # noqa: FBT001 -- call_later passes by place
        """End the connection if since the last look it has brought no request, or read nothing of its answer."""
        if self.transport.is_closing():
            return
        between_requests = before is None or before.response_complete
        stuck_now = self.flow.write_paused
        if between_requests and self.cycle is before:
            self.transport.close()
        elif stuck and stuck_now:
            self.transport.abort()
        else:
            self._look_later(self.cycle, stuck=stuck_now)


class PatientH11(Patience, H11Protocol):
    """With the parser written in Python."""


def fastest_protocol() -> type[asyncio.Protocol]:
    """Return the protocol with the parser written in C where it is installed (the extra `fast`)."""
    try:
        from chekt_mcp.serving.fast_protocol import PatientHttpTools  # noqa: PLC0415 -- httptools is an extra
    except ImportError:
        return PatientH11
    return PatientHttpTools
