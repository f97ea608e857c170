"""uvicorn's HTTP protocols wait for ever for a request's head and for a client that does not read: these do not.

A connection that has brought no whole head is hung up on after so many seconds (at most twice as many); so is one whose
client reads nothing of its answer. When too many wait at once, for a first request or for the next one, the one that
has waited longest goes first, so that thousands that say nothing, or nothing more, keep nobody else out.
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
MOST_KEPT = 2_048
REQUEST_LINE_BYTES = 2_048
MOST_HEAD_BYTES = MOST_HEADER_BYTES + REQUEST_LINE_BYTES


class Patience(_Base):
    """Mixed into a uvicorn protocol."""

    seconds: ClassVar[float] = 10.0
    silent: ClassVar[dict[Any, None]] = {}
    """Connections of this process that have brought no request yet, in the order they came."""
    kept: ClassVar[dict[Any, None]] = {}
    """Those whose requests are answered, in the order of their last answers. It takes no credential to be one."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        """Begin to look at what comes."""
        super().connection_made(transport)
        self._wait_among(self.silent, MOST_SILENT)
        self._look_later(None, stuck=False)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self.silent.pop(self, None)
        self.kept.pop(self, None)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what came; a connection with a whole request is not silent any more."""
        super().data_received(data)
        cycle: Any = self.cycle  # None before the first request
        if cycle is not None and not cycle.response_complete:
            self.silent.pop(self, None)
            self.kept.pop(self, None)

    def on_response_complete(self) -> None:
        """Wait for the next request, if there is none in hand."""
        super().on_response_complete()
        if self.cycle.response_complete and not self.transport.is_closing():
            self._wait_among(self.kept, MOST_KEPT)

    def _wait_among(self, waiting: dict[Any, None], most: int) -> None:
        waiting[self] = None
        if len(waiting) > most:
            oldest = next(iter(waiting))
            del waiting[oldest]
            oldest.transport.abort()

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
