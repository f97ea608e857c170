"""TLS, the port that leads to it, proxies, and connections that say nothing, on real sockets."""

from __future__ import annotations

import asyncio
import contextlib
import json
import resource
import socket
import ssl
import warnings
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from chekt_mcp.http.request_head import MOST_HEADER_BYTES
from chekt_mcp.serving import http_server, patience
from chekt_mcp.serving.fast_protocol import PatientHttpTools
from chekt_mcp.serving.patience import MOST_SILENT, Patience, PatientH11
from endpoint_certificates import self_signed
from http_site import call, serving
from serving_child import Installation, free_port
from world import World

OLD = {"MCP-Protocol-Version": "2025-11-25", "Accept": "application/json, text/event-stream"}
CONNECTIONS = 1_500
HEALTH = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
HELLO = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}},
}


@pytest.fixture
def many_files() -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(8_192, before[1]), before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Patience, "seconds", 0.3)


def handshake(port: int, **limits: ssl.TLSVersion | str) -> str | None:
    """Return the version agreed on, trusting anybody; None where none was."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # old versions are what is asked for here
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = limits.get("maximum", ssl.TLSVersion.MAXIMUM_SUPPORTED)  # type: ignore[assignment]  # a version, by its name
    if "ciphers" in limits:
        context.set_ciphers(str(limits["ciphers"]))
    try:
        with socket.create_connection(("127.0.0.1", port), 10) as plain, context.wrap_socket(plain) as secure:
            return secure.version()
    except (ssl.SSLError, ConnectionError):
        return None


def test_tls_is_modern_and_the_plain_port_only_leads_to_it(installation: Installation, tmp_path: Path) -> None:
    identity, port, plain = self_signed("localhost"), free_port(), free_port()
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    certificate.write_bytes(identity.chain)
    key.write_bytes(identity.key)
    url = f"https://localhost:{port}/mcp"
    options = ["--tls-cert", str(certificate), "--tls-key", str(key), "--public-url", url, "--port", str(port)]
    with installation.serving(*options, "--redirect-port", str(plain)) as child:
        assert child.url == url
        assert handshake(port) == "TLSv1.3"
        assert handshake(port, maximum=ssl.TLSVersion.TLSv1_2) == "TLSv1.2"
        assert handshake(port, maximum=ssl.TLSVersion.TLSv1_1, ciphers="ALL:@SECLEVEL=0") is None
        weak = "AES128-SHA:AES256-GCM-SHA384:ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0"
        assert handshake(port, maximum=ssl.TLSVersion.TLSv1_2, ciphers=weak) is None
        with httpx.Client(verify=False, trust_env=False) as http:  # noqa: S501 -- a certificate of this test
            answer = http.post(url, headers={**OLD, "Authorization": f"Bearer {installation.key}"}, json=call("whoami"))
            assert answer.headers["strict-transport-security"].endswith("; includeSubDomains; preload")
            moved = http.get(f"http://127.0.0.1:{plain}/approvals?a=b", headers={"Host": "evil.test"})
            assert (moved.status_code, moved.headers["location"]) == (308, f"https://localhost:{port}/approvals?a=b")
            leaked = http.post(f"http://127.0.0.1:{plain}/mcp", headers={"Authorization": "Bearer x"}, json={})
            assert (leaked.status_code, leaked.json()["error"]["code"]) == (403, "https_required")


def test_a_certificate_that_cannot_be_used_is_said_before_anything_is_served(installation: Installation) -> None:
    options = ["--tls-cert", "/nowhere.pem", "--tls-key", "/nowhere.pem", "--public-url", "https://localhost/mcp"]
    assert "bad_certificate" in installation.refused(*options)
    assert "tls_required" in installation.refused("--host", "0.0.0.0")  # noqa: S104 -- what is refused


def test_only_the_named_proxies_may_connect_and_the_client_is_whom_they_name(world: World) -> None:
    async def scenario() -> None:
        key = await world.add_app("shop", allow_list="203.0.113.0/24")
        public = "https://mcp.example.com/mcp"
        headers = {**OLD, "Host": "mcp.example.com", "Authorization": f"Bearer {key}"}
        async with httpx.AsyncClient(trust_env=False) as http:
            async with serving(world, proxies=("127.0.0.1",), public_url=public) as served:
                forged = {**headers, "X-Forwarded-For": "203.0.113.5, 198.51.100.1"}
                told = {**headers, "X-Forwarded-For": "198.51.100.1, 203.0.113.5"}
                assert (await http.post(served.url, headers=forged, json=call("whoami"))).status_code == 403
                assert (await http.post(served.url, headers=told, json=call("whoami"))).status_code != 403
                unreadable = {**headers, "X-Forwarded-For": "unknown"}
                assert (await http.post(served.url, headers=unreadable, json=call("whoami"))).status_code == 400
                dropped = await http.post(served.url, headers=headers, json=call("whoami"))
                assert dropped.json()["error"]["code"] == "client_address_unknown"
            async with serving(world, proxies=("192.0.2.1",), public_url=public) as served:
                direct = await http.post(served.url, headers=headers, json=call("whoami"))
                assert direct.json()["error"]["code"] == "client_address_unknown"

    asyncio.run(scenario())


@pytest.mark.usefixtures("many_files", "impatient")
def test_connections_that_say_nothing_are_ended_and_keep_nobody_out(world: World) -> None:
    async def scenario() -> None:
        key = await world.add_app("shop")
        async with serving(world) as served:
            silent = [await asyncio.open_connection("127.0.0.1", served.port) for _ in range(CONNECTIONS)]
            assert len(Patience.silent) <= MOST_SILENT + 1
            async with served.client(key) as client:
                assert (await client.list_tools()).tools
            async with asyncio.timeout(30):
                ends = await asyncio.gather(*(reader.read() for reader, _ in silent), return_exceptions=True)
            assert len(ends) == CONNECTIONS
            for _, writer in silent:
                writer.close()
        assert not Patience.silent

    asyncio.run(scenario())


@pytest.mark.parametrize("protocol", [PatientHttpTools, PatientH11])
def test_connections_that_say_nothing_more_are_ended_before_others_are_kept_out(
    world: World, monkeypatch: pytest.MonkeyPatch, protocol: type[asyncio.Protocol]
) -> None:
    monkeypatch.setattr(http_server, "fastest_protocol", lambda: protocol)
    monkeypatch.setattr(patience, "MOST_KEPT", 5)

    async def scenario() -> None:
        async with serving(world) as served, asyncio.timeout(20):
            kept = [await asyncio.open_connection("127.0.0.1", served.port) for _ in range(8)]
            for reader, writer in kept:
                writer.write(HEALTH)
                await reader.readuntil(b"}")
            for reader, _ in kept[:3]:
                with contextlib.suppress(ConnectionError):
                    assert await reader.read() == b""
            kept[3][1].write(HEALTH)
            assert b" 200 " in await kept[3][0].readuntil(b"}")
            assert len(Patience.kept) == 5
            for _, writer in kept:
                writer.close()
        assert not Patience.kept

    asyncio.run(scenario())


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("begun", [b"POST /mcp HTTP/1.1\r\nHost: x\r\n", b"POST /", b"\r\n", b"\x16\x03\x01"])
def test_a_head_that_trickles_is_not_waited_for(world: World, begun: bytes) -> None:
    async def scenario() -> None:
        async with serving(world) as served, asyncio.timeout(20):
            await served.raw(begun)  # returns when the server hangs up

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("begun", "endless"),
    [(b"0\r\n", b"X: " + b"a" * 1_000 + b"\r\n"), (b"0\r\nX: ", b"a" * 1_000), (b"0;x=", b"a" * 1_000)],
    ids=["many fields", "a long field", "a long extension"],
)
def test_a_trailer_without_an_end_is_cut_off(world: World, begun: bytes, endless: bytes) -> None:
    async def scenario() -> None:
        async with serving(world) as served, asyncio.timeout(20):
            reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
            writer.write(b"POST /healthz HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + begun)
            for _ in range(10 * MOST_HEADER_BYTES // len(endless)):
                writer.write(endless)
                if writer.is_closing():
                    break
                await asyncio.sleep(0)
            with contextlib.suppress(ConnectionError):  # what was sent beyond the end makes it a reset
                while await reader.read(65_536):
                    pass
            writer.close()

    asyncio.run(scenario())


def test_what_comes_after_a_body_is_no_header(world: World) -> None:
    async def scenario() -> None:
        key = await world.add_app("shop")
        async with serving(world) as served:
            opened = await served.post(key, HELLO)
            session = f"Mcp-Session-Id: {opened.headers['mcp-session-id']}\r\n"
            body = json.dumps({"jsonrpc": "2.0", "id": 2, "method": "tools/list"})
            host = f"Host: 127.0.0.1:{served.port}\r\nContent-Type: application/json\r\n"
            told = "".join(f"{name}: {value}\r\n" for name, value in OLD.items())
            head = f"POST /mcp HTTP/1.1\r\n{host}{told}Authorization: Bearer {key}\r\nConnection: close\r\n"
            answers = []
            for before, after in ((session, ""), ("", session)):
                chunks = f"{len(body):x}\r\n{body}\r\n0\r\n{after}\r\n"
                answer = await served.raw(f"{head}{before}Transfer-Encoding: chunked\r\n\r\n{chunks}".encode())
                answers.append(answer.split(b" ", 2)[1])
        assert answers == [b"200", b"400"]

    asyncio.run(scenario())


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("protocol", [PatientHttpTools, PatientH11])
@pytest.mark.parametrize(
    "head", ["POST /healthz HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: h2c", "CONNECT /healthz HTTP/1.1"]
)
def test_the_body_of_a_request_for_another_protocol_is_no_request(
    world: World, monkeypatch: pytest.MonkeyPatch, protocol: type[asyncio.Protocol], head: str
) -> None:
    monkeypatch.setattr(http_server, "fastest_protocol", lambda: protocol)

    async def scenario() -> None:
        async with serving(world) as served, asyncio.timeout(20):
            reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
            writer.write(f"{head}\r\nHost: x\r\nContent-Length: {len(HEALTH)}\r\n\r\n".encode())
            answers = await reader.readuntil(b"\r\n\r\n")
            writer.write(HEALTH)
            with contextlib.suppress(ConnectionError):
                answers += await reader.read()  # returns when the server hangs up
            writer.close()
            assert answers.count(b"HTTP/1.1 ") == 1

    asyncio.run(scenario())


@pytest.mark.parametrize("protocol", [PatientHttpTools, PatientH11])
def test_a_target_that_names_another_host_is_none_of_ours(
    world: World, monkeypatch: pytest.MonkeyPatch, protocol: type[asyncio.Protocol]
) -> None:
    monkeypatch.setattr(http_server, "fastest_protocol", lambda: protocol)

    async def scenario() -> None:
        async with serving(world) as served:
            host = f"Host: 127.0.0.1:{served.port}\r\nConnection: close\r\n\r\n"
            answer = await served.raw(f"GET http://evil.test/healthz HTTP/1.1\r\n{host}".encode())
            assert answer.startswith(b"HTTP/1.1 404")

    asyncio.run(scenario())


@pytest.mark.usefixtures("impatient")
def test_a_form_that_trickles_is_not_waited_for(world: World) -> None:
    async def scenario() -> None:
        async with serving(world, body_seconds=0.3) as served, asyncio.timeout(20):
            begun = b"POST /approvals/sign-in HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Length: 100\r\n\r\nform_token="
            answer = await served.raw(begun % served.port)  # returns when the server hangs up
            assert answer.startswith(b"HTTP/1.1 403")

    asyncio.run(scenario())


def test_a_head_without_an_end_is_cut_off(world: World) -> None:
    async def scenario() -> None:
        async with serving(world) as served, asyncio.timeout(20):
            answer = await served.raw(b"POST /mcp HTTP/1.1\r\nX: " + b"a" * 10 * MOST_HEADER_BYTES)
            assert answer == b"" or answer.startswith(b"HTTP/1.1 400")

    asyncio.run(scenario())
