"""An issuer is asked over verified TLS, at a checked address, within limits; anything but a whole answer is none."""

from __future__ import annotations

import asyncio
import gzip
import threading
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from chekt_mcp.errors import InvalidInput
from chekt_mcp.network import issuer_requests
from chekt_mcp.network.issuer_requests import (
    LARGEST,
    ClientCredentials,
    IssuerHosts,
    IssuerRequests,
    check_issuer_url,
)
from document_server import Page, Provider, serving
from vault_server import make_authority

KEYS = b'{"keys":[]}'
SECRET = ClientCredentials("us and them", "EXAMPLE:secret&more")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, tuple[Path, Path]]:
    return make_authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def provider() -> Provider:
    return Provider({"/jwks": Page(KEYS), "/moved": Page(KEYS)})


@pytest.fixture
def address(provider: Provider, authority: tuple[Path, tuple[Path, Path]]) -> Iterator[str]:
    with serving(provider, authority[1]) as served:
        yield served


@pytest.fixture
def requests(authority: tuple[Path, tuple[Path, Path]]) -> IssuerRequests:
    return IssuerRequests(IssuerHosts.LOOPBACK, authority[0])


def fetched(requests: IssuerRequests, url: str) -> bytes | None:
    return asyncio.run(requests.key_set(url))


def test_a_key_set_comes_whole(requests: IssuerRequests, address: str, provider: Provider) -> None:
    assert fetched(requests, f"{address}/jwks") == KEYS
    assert provider.requests[0]["accept-encoding"] == "identity"
    assert "authorization" not in provider.requests[0]


@pytest.mark.parametrize(
    "page",
    [
        Page(KEYS, status=500),
        Page(KEYS, status=302, headers={"Location": "/moved"}),
        Page(gzip.compress(KEYS), headers={"Content-Encoding": "gzip"}),
        Page(b"x" * (LARGEST + 1)),
        Page(KEYS, sent=KEYS[:5]),
    ],
    ids=["error", "redirect", "compressed", "too large", "cut short"],
)
def test_anything_but_a_whole_answer_is_none(
    requests: IssuerRequests, address: str, provider: Provider, page: Page
) -> None:
    provider.pages["/jwks"] = page
    assert fetched(requests, f"{address}/jwks") is None
    assert len(provider.requests) == 1


def test_a_server_that_trickles_is_given_up(
    requests: IssuerRequests, address: str, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(issuer_requests, "WHOLE_SECONDS", 0.2)
    provider.pages["/jwks"] = Page(KEYS + b" " * LARGEST, sent=KEYS, trickles=True)
    assert fetched(requests, f"{address}/jwks") is None
    provider.released.set()


def test_a_certificate_of_somebody_else_ends_it_before_anything_is_asked(address: str, provider: Provider) -> None:
    assert fetched(IssuerRequests(IssuerHosts.LOOPBACK), f"{address}/jwks") is None
    assert not provider.requests


@pytest.mark.parametrize(
    ("hosts", "addresses"),
    [
        (IssuerHosts.PUBLIC, ["127.0.0.1"]),
        (IssuerHosts.PUBLIC, ["10.0.0.1"]),
        (IssuerHosts.PUBLIC, ["169.254.169.254"]),
        (IssuerHosts.PUBLIC, ["::ffff:10.0.0.1"]),
        (IssuerHosts.PRIVATE, ["127.0.0.1"]),
        (IssuerHosts.PRIVATE, ["169.254.169.254"]),
        (IssuerHosts.PRIVATE, ["10.0.0.1", "127.0.0.1"]),
        (IssuerHosts.PUBLIC, []),
    ],
)
def test_an_address_that_is_not_to_be_asked_is_not(
    hosts: IssuerHosts, addresses: Sequence[str], address: str, provider: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    async def resolve(_host: str) -> Sequence[str]:
        return addresses

    port = address.rpartition(":")[2]
    assert fetched(IssuerRequests(hosts, resolve=resolve), f"https://issuer.example.com:{port}/jwks") is None
    assert not provider.requests
    assert "was not asked" in caplog.text


def test_loopback_means_this_machine_and_no_name_is_looked_up(requests: IssuerRequests) -> None:
    assert fetched(requests, "https://issuer.example.com/jwks") is None


@pytest.mark.parametrize(
    ("url", "hosts"),
    [
        ("http://issuer.example.com/jwks", IssuerHosts.PUBLIC),
        ("http://10.0.0.1/jwks", IssuerHosts.PRIVATE),
        ("https://user:EXAMPLE@issuer.example.com/jwks", IssuerHosts.PUBLIC),
        ("ftp://127.0.0.1/jwks", IssuerHosts.LOOPBACK),
        ("file:///etc/passwd", IssuerHosts.LOOPBACK),
        ("https://issuer.example.com\\@attacker.example/", IssuerHosts.PUBLIC),
        ("", IssuerHosts.PUBLIC),
    ],
)
def test_a_url_that_is_not_asked_is_refused(url: str, hosts: IssuerHosts) -> None:
    with pytest.raises(InvalidInput) as refused:
        check_issuer_url(url, hosts)
    assert refused.value.code == "bad_url"
    assert fetched(IssuerRequests(hosts), url) is None


class Introspecting(BaseHTTPRequestHandler):
    """Answers over http with what it was asked."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        answer = b"\n".join([self.headers["Authorization"].encode(), self.headers["Host"].encode(), body])
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_a_token_is_asked_about_with_our_own_credentials_and_over_http_on_this_machine_only() -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Introspecting) as server:
        serving_thread = threading.Thread(target=server.serve_forever)
        serving_thread.start()
        url = f"http://127.0.0.1:{server.server_port}/introspect"
        try:
            asked = asyncio.run(IssuerRequests(IssuerHosts.LOOPBACK).introspect(url, SECRET, "opaque+/=&EXAMPLE"))
            assert asyncio.run(IssuerRequests(IssuerHosts.PRIVATE).introspect(url, SECRET, "opaque")) is None
        finally:
            server.shutdown()
            serving_thread.join()
    assert asked is not None
    authorization, host, body = asked.decode().split("\n")
    assert authorization == "Basic dXMlMjBhbmQlMjB0aGVtOkVYQU1QTEUlM0FzZWNyZXQlMjZtb3Jl"
    assert host == f"127.0.0.1:{server.server_port}"
    assert body == "token=opaque%2B%2F%3D%26EXAMPLE"


def test_our_secret_shows_in_no_representation() -> None:
    assert "EXAMPLE" not in repr(SECRET)
