from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from chekt_mcp.cli.impatient_http import ImpatientProtocol
from http_server import exchanged, serving

pytestmark = pytest.mark.anyio
Send = Callable[[dict[str, Any]], Awaitable[None]]


class Hasty(ImpatientProtocol):
    seconds = 0.05


async def app(_scope: Any, receive: Callable[[], Awaitable[Any]], send: Send) -> None:
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


@pytest.mark.parametrize("begun", [b"", b"POST /webhooks/shop HTTP/1.1\r\nHost: x\r\nX-Slow: "])
async def test_a_request_whose_head_does_not_end_is_hung_up_on(begun: bytes) -> None:
    async with serving(app, Hasty) as url:
        assert await exchanged(url, begun) == b""


async def test_a_connection_that_stays_idle_after_an_answer_is_hung_up_on() -> None:
    async with serving(app, Hasty) as url:
        assert (await exchanged(url, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")).endswith(b"ok")


async def test_a_request_in_progress_is_left_alone() -> None:
    class Clock:
        looks = 0

    class Counting(Hasty):
        def _look(self, before: Any) -> None:
            Clock.looks += 1
            super()._look(before)

    async def body() -> Any:
        yield b"{"
        while Clock.looks < 3:
            async with httpx.AsyncClient(trust_env=False) as other:
                await other.get(url)
        yield b"}"

    async with serving(app, Counting) as url, httpx.AsyncClient(trust_env=False, timeout=30) as client:
        assert (await client.post(url, content=body())).text == "ok"
