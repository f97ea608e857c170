from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, NamedTuple

import pytest

from chekt_mcp import webhook
from chekt_mcp.errors import InvalidInput

SECRET = "chekt_whsec_test_EXAMPLE0000000000000000000000000"  # noqa: S105  a made-up one
NOW = 1_771_200_000
BODY = b'{"id":"evt_2hKqx9","type":"alarm.created"}'
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class Answer(NamedTuple):
    status: int
    headers: dict[bytes, bytes]
    body: bytes


class Inner:
    """An application that keeps what reaches it and answers with `status`."""

    def __init__(self, status: int = 204) -> None:
        self.status, self.bodies, self.scopes = status, list[bytes](), list[Any]()
        self.gate: asyncio.Event | None = None
        self.entered: asyncio.Event | None = None

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        message = await receive()
        self.bodies.append(message["body"])
        self.scopes.append(scope)
        assert message["more_body"] is False
        if self.gate and self.entered:
            self.entered.set()
            await self.gate.wait()
        if self.status == 0:
            raise RuntimeError
        await send({"type": "http.response.start", "status": self.status, "headers": []})
        await send({"type": "http.response.body", "body": b""})


def _signed(body: bytes = BODY, timestamp: int = NOW, secret: str = SECRET) -> list[tuple[bytes, bytes]]:
    return [
        (b"x-chekt-signature", webhook.sign(secret, timestamp, body).encode()),
        (b"x-chekt-timestamp", str(timestamp).encode()),
    ]


async def _post(app: Any, headers: list[tuple[bytes, bytes]], body: bytes = BODY, pieces: int = 1) -> Answer:
    size = max(1, -(-len(body) // pieces))
    parts = [body[at : at + size] for at in range(0, len(body), size)] or [b""]
    waiting = [{"type": "http.request", "body": part, "more_body": True} for part in parts]
    waiting[-1]["more_body"] = False
    sent: list[Message] = []

    async def receive() -> Message:
        return waiting.pop(0) if waiting else {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    await app({"type": "http", "method": "POST", "path": "/", "headers": headers}, receive, send)
    start, *rest = sent
    return Answer(start["status"], dict(start["headers"]), b"".join(part.get("body", b"") for part in rest))


def _app(inner: Any, **options: Any) -> webhook.SignedWebhookMiddleware:
    return webhook.SignedWebhookMiddleware(inner, options.pop("secret", SECRET), clock=lambda: NOW, **options)


def _posted(app: Any, headers: list[tuple[bytes, bytes]], body: bytes = BODY, pieces: int = 1) -> Answer:
    return asyncio.run(_post(app, headers, body, pieces))


@pytest.mark.parametrize("pieces", [1, 2, 7])
def test_a_genuine_delivery_reaches_the_application_unchanged(pieces: int) -> None:
    inner = Inner()
    assert _posted(_app(inner), _signed(), pieces=pieces).status == 204
    assert inner.bodies == [BODY]
    verification = inner.scopes[0]["chekt_webhook"]
    assert (bool(verification), verification.event_id) == (True, "evt_2hKqx9")


def test_after_the_body_the_application_hears_the_server_itself() -> None:
    heard: list[str] = []

    async def inner(scope: Any, receive: Receive, send: Send) -> None:
        heard.extend([(await receive())["type"] for _ in range(2)])
        await send({"type": "http.response.start", "status": 200, "headers": []})

    _posted(_app(inner), _signed())
    assert heard == ["http.request", "http.disconnect"]


REFUSED = [
    ("forged", _signed(secret="another"), BODY),  # noqa: S106  a made-up one
    ("changed", _signed(), BODY + b" "),
    ("old", _signed(timestamp=NOW - 301), BODY),
    ("ahead", _signed(timestamp=NOW + 301), BODY),
    ("unsigned", [], BODY),
    ("repeated", _signed() + _signed(), BODY),
    ("odd bytes", [(b"x-chekt-signature", b"\xff\xfe"), (b"x-chekt-timestamp", b"\xff")], BODY),
]


@pytest.mark.parametrize(("headers", "body"), [pytest.param(*case[1:], id=case[0]) for case in REFUSED])
def test_anything_else_is_answered_alike_and_never_reaches_it(headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    inner, refused = Inner(), list[webhook.Verification]()
    answer = _posted(_app(inner, refused=refused.append), headers, body)
    error = json.loads(answer.body)["error"]
    assert (answer.status, inner.bodies) == (401, [])
    assert set(error) == {"code", "message", "request_id"}
    assert error["code"] == "webhook_signature_invalid"
    assert error["message"] == "The webhook signature could not be verified."
    assert error["request_id"].startswith("req_")
    assert (answer.headers[b"content-type"], b"www-authenticate" in answer.headers) == (b"application/json", True)
    assert [bool(each) for each in refused] == [False]


def test_a_body_over_the_limit_is_refused_without_being_read_to_its_end() -> None:
    pulled = 0

    async def receive() -> Message:
        nonlocal pulled
        pulled += 1
        return {"type": "http.request", "body": b"x" * 65_536, "more_body": True}

    async def run() -> int:
        sent: list[Message] = []

        async def send(message: Message) -> None:
            sent.append(message)

        await _app(Inner())({"type": "http", "headers": []}, receive, send)
        return int(sent[0]["status"])

    assert asyncio.run(run()) == 413
    assert pulled == 17


def test_the_limit_can_be_lowered_but_not_raised() -> None:
    body = b"x" * 101
    assert _posted(_app(Inner(), max_body=100), _signed(body), body).status == 413
    body = b"x" * (webhook.MAX_BODY_BYTES + 1)
    assert _posted(_app(Inner(), max_body=10**9), _signed(body), body).status == 413


def test_a_client_that_goes_away_half_way_is_not_taken_for_a_delivery() -> None:
    inner = Inner()

    async def run() -> None:
        waiting: list[Message] = [
            {"type": "http.request", "body": b"{", "more_body": True},
            {"type": "http.disconnect"},
        ]

        async def receive() -> Message:
            return waiting.pop(0)

        async def send(message: Message) -> None:
            pass

        await _app(inner)({"type": "http", "headers": _signed()}, receive, send)

    asyncio.run(run())
    assert inner.bodies == []


def test_a_delivery_dealt_with_is_answered_200_and_not_handed_on_again() -> None:
    inner, recent = Inner(), webhook.RecentDeliveries(lambda: NOW)
    app = _app(inner, seen=recent.seen, remember=recent.remember)
    first, again, retry = (_posted(app, _signed(timestamp=NOW + at)) for at in (0, 0, 9))
    assert (first.status, again.status, retry.status) == (204, 200, 200)
    assert json.loads(again.body) == {"received": True, "duplicate": True}
    assert len(inner.bodies) == 1


@pytest.mark.parametrize("status", [500, 302, 0])
def test_a_delivery_the_application_failed_on_may_come_again(status: int) -> None:
    inner, recent = Inner(status), webhook.RecentDeliveries(lambda: NOW)
    app = _app(inner, seen=recent.seen, remember=recent.remember)
    for _ in range(2):
        if status:
            assert _posted(app, _signed()).status == status
        else:
            with pytest.raises(RuntimeError):
                _posted(app, _signed())
    assert len(inner.bodies) == 2


def test_nothing_is_answered_2xx_that_could_not_be_remembered() -> None:
    sent: list[str] = []

    def remember(_: webhook.Verification) -> None:
        raise OSError

    async def run() -> None:
        async def receive() -> Message:
            return {"type": "http.request", "body": BODY}

        async def send(message: Message) -> None:
            sent.append(message["type"])

        await _app(Inner(), remember=remember)({"type": "http", "headers": _signed()}, receive, send)

    with pytest.raises(OSError):  # noqa: PT011  bare: it is the one raised above
        asyncio.run(run())
    assert sent == []


def test_the_hooks_may_be_coroutine_functions() -> None:
    inner = Inner()

    async def seen(verification: webhook.Verification) -> bool:
        return verification.event_id == "evt_2hKqx9"

    assert _posted(_app(inner, seen=seen), _signed()).status == 200
    assert inner.bodies == []


def test_of_many_copies_at_once_exactly_one_is_handed_on() -> None:
    inner, recent = Inner(), webhook.RecentDeliveries(lambda: NOW)
    app = _app(inner, seen=recent.seen, remember=recent.remember)

    async def run() -> list[Answer]:
        inner.gate, inner.entered = asyncio.Event(), asyncio.Event()
        first = asyncio.create_task(_post(app, _signed()))
        await inner.entered.wait()
        others = [await _post(app, _signed(timestamp=NOW + at % 2)) for at in range(20)]
        inner.gate.set()
        return [await first, *others, await _post(app, _signed())]

    first, *others, last = asyncio.run(run())
    assert (first.status, last.status) == (204, 200)
    assert {answer.status for answer in others} == {503}
    assert b"retry-after" in others[0].headers
    assert len(inner.bodies) == 1


def test_the_previous_secret_is_taken_during_a_rotation() -> None:
    inner = Inner()
    app = _app(inner, secret=("chekt_whsec_test_EXAMPLE1", SECRET))
    assert _posted(app, _signed()).status == 204
    assert inner.scopes[0]["chekt_webhook"].signed_with == "previous"


@pytest.mark.parametrize("secret", [None, "", "  ", [], [None, ""]])
def test_a_receiver_without_a_secret_does_not_start(secret: Any) -> None:
    with pytest.raises(InvalidInput) as caught:
        webhook.SignedWebhookMiddleware(Inner(), secret)
    assert caught.value.code == "no_signing_secret"


def test_lifespan_passes_and_a_websocket_is_closed_unseen() -> None:
    reached, sent = list[str](), list[Message]()

    async def inner(scope: Any, receive: Receive, send: Send) -> None:
        reached.append(scope["type"])

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        sent.append(message)

    async def run() -> None:
        for kind in ("lifespan", "websocket"):
            await _app(inner)({"type": kind}, receive, send)

    asyncio.run(run())
    assert (reached, sent) == (["lifespan"], [{"type": "websocket.close", "code": 1008}])
