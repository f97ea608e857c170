"""Fetching a document: whole, over verified TLS, within limits of size and time, or a reason why not."""

from __future__ import annotations

import asyncio
import gzip
import socket
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from chekt_mcp.domain.published_document import Answer, Fetched, NotFetched, Unchanged
from chekt_mcp.network.https_document import DocumentLimits, HttpsDocuments
from document_server import Page, Provider, serving
from range_samples import GITHUB_META
from vault_server import make_authority

ETAG = 'W/"EXAMPLE"'
PATIENT = DocumentLimits(size=64 * 1024, step=20, whole=20)


def trust_in(authority: Path) -> Callable[[ssl.SSLContext], None]:
    return lambda context: context.load_verify_locations(cafile=authority)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, tuple[Path, Path]]:
    return make_authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def provider() -> Provider:
    return Provider({"/meta": Page(GITHUB_META, etag=ETAG)})


@pytest.fixture
def address(provider: Provider, authority: tuple[Path, tuple[Path, Path]]) -> Iterator[str]:
    with serving(provider, authority[1]) as served:
        yield served


@pytest.fixture
def documents(authority: tuple[Path, tuple[Path, Path]]) -> HttpsDocuments:
    return HttpsDocuments(trust_in(authority[0]), PATIENT)


def fetch(documents: HttpsDocuments, url: str, etag: str | None = None) -> Answer:
    return asyncio.run(documents.fetch(url, etag))


def refusal(answer: Answer) -> NotFetched:
    assert isinstance(answer, NotFetched), answer
    return answer


def test_a_document_comes_whole_and_with_its_tag(documents: HttpsDocuments, address: str) -> None:
    assert fetch(documents, f"{address}/meta") == Fetched(GITHUB_META, ETAG)


def test_a_document_in_chunks_comes_whole(documents: HttpsDocuments, address: str, provider: Provider) -> None:
    provider.pages["/meta"] = Page(GITHUB_META, chunked=True)
    assert fetch(documents, f"{address}/meta") == Fetched(GITHUB_META)


def test_what_has_not_changed_is_not_sent_again(documents: HttpsDocuments, address: str, provider: Provider) -> None:
    assert fetch(documents, f"{address}/meta", ETAG) == Unchanged()
    assert fetch(documents, f"{address}/meta", '"older"') == Fetched(GITHUB_META, ETAG)
    assert [request["if-none-match"] for request in provider.requests] == [ETAG, '"older"']


def test_it_says_who_asks_and_nothing_else(documents: HttpsDocuments, address: str, provider: Provider) -> None:
    fetch(documents, f"{address}/meta")
    (request,) = provider.requests
    assert request["user-agent"].startswith("chekt-mcp/")
    assert request["accept-encoding"] == "identity"
    assert not {"authorization", "cookie", "referer", "if-none-match"} & set(request)


@pytest.mark.parametrize("etag", ["no quotes", '"a\x7fb"', '"' + "a" * 201 + '"', '"a" "b"'])
def test_a_tag_that_is_none_is_not_kept(documents: HttpsDocuments, address: str, provider: Provider, etag: str) -> None:
    provider.pages["/meta"] = Page(GITHUB_META, etag=etag)
    assert fetch(documents, f"{address}/meta") == Fetched(GITHUB_META, None)


def test_an_authority_that_is_not_trusted_is_refused(address: str, provider: Provider) -> None:
    assert refusal(fetch(HttpsDocuments(limits=PATIENT), f"{address}/meta")).code == "untrusted_certificate"
    assert provider.requests == []


def test_a_certificate_for_another_name_is_refused(documents: HttpsDocuments, address: str, provider: Provider) -> None:
    elsewhere = address.replace("127.0.0.1", "localhost")
    assert refusal(fetch(documents, f"{elsewhere}/meta")).code == "untrusted_certificate"
    assert provider.requests == []


def test_the_environment_cannot_change_whom_to_trust_or_send_it_through_a_proxy(
    documents: HttpsDocuments, address: str, authority: tuple[Path, tuple[Path, Path]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority[0]))
    monkeypatch.setenv("SSL_CERT_DIR", str(authority[0].parent))
    assert refusal(fetch(HttpsDocuments(limits=PATIENT), f"{address}/meta")).code == "untrusted_certificate"
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert isinstance(fetch(documents, f"{address}/meta"), Fetched)


def test_a_server_that_trickles_is_given_up(
    authority: tuple[Path, tuple[Path, Path]], address: str, provider: Provider
) -> None:
    provider.pages["/meta"] = Page(b" " * 10_000, sent=b"[", trickles=True)
    hasty = DocumentLimits(size=64 * 1024, step=20, whole=0.2)
    assert refusal(fetch(HttpsDocuments(trust_in(authority[0]), hasty), f"{address}/meta")).code == "too_slow"


def test_a_server_that_says_nothing_is_given_up(authority: tuple[Path, tuple[Path, Path]]) -> None:
    hasty = DocumentLimits(step=0.2, whole=20)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"https://127.0.0.1:{silent.getsockname()[1]}/meta"
        assert refusal(fetch(HttpsDocuments(trust_in(authority[0]), hasty), url)).code == "too_slow"


@pytest.mark.parametrize("page", [Page(b" " * 70_000), Page(b" " * 70_000, chunked=True)])
def test_a_document_that_is_too_large_is_not_read_to_its_end(
    documents: HttpsDocuments, address: str, provider: Provider, page: Page
) -> None:
    provider.pages["/meta"] = page
    assert refusal(fetch(documents, f"{address}/meta")).code == "too_large"


def test_a_document_of_just_the_largest_size_is_read(
    documents: HttpsDocuments, address: str, provider: Provider
) -> None:
    provider.pages["/meta"] = Page(b" " * PATIENT.size)
    assert fetch(documents, f"{address}/meta") == Fetched(b" " * PATIENT.size)


def test_a_compressed_document_is_refused_unread(documents: HttpsDocuments, address: str, provider: Provider) -> None:
    provider.pages["/meta"] = Page(gzip.compress(b" " * 10_000_000), headers={"Content-Encoding": "gzip"})
    assert refusal(fetch(documents, f"{address}/meta")).code == "encoded"


def test_a_document_cut_short_is_no_document(documents: HttpsDocuments, address: str, provider: Provider) -> None:
    provider.pages["/meta"] = Page(GITHUB_META, sent=GITHUB_META[:-40])
    assert refusal(fetch(documents, f"{address}/meta")).code == "broken_off"


def test_a_document_whose_end_nobody_tells_is_refused(
    documents: HttpsDocuments, address: str, provider: Provider
) -> None:
    provider.pages["/meta"] = Page(b"203.0.113.42\n", sent=b"203.0.113.4", headers={"Content-Length": None})
    assert refusal(fetch(documents, f"{address}/meta")).code == "no_length"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed_and_its_target_is_shown_escaped(
    documents: HttpsDocuments, address: str, provider: Provider, status: int
) -> None:
    target = "/other" + "\u202e".encode().decode("latin-1") + "a" * 500
    provider.pages["/meta"] = Page(status=status, headers={"Location": target})
    provider.pages["/other"] = Page(GITHUB_META)
    refused = refusal(fetch(documents, f"{address}/meta"))
    assert refused.code == "redirected"
    assert refused.detail.startswith("/other\\u{202e}aaa")
    assert len(refused.detail) == 150
    assert len(provider.requests) == 1


@pytest.mark.parametrize("status", [204, 206, 300, 304, 403, 404, 429, 500, 503])
def test_only_200_brings_a_document(documents: HttpsDocuments, address: str, provider: Provider, status: int) -> None:
    content = b"" if status in {204, 304} else GITHUB_META
    provider.pages["/meta"] = Page(content, status=status, headers={"Content-Length": None} if status == 204 else {})
    refused = refusal(fetch(documents, f"{address}/meta"))
    assert refused.code == "bad_status"
    assert str(status) in refused.message


def test_nobody_there_is_an_answer_too(documents: HttpsDocuments) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    assert refusal(fetch(documents, f"https://127.0.0.1:{port}/meta")).code == "unreachable"


@pytest.mark.parametrize("spoken", [b"SSH-2.0-OpenSSH_9.6\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]"])
def test_something_else_than_tls_is_unreachable(documents: HttpsDocuments, spoken: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        url = f"https://127.0.0.1:{other.getsockname()[1]}/meta"

        async def greet() -> Answer:
            waiting = asyncio.create_task(documents.fetch(url))
            other.setblocking(False)  # noqa: FBT003 -- the socket's own form
            peer, _ = await asyncio.get_running_loop().sock_accept(other)
            with peer:
                await asyncio.get_running_loop().sock_sendall(peer, spoken)
                return await waiting

        assert refusal(asyncio.run(greet())).code == "unreachable"
