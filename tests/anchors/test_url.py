"""An https endpoint as the anchor, over real TLS on loopback."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from chekt_mcp.anchors.url import url_anchor
from chekt_mcp.errors import InvalidInput, Unavailable
from chekt_mcp.network.guard import AddressGuard
from chekt_mcp.network.https_exchange import HttpsExchange
from chekt_mcp.network.tls_contexts import TlsContexts, public_authorities
from endpoint_certificates import HOST
from endpoint_servers import LOOPBACK, Resolver, identity_and_trust, loopback_is_public

pytestmark = pytest.mark.anyio
NOTE = "chekt-mcp/acme\n1\nroot\n\n— chekt-mcp/acme sig\n"


@dataclass
class Place:
    """What the server keeps, and with which status it answers."""

    kept: dict[str, bytes] = field(default_factory=dict)
    status: int | None = None
    asked: list[str] = field(default_factory=list)


def _handler(place: Place) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            place.kept[self.path] = self.rfile.read(int(self.headers["Content-Length"]))
            self._answer(place.status or 201, b"kept\n")

        def do_GET(self) -> None:
            kept = place.kept.get(self.path)
            self._answer(place.status or (404 if kept is None else 200), kept or b"")

        def _answer(self, status: int, content: bytes) -> None:
            place.asked.append(f"{self.command} {self.path} {self.headers['Host']}")
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Location", "https://elsewhere.example/")
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *args: object) -> None:
            """Keep the test output quiet."""

    return Handler


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """A client that distrusts our certificate is part of the tests."""


@contextmanager
def serving(place: Place, context: ssl.SSLContext) -> Iterator[int]:
    server = _Server((LOOPBACK, 0), _handler(place))
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def place() -> Place:
    return Place()


@pytest.fixture
def exchange_and_port(place: Place, tmp_path: Path) -> Iterator[tuple[HttpsExchange, int]]:
    identity, trust = identity_and_trust(HOST)
    guard = AddressGuard(Resolver([LOOPBACK]), loopback_is_public)
    with serving(place, identity.context(tmp_path)) as port:
        yield HttpsExchange(1_000, 5, guard, TlsContexts(trust)), port


async def test_a_checkpoint_is_posted_and_got_back_as_it_was(
    place: Place, exchange_and_port: tuple[HttpsExchange, int]
) -> None:
    exchange, port = exchange_and_port
    anchor = url_anchor(f"https://{HOST}:{port}/log/{{dealer}}?token=abc", exchange)
    assert await anchor.newest("acme") is None, "404: it has none"
    assert await anchor.keep("acme", NOTE) == "kept\\u{a}"
    assert place.kept == {"/log/acme?token=abc": NOTE.encode()}
    assert await anchor.newest("acme") == NOTE
    assert place.asked[-1] == f"GET /log/acme?token=abc {HOST}:{port}"
    assert anchor.name == f"https://{HOST}:{port}/log/{{dealer}}"


@pytest.mark.parametrize("status", [302, 401, 500])
async def test_any_other_answer_takes_and_gives_nothing(
    place: Place, exchange_and_port: tuple[HttpsExchange, int], status: int
) -> None:
    exchange, port = exchange_and_port
    anchor, place.status = url_anchor(f"https://{HOST}:{port}/", exchange), status
    for work in (anchor.keep("acme", NOTE), anchor.newest("acme")):
        with pytest.raises(Unavailable, match=f"status {status}") as failed:
            await work
        assert failed.value.code == "anchor_failed"
    assert len(place.asked) == 2, "no redirect is followed"


@pytest.mark.parametrize("content", [b"x" * 1_001, b"\xff"])
async def test_what_is_too_large_or_no_text_is_no_checkpoint(
    place: Place, exchange_and_port: tuple[HttpsExchange, int], content: bytes
) -> None:
    exchange, port = exchange_and_port
    place.kept["/"] = content
    with pytest.raises(Unavailable, match=r"larger than|no text"):
        await url_anchor(f"https://{HOST}:{port}/", exchange).newest("acme")


async def test_a_server_whose_certificate_nobody_vouches_for_is_sent_nothing(
    place: Place, exchange_and_port: tuple[HttpsExchange, int]
) -> None:
    exchange, port = exchange_and_port
    distrusting = HttpsExchange(1_000, 5, exchange.guard, TlsContexts(public_authorities))
    with pytest.raises(Unavailable, match="certificate"):
        await url_anchor(f"https://{HOST}:{port}/", distrusting).keep("acme", NOTE)
    assert (place.kept, place.asked) == ({}, [])


async def test_an_address_that_is_not_public_is_never_contacted(
    place: Place, exchange_and_port: tuple[HttpsExchange, int]
) -> None:
    exchange, port = exchange_and_port
    guarded = HttpsExchange(1_000, 5, AddressGuard(Resolver([LOOPBACK])), exchange.contexts)
    with pytest.raises(Unavailable, match="not a public one"):
        await url_anchor(f"https://{HOST}:{port}/", guarded).keep("acme", NOTE)
    assert place.asked == []


@pytest.mark.parametrize(
    ("url", "code"),
    [("http://a.example.com/", "not_https"), ("https://u:p@a.example.com/", "credentials_in_url"), ("x", "bad_url")],
)
def test_what_is_no_anchors_url_is_refused(url: str, code: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        url_anchor(url)
    assert refused.value.code == code
