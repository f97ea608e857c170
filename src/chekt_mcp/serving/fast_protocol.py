"""uvicorn's protocol over httptools, which sets no limit to a request's head or trailer: this one does."""

from __future__ import annotations

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from chekt_mcp.serving.patience import MOST_HEAD_BYTES, Patience


class PatientHttpTools(Patience, HttpToolsProtocol):  # type: ignore[misc]  # two bases name the same methods
    """With the parser written in C. What goes on for so many bytes without a whole head or a body ends the connection.

    Fields of a trailer are dropped (RFC 9110, 6.5.1): uvicorn would put them among headers that the edge has judged.
    Whoever asks for another protocol is refused: the parser takes the body of such a request for the next request, and
    behind a proxy that is somebody else's.
    """

    _head_open = True
    _moved = False
    _bytes_in_vain = 0

    def on_message_begin(self) -> None:
        """Begin a head."""
        super().on_message_begin()
        self._head_open = True

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header without the blanks around its value, which are no part of it (RFC 9110, 5.5)."""
        if self._head_open:
            super().on_header(name, value.strip(b" \t"))

    def on_headers_complete(self) -> None:
        """Let the edge judge what is complete."""
        self._head_open, self._moved = False, True
        super().on_headers_complete()
        if not self.url.startswith(b"/"):  # names a host, which uvicorn drops, and which is to count more than Host
            self.scope["path"] = self.url.decode("ascii", "replace")

    def on_body(self, body: bytes) -> None:
        """Take a piece of the body, whose size the application judges."""
        self._moved = True
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Take the end of a request."""
        self._moved = True
        super().on_message_complete()

    def handle_websocket_upgrade(self) -> None:  # type: ignore[override]  # the other parser's form differs
        """Hang up: there is no other protocol here."""
        self.send_400_response("There is no other protocol here.")

    def data_received(self, data: bytes) -> None:
        """Take what came."""
        self._moved = False
        super().data_received(data)
        self._bytes_in_vain = 0 if self._moved else self._bytes_in_vain + len(data)
        if self._bytes_in_vain <= MOST_HEAD_BYTES or self.transport.is_closing():
            return
        if self._head_open:
            self.send_400_response("The head of the request is too long.")
        else:
            self.transport.close()

    def _should_upgrade(self) -> bool:
        """Have uvicorn hand every request for another protocol to `handle_websocket_upgrade`."""
        return True
