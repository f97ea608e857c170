"""The receiver to copy does what its docstring says. It runs on the real clock, as a copy of it would."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from chekt_mcp import webhook

if TYPE_CHECKING:
    from types import ModuleType

EXAMPLE = Path(__file__).parents[2] / "examples" / "webhook_receiver.py"
Inboxes = Callable[[], Any]
SECRET = "chekt_whsec_test_EXAMPLE0000000000000000000000000"  # noqa: S105  a made-up one


@pytest.fixture(scope="module")
def receiver() -> ModuleType:
    spec = importlib.util.spec_from_file_location("webhook_receiver", EXAMPLE)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def inbox(receiver: ModuleType, tmp_path: Path) -> Iterator[Inboxes]:
    """Open the same database again and again, as restarts and other processes do."""
    with contextlib.ExitStack() as opened:
        yield lambda: opened.enter_context(contextlib.closing(receiver.Inbox(str(tmp_path / "inbox.sqlite3"))))


def _post(app: Any, body: bytes, *, late: int = 0, secret: str = SECRET) -> httpx.Response:
    timestamp = int(time.time()) - late
    headers = {"X-CHeKT-Signature": webhook.sign(secret, timestamp, body), "X-CHeKT-Timestamp": str(timestamp)}

    async def run() -> httpx.Response:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="https://hooks.dealer.example") as client:
            return await client.post("/webhooks/chekt", content=body, headers=headers)

    return asyncio.run(run())


def _event(number: int) -> bytes:
    return json.dumps({"id": f"evt_{number}", "type": "alarm.created"}).encode()


def test_a_genuine_delivery_is_on_disk_before_it_is_answered(receiver: ModuleType, inbox: Inboxes) -> None:
    answer = _post(receiver.build_app(inbox(), SECRET), _event(1))
    assert (answer.status_code, answer.json()) == (200, {"received": True})
    assert [body for _, body in inbox().waiting()] == [_event(1)]


def test_an_event_enters_once_across_restarts_and_fresh_signatures(receiver: ModuleType, inbox: Inboxes) -> None:
    for late in (0, 0, 30):
        app = receiver.build_app(inbox(), SECRET, None)
        assert _post(app, _event(1), late=late).status_code == 200
    assert len(inbox().waiting()) == 1


def test_two_processes_that_store_at_once_keep_one(inbox: Inboxes) -> None:
    verification = webhook.verify(
        {"X-CHeKT-Signature": webhook.sign(SECRET, 1, _event(1)), "X-CHeKT-Timestamp": "1"}, _event(1), SECRET, now=1
    )
    for _ in range(2):
        inbox().store(verification)
    assert len(inbox().waiting()) == 1


@pytest.mark.parametrize(("late", "secret"), [(0, "another"), (301, SECRET), (-400, SECRET)])
def test_what_does_not_verify_is_not_stored(receiver: ModuleType, inbox: Inboxes, late: int, secret: str) -> None:
    opened = inbox()
    assert _post(receiver.build_app(opened, SECRET), _event(1), late=late, secret=secret).status_code == 401
    assert opened.waiting() == []


def test_both_secrets_are_taken_during_a_rotation(receiver: ModuleType, inbox: Inboxes) -> None:
    app = receiver.build_app(inbox(), "chekt_whsec_test_EXAMPLE1", SECRET)
    assert _post(app, _event(1)).status_code == 200


def test_work_that_fails_is_tried_again_and_does_not_hold_up_the_rest(
    receiver: ModuleType, inbox: Inboxes, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened, handled = inbox(), list[str]()
    for number in (1, 2):
        _post(receiver.build_app(opened, SECRET), _event(number))

    async def handle(event: dict[str, Any]) -> None:
        if event["id"] == "evt_1" and len(handled) < 2:
            handled.append("failed")
            raise RuntimeError
        handled.append(event["id"])

    async def stop_when_idle(_: float) -> None:
        if not opened.waiting():
            raise asyncio.CancelledError

    monkeypatch.setattr(receiver, "handle", handle)
    monkeypatch.setattr(asyncio, "sleep", stop_when_idle)
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(receiver.work(opened))
    assert handled == ["failed", "evt_2", "evt_1"]


def test_handled_events_are_forgotten_only_after_the_retries_have_ended(receiver: ModuleType) -> None:
    assert receiver.KEEP_SECONDS >= 48 * 3600
