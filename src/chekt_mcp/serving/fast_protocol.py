"""uvicorn's protocol over httptools, which sets no limit to a request's head: this one does."""

from __future__ import annotations

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from chekt_mcp.serving.patience import MOST_HEAD_BYTES, Patience


class PatientHttpTools(Patience, HttpToolsProtocol):  # type: ignore[misc]  # two bases name the same methods
    """With the parser written in C. A head that is not complete within so many bytes ends the connection."""

    _head_bytes = 0
    _head_open = True

    def on_message_begin(self) -> None:
        """Begin to count."""
        super().on_message_begin()
        self._head_open, self._head_bytes = True, 0

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header without the blanks around its value, which are no part of it (RFC 9110, 5.5)."""
        super().on_header(name, value.strip(b" \t"))

    def on_headers_complete(self) -> None:
        """Stop counting: the edge judges what is complete."""
        self._head_open = False
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        """Take what came."""
        super().data_received(data)
        if self._head_open and not self.transport.is_closing():
            self._head_bytes += len(data)
            if self._head_bytes > MOST_HEAD_BYTES:
                self.send_400_response("The head of the request is too long.")
