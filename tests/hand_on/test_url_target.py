from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from chekt_mcp.errors import InvalidInput
from chekt_mcp.hand_on.interface import HandedEvent, NotTaken, Trouble
from chekt_mcp.hand_on.url import url_target

pytestmark = pytest.mark.anyio
BODY = b'{"id":"evt_1",  "data":{"note":"caf\xc3\xa9"}}\n'
HEADERS = {
    "X-CHeKT-Signature": "0" * 64,
    "X-CHeKT-Timestamp": "1771200000",
    "X-CHeKT-Event-Id": "evt_1",
    "X-CHeKT-Delivery-Id": "del_1",
    "X-CHeKT-Attempt": "3",
    "Content-Type": "application/json; charset=utf-8",
}


@dataclass
class Server:
    """Answers every request with the same bytes; None: with nothing, ever."""

    answer: bytes | None
    port: int = 0
    requests: list[bytes] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        self.requests.append(head + await reader.readexactly(length))
        if self.answer is not None:
            writer.write(self.answer)
        else:
            await reader.read()
        writer.close()


@asynccontextmanager
async def answering(answer: bytes | None) -> AsyncIterator[Server]:
    one = Server(answer)
    listening = await asyncio.start_server(one.serve, "127.0.0.1", 0)
    one.port = listening.sockets[0].getsockname()[1]
    yield one
    listening.close()


def response(status: int, *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status} X", "Content-Length: 0", "Connection: close", *headers, "", ""]
    return "\r\n".join(lines).encode()


async def hand_on(port: int, seconds: float = 20) -> NotTaken | None:
    target = url_target(f"http://127.0.0.1:{port}/events?from=chekt", seconds)
    try:
        return await target.hand_on(HandedEvent("que_1", "shop", "evt_1", 1, HEADERS, BODY))
    finally:
        await target.close()


@pytest.mark.parametrize("status", [200, 202, 204])
async def test_the_delivery_is_posted_as_it_came_and_any_2xx_takes_it(status: int) -> None:
    async with answering(response(status)) as server:
        assert await hand_on(server.port) is None
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert body == BODY
    lines = head.decode().split("\r\n")
    assert lines[0] == "POST /events?from=chekt HTTP/1.1"
    sent = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:])}
    assert {name: sent.get(name.lower()) for name in HEADERS} == HEADERS
    assert sent["idempotency-key"] == "que_1"
    assert "cookie" not in sent


@pytest.mark.parametrize("status", [301, 307, 400, 410, 500])
async def test_any_other_answer_does_not_and_no_redirect_is_followed(status: int) -> None:
    async with answering(response(status, "Location: /elsewhere")) as server:
        assert await hand_on(server.port) == NotTaken(Trouble.REFUSED, f"status {status}")
        assert len(server.requests) == 1


async def test_no_answer_in_time_does_not_take_it() -> None:
    async with answering(None) as server:
        trouble = await hand_on(server.port, 0.2)
    assert trouble is not None
    assert trouble.trouble in {Trouble.TIMED_OUT, Trouble.UNREACHABLE}


@pytest.mark.parametrize("answer", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 2"])
async def test_an_answer_that_is_none_does_not_take_it(answer: bytes) -> None:
    async with answering(answer) as server:
        trouble = await hand_on(server.port)
    assert trouble is not None
    assert trouble.trouble is Trouble.UNREACHABLE
    assert "evt_1" not in trouble.detail


async def test_a_closed_port_does_not_take_it() -> None:
    async with answering(b"") as server:
        pass
    trouble = await hand_on(server.port)
    assert trouble is not None
    assert trouble.trouble is Trouble.UNREACHABLE


async def test_no_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://192.0.2.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://192.0.2.1:9")
    async with answering(response(200)) as server:
        assert await hand_on(server.port) is None


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.example.com/in",
        "http://127.0.0.1:8000/",
        "http://127.9.9.9/",
        "http://[::1]:1/",
        "http://localhost/",
    ],
)
async def test_https_and_http_to_this_machine_are_taken(url: str) -> None:
    target = url_target(url, 1)
    assert target.url == url
    await target.close()


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://hooks.example.com/in", "not_https"),
        ("http://10.0.0.1/", "not_https"),
        ("http://[::2]/", "not_https"),
        ("http://127.0.0.1.example.com/", "not_https"),
        ("http://localhost.example.com/", "not_https"),
        ("ftp://127.0.0.1/", "not_https"),
        ("file:///etc/passwd", "bad_url"),
        ("https://me:it@hooks.example.com/", "credentials_in_url"),
        ("http://2130706433/", "bad_url"),
        ("http://127.1/", "bad_url"),
        ("https://", "bad_url"),
        ("", "bad_url"),
        ("https://hooks.example.com/\r\nX: y", "bad_url"),
    ],
)
def test_any_other_url_is_refused(url: str, code: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        url_target(url, 1)
    assert refused.value.code == code
