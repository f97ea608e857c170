"""Whatever is sent, the answer is ours, and nothing that was not signed gets in."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import random
import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chekt_mcp.domain.webhook import MAX_BODY_BYTES, SIGNATURE_HEADER, TIMESTAMP_HEADER
from chekt_mcp.http.webhook_receiver import WebhookReceiver
from http_server import client_of, exchanged, serving
from world import World

BODY = b'{"id":"evt_2hKqx9","type":"alarm.created"}'
STATUSES = {200, 401, 404, 405, 408, 413, 415, 429, 431}
SIGN = """
const crypto = require("crypto");
const { secret, timestamp, bodies } = JSON.parse(require("fs").readFileSync(0, "utf8"));
console.log(JSON.stringify(bodies.map((body) =>
  crypto.createHmac("sha256", secret).update(`${timestamp}.`).update(Buffer.from(body, "base64")).digest("hex"))));
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One state for all examples: they may leave what they like."""
    world = World(tmp_path_factory.mktemp("fuzz") / "state")
    asyncio.run(world.add_app("shop"))
    yield world
    asyncio.run(world.storage.close())


async def ask(receiver: WebhookReceiver, scope: dict[str, Any], messages: list[dict[str, Any]]) -> tuple[int, bytes]:
    """Send one request as a server would, without one."""
    sent: list[Any] = []

    async def receive() -> Any:
        return messages.pop(0) if messages else {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    await receiver({"type": "http", "client": ("127.0.0.1", 1), **scope}, receive, send)
    return (sent[0]["status"], b"".join(part.get("body", b"") for part in sent[1:])) if sent else (0, b"")


NAMES = st.one_of(
    st.sampled_from(
        [SIGNATURE_HEADER, TIMESTAMP_HEADER, "content-type", "content-length", "content-encoding", "x-chekt-event-id"]
    ).map(str.encode),
    st.binary(max_size=40),
)
VALUES = st.one_of(
    st.binary(max_size=80),
    st.sampled_from([b"0" * 64, b"1782907200", b"application/json", b"9" * 400, b"-1", b"gzip", b"\xff\xfe"]),
)
PATHS = st.one_of(st.just("/webhooks/shop"), st.text(max_size=40).map(lambda text: "/webhooks/" + text), st.text())


@settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(NAMES, VALUES), max_size=80), st.lists(st.binary(max_size=300), max_size=5), PATHS, st.data())
def test_no_request_breaks_it_or_gets_in_unsigned(
    shop: World, headers: list[tuple[bytes, bytes]], pieces: list[bytes], path: str, data: st.DataObject
) -> None:
    method = data.draw(st.sampled_from(["POST", "POST", "POST", "GET", "HEAD", "\u00e9"]))
    messages: list[dict[str, Any]] = [{"type": "http.request", "body": part, "more_body": True} for part in pieces]
    messages.append(data.draw(st.sampled_from([{"type": "http.request"}, {"type": "http.disconnect"}])))
    scope = {"method": method, "path": path, "headers": headers}
    shop.clock.forward(seconds=1)
    status, body = asyncio.run(ask(WebhookReceiver(shop.services(), "acme"), scope, messages))
    assert status in (STATUSES - {200}) | {0}
    if status:
        assert set(json.loads(body)["error"]) == {"code", "message", "request_id"}


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 2**32))
def test_no_mutation_of_a_genuine_delivery_gets_in(shop: World, seed: int) -> None:
    dice = random.Random(seed)  # noqa: S311 -- repeatable, not secret
    signed = shop.sign(BODY)
    timestamp, signature = bytearray(signed[TIMESTAMP_HEADER].encode()), bytearray(signed[SIGNATURE_HEADER].encode())
    body = bytearray(BODY)
    part = dice.choice([timestamp, signature, body])
    at = dice.randrange(len(part))
    change = dice.choice(["flip", "drop", "double"])
    if change == "flip":
        part[at] ^= 1 << dice.randrange(5) if part is not signature else 1
    elif change == "drop":
        del part[at]
    else:
        part.insert(at, part[at] ^ 1)
    headers = [(SIGNATURE_HEADER.encode(), bytes(signature)), (TIMESTAMP_HEADER.encode(), bytes(timestamp))]
    scope = {"method": "POST", "path": "/webhooks/shop", "headers": headers}
    message = {"type": "http.request", "body": bytes(body)}
    shop.clock.forward(milliseconds=1)
    assert asyncio.run(ask(WebhookReceiver(shop.services(), "acme"), scope, [message]))[0] == 401


@pytest.mark.anyio
async def test_bytes_that_are_no_request_do_not_stop_the_server(world: World) -> None:
    await world.add_app("shop")
    dice = random.Random(2026)  # noqa: S311 -- repeatable, not secret
    start = b"POST /webhooks/shop HTTP/1.1\r\nHost: x\r\n"
    odd = [
        dice.randbytes(300) + b"\r\n\r\n",
        start + b"X-Long: " + b"x" * 300_000 + b"\r\n\r\n",
        start + b"Content-Length: -5\r\n\r\n",
        start + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
        start + b"Transfer-Encoding: chunked\r\n\r\nZZ\r\n",
        start + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        start + b"Content-Type: application/json\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        start + b"\x00: \x00\r\n\r\n",
        b"GET http://elsewhere/ HTTP/1.1\r\nHost: y\r\nConnection: close\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ]
    async with serving(WebhookReceiver(world.services(), "acme")) as url:
        for request in odd:
            answer = await exchanged(url, request)
            assert answer == b"" or answer.startswith((b"HTTP/1.1 4",)), request[:60]
        assert b" 401 " in (await exchanged(url, start + b"Connection: close\r\nContent-Length: 0\r\n\r\n"))[:20]


def by_node(node: str, asked: dict[str, Any]) -> list[str]:
    done = subprocess.run([node, "-e", SIGN], input=json.dumps(asked).encode(), capture_output=True, check=True)
    signatures: list[str] = json.loads(done.stdout)
    return signatures


@pytest.mark.anyio
async def test_deliveries_signed_by_node_are_accepted_over_http(world: World) -> None:
    node = shutil.which("node")
    if node is None and not os.environ.get("CI"):
        pytest.skip("node is not installed")
    assert node, "node is needed in CI"
    await world.add_app("shop")
    timestamp = int(world.clock().timestamp())
    bodies = [BODY, '{"id":"evt_2","note":"café ☕"}'.encode(), b"", bytes(range(256)) * 40, b"x" * MAX_BODY_BYTES]
    asked = {
        "secret": world.secrets["acme", "shop"],
        "timestamp": timestamp,
        "bodies": [base64.b64encode(body).decode() for body in bodies],
    }
    signatures = by_node(node, asked)
    async with client_of(WebhookReceiver(world.services(), "acme")) as client:
        for body, signature in zip(bodies, signatures, strict=True):
            headers = {
                SIGNATURE_HEADER: signature,
                TIMESTAMP_HEADER: str(timestamp),
                "Content-Type": "application/json",
            }
            for duplicate in (False, True):
                answer = await client.post("/webhooks/shop", content=body, headers=headers)
                assert (answer.status_code, answer.json()["duplicate"]) == (200, duplicate)
