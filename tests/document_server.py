"""A provider's server for tests: documents over real TLS, well served and badly."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


@dataclass
class Page:
    """What is served at one path; `headers` win over what the server would say."""

    content: bytes = b""
    status: int = 200
    etag: str | None = None
    headers: dict[str, str | None] = field(default_factory=dict)
    """None takes a header away."""
    sent: bytes | None = None
    """What is sent in place of the content that the headers speak of."""
    trickles: bool = False
    """Sent byte by byte, without an end."""
    chunked: bool = False


@dataclass
class Provider:
    """State of one server."""

    pages: dict[str, Page] = field(default_factory=dict)
    requests: list[dict[str, str]] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)


def _handler(provider: Provider) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.close_connection = True
            provider.requests.append({name.lower(): value for name, value in self.headers.items()})
            page = provider.pages.get(self.path, Page(b"there is nothing here", status=404))
            if page.etag and self.headers.get("If-None-Match") == page.etag:
                page = Page(status=304, etag=page.etag)
            self._head(page)
            self._body(page)

        def _head(self, page: Page) -> None:
            length = {"Transfer-Encoding": "chunked"} if page.chunked else {"Content-Length": str(len(page.content))}
            etag = {"ETag": page.etag} if page.etag else {}
            self.send_response(page.status)
            for name, value in {"Content-Type": "application/json", **length, **etag, **page.headers}.items():
                if value is not None:
                    self.send_header(name, value)
            self.end_headers()

        def _body(self, page: Page) -> None:
            sent = page.content if page.sent is None else page.sent
            self.wfile.write(b"%x\r\n%s\r\n0\r\n\r\n" % (len(sent), sent) if page.chunked else sent)
            while page.trickles and not provider.released.wait(0.005):
                self.wfile.write(b" ")

        def log_message(self, *args: object) -> None:
            """Keep the test output quiet."""

    return Handler


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up, or distrusts our certificate, is part of the tests."""


@contextmanager
def serving(provider: Provider, certificate: tuple[Path, Path]) -> Iterator[str]:
    """Serve over TLS on a loopback port; yield the address."""
    server = _Server(("127.0.0.1", 0), _handler(provider))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"https://127.0.0.1:{server.server_port}"
    finally:
        provider.released.set()
        server.shutdown()
        thread.join()
        server.server_close()
