"""Deliveries over real sockets on loopback: where they go, what is kept of the answer, and answers meant to harm."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from chekt_mcp.domain.endpoint.url import read_url
from chekt_mcp.domain.webhook.answer import Answer, Failure, NoAnswer
from chekt_mcp.network.delivery import KEPT_BYTES, HttpSender, Waiting, local_sender, public_sender
from chekt_mcp.network.guard import AddressGuard
from chekt_mcp.network.loopback import LoopbackGuard, loopback_context
from chekt_mcp.network.tls_contexts import TlsContexts, Trust, public_authorities
from endpoint_certificates import HOST, Authority, self_signed
from endpoint_servers import LOOPBACK, Resolver, identity_and_trust, loopback_is_public

pytestmark = pytest.mark.anyio

Script = Callable[[asyncio.StreamWriter], Awaitable[None]]
HEADERS = {"X-CHeKT-Signature": "ab" * 32, "X-CHeKT-Timestamp": "1771200000"}
BODY = '{"id": "evt_1", "note": "Café"}'.encode()
YESTERYEAR = datetime(2021, 1, 1, tzinfo=UTC)
BRIEF = Waiting(connect=5, body=0.2, answer=0.5)


@dataclass
class Receiver:
    """A server that runs a script after each request, and keeps what it was sent."""

    port: int = 0
    heads: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    connections: int = 0


@asynccontextmanager
async def answering(
    answer: bytes | Script, context: ssl.SSLContext | None = None, at: str = LOOPBACK
) -> AsyncIterator[Receiver]:
    receiver = Receiver()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        receiver.connections += 1
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode("ascii")
            length = next(int(line.split(":")[1]) for line in head.splitlines() if line.lower().startswith("content-l"))
            receiver.heads.append(head)
            receiver.bodies.append(await reader.readexactly(length))
            if isinstance(answer, bytes):
                writer.write(answer)
            else:
                await answer(writer)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, at, 0, ssl=context)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.close()


def local(waiting: Waiting = BRIEF) -> HttpSender:
    return HttpSender(LoopbackGuard(), loopback_context(), Failure.NOT_THIS_MACHINE, waiting)


def public(trust: Trust = public_authorities, resolver: Resolver | None = None) -> HttpSender:
    """Return a sender for which every name is on loopback, and loopback is public."""
    guard = AddressGuard(resolver or Resolver([LOOPBACK]), loopback_is_public)
    return HttpSender(guard, TlsContexts(trust).strict, Failure.NOT_PUBLIC, BRIEF)


async def post(sender: HttpSender, url: str) -> Answer | NoAnswer:
    return await sender.send(read_url(url), HEADERS, BODY)


async def answer_to(answer: bytes | Script, waiting: Waiting = BRIEF) -> Answer | NoAnswer:
    async with answering(answer) as receiver:
        return await post(local(waiting), f"http://{LOOPBACK}:{receiver.port}/chekt")


async def test_one_post_with_the_headers_as_given_and_the_bodys_very_bytes() -> None:
    async with answering(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok") as receiver:
        outcome = await post(local(), f"http://localhost:{receiver.port}/chekt/%7Eshop?a=b%20c&d")
    assert isinstance(outcome, Answer)
    assert (outcome.status, outcome.body, outcome.location) == (200, b"ok", None)
    assert 0 < outcome.seconds < 5
    assert receiver.bodies == [BODY]
    lines = receiver.heads[0].splitlines()
    assert lines[0] == "POST /chekt/%7Eshop?a=b%20c&d HTTP/1.1"
    assert f"Host: localhost:{receiver.port}" in lines
    assert "Content-Type: application/json" in lines
    assert "Connection: close" in lines
    assert all(f"{name}: {value}" in lines for name, value in HEADERS.items())
    assert not any(line.lower().startswith(("cookie", "authorization")) for line in lines)


async def test_a_redirect_is_told_and_not_followed() -> None:
    async with answering(b"") as elsewhere:
        location = f"http://{LOOPBACK}:{elsewhere.port}/"
        answer = f"HTTP/1.1 307 Temporary Redirect\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n"
        outcome = await answer_to(answer.encode())
        assert elsewhere.connections == 0
    assert isinstance(outcome, Answer)
    assert (outcome.status, outcome.location) == (307, location)


async def test_a_proxy_in_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async with answering(b"") as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://{LOOPBACK}:{proxy.port}")
        outcome = await answer_to(b"HTTP/1.1 204 No Content\r\n\r\n")
        assert proxy.connections == 0
    assert isinstance(outcome, Answer)
    assert outcome.status == 204


async def endless_body(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        writer.write(b"x" * 65_536)
        await writer.drain()


async def dripping_body(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 500 Oops\r\nContent-Length: 1000\r\n\r\nfirst")
    await writer.drain()
    await asyncio.Event().wait()


async def chunked_body(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n")


async def zipped_body(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x08\x00")


async def broken_chunk(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\nzz\r\n")


@pytest.mark.parametrize(
    ("script", "status", "body"),
    [
        (endless_body, 200, b"x" * KEPT_BYTES),
        (dripping_body, 500, b"first"),
        (chunked_body, 200, b"onetwo"),
        (zipped_body, 200, b"\x1f\x8b\x08\x00"),
        (broken_chunk, 200, b"one"),
    ],
)
async def test_of_a_body_only_the_beginning_is_kept_and_its_end_not_waited_for(
    script: Script, status: int, body: bytes
) -> None:
    outcome = await answer_to(script)
    assert isinstance(outcome, Answer)
    assert (outcome.status, outcome.body) == (status, body)


async def silence(_: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


async def dripping_head(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nX: ")
    while True:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.01)


async def endless_interim_answers(writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 100)
        await writer.drain()
        await asyncio.sleep(0)


async def endless_head(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        writer.write(b"X: " + b"x" * 1000 + b"\r\n")
        await writer.drain()


@pytest.mark.parametrize("script", [silence, dripping_head, endless_interim_answers])
async def test_a_head_that_does_not_come_in_time_is_no_answer(script: Script) -> None:
    assert await answer_to(script, Waiting(answer=0.2)) == NoAnswer(Failure.NO_ANSWER)


@pytest.mark.parametrize(
    "answer",
    [
        endless_head,
        b"",
        b"HTTP/1.1 200",
        b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
        b"\x00\x00\x12\x04\x00\x00\x00\x00\x00",
        b"HTTP/1.1 20x OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nLocation: a\x00b\r\n\r\n",
    ],
    ids=lambda value: str(value)[:30],
)
async def test_what_is_no_http_is_no_answer(answer: bytes | Script) -> None:
    assert await answer_to(answer) == NoAnswer(Failure.BROKEN_OFF)


@pytest.mark.parametrize("host", [LOOPBACK, "[::1]", "localhost", "shop.localhost", "127.9.8.7"])
async def test_locally_this_machine_is_contacted(host: str) -> None:
    resolved = await LoopbackGuard().check(read_url(f"http://{host}/").host)
    assert resolved.addresses
    assert not resolved.refused


@pytest.mark.parametrize(
    "host",
    [
        "hooks.example.com",
        "localhost.example.com",
        "10.0.0.1",
        "192.168.1.2",
        "0.0.0.0",  # noqa: S104 -- an address to refuse
        "8.8.8.8",
        "169.254.169.254",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[fe80::1]",
        "[2001:4860:4860::8888]",
    ],
)
async def test_locally_nothing_else_is_contacted_or_looked_up(host: str) -> None:
    outcome = await post(local_sender(), f"http://{host}:65000/")
    assert outcome == NoAnswer(Failure.NOT_THIS_MACHINE, ("elsewhere",))


async def test_locally_any_certificate_will_do(tmp_path: Path) -> None:
    old = self_signed("elsewhere.example.com", not_after=YESTERYEAR)
    async with answering(b"HTTP/1.1 200 OK\r\n\r\n", old.context(tmp_path)) as receiver:
        outcome = await post(local(), f"https://localhost:{receiver.port}/")
    assert isinstance(outcome, Answer)
    assert outcome.status == 200


async def test_where_localhost_is_served_on_ipv6_alone_it_is_found() -> None:
    async with answering(b"HTTP/1.1 200 OK\r\n\r\n", at="::1") as receiver:
        outcome = await post(local(), f"http://localhost:{receiver.port}/")
    assert isinstance(outcome, Answer)


async def test_nobody_listening() -> None:
    async with answering(b"") as receiver:
        pass
    assert await post(local(), f"http://localhost:{receiver.port}/") == NoAnswer(Failure.UNREACHABLE)


async def test_to_the_internet_the_name_is_resolved_once_and_its_certificate_verified(tmp_path: Path) -> None:
    identity, trust = identity_and_trust()
    resolver = Resolver([LOOPBACK], ["10.0.0.1"])
    async with answering(b"HTTP/1.1 200 OK\r\n\r\n", identity.context(tmp_path)) as receiver:
        outcome = await post(public(trust, resolver), f"https://{HOST}:{receiver.port}/")
    assert isinstance(outcome, Answer)
    assert resolver.asked == [HOST]
    assert f"Host: {HOST}:{receiver.port}" in receiver.heads[0]


@pytest.mark.parametrize("kind", ["self_signed", "expired", "other_name", "unknown_authority"])
async def test_to_the_internet_a_bad_certificate_gets_nothing(kind: str, tmp_path: Path) -> None:
    authority = Authority()
    identity = {
        "self_signed": lambda: self_signed(HOST),
        "expired": lambda: authority.issue(HOST, not_after=YESTERYEAR),
        "other_name": lambda: authority.issue("other.example.com"),
        "unknown_authority": lambda: Authority().issue(HOST),
    }[kind]()
    async with answering(b"HTTP/1.1 200 OK\r\n\r\n", identity.context(tmp_path)) as receiver:
        outcome = await post(public(authority.trusted), f"https://{HOST}:{receiver.port}/")
    assert outcome == NoAnswer(Failure.CERTIFICATE)
    assert receiver.heads == []


async def test_to_the_internet_a_port_without_tls_gets_nothing() -> None:
    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        got.append(await reader.read(4096))
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    got: list[bytes] = []
    async with await asyncio.start_server(plain, LOOPBACK, 0) as server:
        outcome = await post(public(), f"https://{HOST}:{server.sockets[0].getsockname()[1]}/")
    assert outcome == NoAnswer(Failure.NO_TLS)
    assert b"POST" not in b"".join(got)


@pytest.mark.parametrize(
    "addresses",
    [["10.0.0.1"], [LOOPBACK, "192.168.0.1"], ["::1"], [LOOPBACK, "64:ff9b::7f00:1"], [LOOPBACK, "2002:7f00:1::"]],
)
async def test_one_address_off_the_internet_and_nothing_is_sent(addresses: list[str], tmp_path: Path) -> None:
    identity, trust = identity_and_trust()
    async with answering(b"HTTP/1.1 200 OK\r\n\r\n", identity.context(tmp_path)) as receiver:
        outcome = await post(public(trust, Resolver(addresses)), f"https://{HOST}:{receiver.port}/")
        assert receiver.connections == 0
    assert isinstance(outcome, NoAnswer)
    assert outcome.failure is Failure.NOT_PUBLIC
    assert outcome.refused


async def test_a_name_without_an_address_or_without_an_answer_of_the_dns() -> None:
    class Hanging(Resolver):
        async def __call__(self, host: str) -> list[str]:
            await asyncio.Event().wait()
            return [host]

    hanging = HttpSender(AddressGuard(Hanging([])), loopback_context(), Failure.NOT_PUBLIC, Waiting(connect=0.05))
    for sender in (public(resolver=Resolver([])), hanging):
        assert await post(sender, f"https://{HOST}/") == NoAnswer(Failure.NOT_RESOLVED)


@pytest.mark.parametrize("host", [LOOPBACK, "[::1]", "[::ffff:127.0.0.1]", "10.0.0.1", "169.254.169.254"])
async def test_the_public_sender_as_it_is_made_sends_nothing_to_private_addresses(host: str) -> None:
    async with answering(b"") as receiver:
        outcome = await post(public_sender(), f"https://{host}:{receiver.port}/")
        assert receiver.connections == 0
    assert isinstance(outcome, NoAnswer)
    assert outcome.failure is Failure.NOT_PUBLIC
