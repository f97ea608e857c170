"""The receiver over real HTTP: what is genuine is taken in once, and everything else learns nothing."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

import storage_samples as sample
from chekt_mcp.domain.api_key import KeyKind, KeyState
from chekt_mcp.domain.audit import Entry
from chekt_mcp.domain.token_bucket import Rate
from chekt_mcp.domain.webhook import verify
from chekt_mcp.http.webhook_receiver import ReceiverLimits, WebhookReceiver
from chekt_mcp.operations.services import Limits, Services
from chekt_mcp.operations.webhook import receive_delivery
from chekt_mcp.storage.interface import Writer
from chekt_mcp.storage.records import DeliveryClaim, QueueExtent
from http_server import client_of, exchanged, serving
from world import START, World

pytestmark = pytest.mark.anyio
BODY = json.dumps({"id": "evt_2hKqx9", "type": "alarm.created", "data": {"note": "MARKER-IN-BODY"}}).encode()
JSON = {"Content-Type": "application/json"}
MINUTE = timedelta(minutes=1)
Refused = Callable[[World], tuple[str, dict[str, str], bytes]]


@pytest.fixture
async def shop(world: World) -> World:
    await world.add_app("shop")
    await world.add_app("till")
    await world.add_app("shop", dealer="other")
    await world.add_app("kiosk", dealer="other")
    return world


@pytest.fixture
async def client(shop: World) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(WebhookReceiver(shop.services(), "acme")) as connected:
        yield connected


async def post(client: httpx.AsyncClient, headers: dict[str, str], body: bytes = BODY, app: str = "shop") -> Any:
    return await client.post(f"/webhooks/{app}", content=body, headers={**JSON, **headers})


async def waiting(world: World, app: str = "shop", dealer: str = "acme") -> int:
    extent: QueueExtent = await world.storage.read(lambda reader: reader.event_queue(dealer, app))
    return extent.waiting


def error_of(answer: httpx.Response) -> dict[str, str]:
    error: dict[str, str] = answer.json()["error"]
    assert set(answer.json()) == {"error"}
    assert set(error) == {"code", "message", "request_id"}
    assert error["request_id"] == answer.headers["x-request-id"]
    return error


async def logged(world: World) -> list[Entry]:
    return [entry for entry in await world.entries() if entry.kind == "webhook_delivery"]


async def test_a_genuine_delivery_is_accepted_queued_and_logged(client: httpx.AsyncClient, shop: World) -> None:
    answer = await post(client, shop.sign(BODY))
    assert (answer.status_code, answer.json()["duplicate"]) == (200, False)
    assert await waiting(shop) == 1
    (entry,) = await logged(shop)
    assert (entry.action, entry.result, entry.app) == ("webhook alarm.created", "ok", "shop")
    assert (entry.source_ip, entry.source, entry.actor) == ("127.0.0.1", "http", "system:webhooks")
    assert entry.request_id == answer.headers["x-request-id"]
    assert entry.details == {"outcome": "accepted", "event_id": "evt_2hKqx9", "signed_with": "current"}


async def test_the_log_says_which_secret_signed(client: httpx.AsyncClient, shop: World) -> None:
    (secret,) = await shop.storage.read(lambda reader: reader.keys("acme", "shop", KeyKind.SIGNING_SECRET))
    await post(client, shop.sign(BODY))
    await post(client, {})
    assert [entry.key_id for entry in await logged(shop)] == [secret.key.key_id, None]


async def test_an_app_that_does_not_exist_is_logged_without_its_name(client: httpx.AsyncClient, shop: World) -> None:
    request_id = (await post(client, {}, app="nobody")).headers["x-request-id"]
    (entry,) = await shop.storage.read(lambda reader: reader.entries_by_request_id("acme", request_id, 10))
    assert (entry.app, entry.details["cause"]) == (None, "no_signing_secret")


async def test_a_copy_is_answered_200_and_not_queued_again(client: httpx.AsyncClient, shop: World) -> None:
    headers = shop.sign(BODY)
    await post(client, headers)
    fresh_ids = {"X-CHeKT-Event-Id": "evt_new", "X-CHeKT-Delivery-Id": "del_new", "X-CHeKT-Attempt": "2"}
    copy = await post(client, {**headers, **fresh_ids})
    shop.clock.forward(hours=23)
    signed_afresh = await post(client, shop.sign(BODY))
    for answer in (copy, signed_afresh):
        assert (answer.status_code, answer.json()["duplicate"]) == (200, True)
    assert await waiting(shop) == 1
    assert [entry.details["outcome"] for entry in await logged(shop)] == ["accepted", "duplicate", "duplicate"]


async def test_an_event_is_known_for_48_hours_however_often_it_is_signed_afresh(
    client: httpx.AsyncClient, shop: World
) -> None:
    await post(client, shop.sign(BODY))
    shop.clock.forward(hours=48)
    assert (await post(client, shop.sign(BODY))).json()["duplicate"] is True
    shop.clock.forward(seconds=2)
    assert (await post(client, shop.sign(BODY))).json()["duplicate"] is False


async def test_a_body_without_id_is_known_as_long_as_it_could_be_accepted_even_if_the_window_is_doubled(
    shop: World,
) -> None:
    for window, after in ((300, 0), (300, 300), (600, 600)):
        services = replace(shop.services(), limits=Limits(webhook_window=window))
        shop.clock.now = START + timedelta(seconds=after)
        async with client_of(WebhookReceiver(services, "acme")) as client:
            answer = await post(client, shop.sign(b"{}", at=START), b"{}")
        assert answer.json()["duplicate"] is (after > 0)


async def test_the_same_event_for_two_apps_is_one_for_each(client: httpx.AsyncClient, shop: World) -> None:
    for app in ("shop", "till"):
        answer = await post(client, shop.sign(BODY, app=app), app=app)
        assert answer.json()["duplicate"] is False
        assert await waiting(shop, app) == 1


@pytest.mark.parametrize("body", [b"", b"[]", b"not json", b'{"id":7}', bytes(range(256))])
async def test_a_genuine_body_without_a_usable_id_is_taken_in_once(
    client: httpx.AsyncClient, shop: World, body: bytes
) -> None:
    answers = [await post(client, shop.sign(body), body) for _ in range(2)]
    assert [answer.json()["duplicate"] for answer in answers] == [False, True]


async def test_the_previous_secret_is_good_until_its_grace_ends(client: httpx.AsyncClient, shop: World) -> None:
    (current,) = await shop.storage.read(lambda reader: reader.keys("acme", "shop", KeyKind.SIGNING_SECRET))
    ends = shop.clock() + timedelta(hours=1)
    before = replace(current.key, state=KeyState.PREVIOUS, valid_until=ends)
    await shop.storage.write(lambda writer: writer.update_key(before))
    assert (await post(client, shop.sign(BODY))).status_code == 200
    shop.clock.forward(hours=1)
    other = BODY.replace(b"evt_2hKqx9", b"evt_other")
    assert (await post(client, shop.sign(other), other)).status_code == 401


def forged(world: World) -> tuple[str, dict[str, str], bytes]:
    return "shop", {**world.sign(BODY), "X-CHeKT-Signature": "0" * 64}, BODY


def stale(world: World) -> tuple[str, dict[str, str], bytes]:
    return "shop", world.sign(BODY, at=world.clock() - timedelta(seconds=301)), BODY


def of_another(app: str, signer: str, dealer: str = "acme") -> Refused:
    return lambda world: (app, world.sign(BODY, app=signer, dealer=dealer), BODY)


REFUSED: dict[str, Refused] = {
    "forged": forged,
    "stale": stale,
    "changed": lambda world: ("shop", world.sign(BODY), BODY + b" "),
    "unsigned": lambda _: ("shop", {}, BODY),
    "malformed": lambda _: ("shop", {"X-CHeKT-Signature": "x", "X-CHeKT-Timestamp": "soon"}, BODY),
    "another app's secret": of_another("shop", "till"),
    "another dealer's app": of_another("kiosk", "kiosk", "other"),
    "another dealer's secret": of_another("shop", "shop", "other"),
    "unknown app": of_another("nobody", "shop"),
    "no name at all": of_another("%20", "shop"),
    "upper case": of_another("SHOP", "shop"),
    "the stand-in's name": of_another("-", "shop"),
    "very long": of_another("a" * 256, "shop"),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_whatever_is_wrong_is_answered_alike(client: httpx.AsyncClient, shop: World, case: str) -> None:
    app, headers, body = REFUSED[case](shop)
    answer = await post(client, headers, body, app)
    error = error_of(answer)
    assert (answer.status_code, error["code"]) == (401, "webhook_signature_invalid")
    assert error["message"] == "The webhook signature could not be verified."
    assert sorted(answer.headers) == sorted(
        ["date", "server", "content-type", "content-length", "cache-control", "x-request-id", "www-authenticate"]
    )
    assert answer.headers["content-length"] == "149"
    assert await waiting(shop) == 0


class Counted:
    """What one request asks of the state and of the key-encryption key."""

    def __init__(self, services: Services) -> None:
        self.work: list[str] = []
        sealer, storage = services.sealing(), services.storage

        def counting(name: str, what: Any) -> Any:
            def counted(*arguments: Any) -> Any:
                self.work.append(name)
                return what(*arguments)

            return counted

        class Sealing:
            seal, open = staticmethod(counting("seal", sealer.seal)), staticmethod(counting("open", sealer.open))

        class Storage:
            read, write = staticmethod(counting("read", storage.read)), staticmethod(counting("write", storage.write))

        self.services = replace(services, storage=Storage(), sealing=Sealing)  # type: ignore[arg-type]  # what is used


async def test_an_unknown_app_costs_the_same_work_as_a_bad_signature(
    shop: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted = Counted(shop.services())
    tried: list[int] = []

    def verifying(headers: Any, body: Any, secrets: Any, **when: Any) -> Any:
        tried.append(len([one for one in secrets if one.usable]))
        return verify(headers, body, secrets, **when)

    monkeypatch.setattr(f"{receive_delivery.__name__}.verify", verifying)
    async with client_of(WebhookReceiver(counted.services, "acme")) as client:
        await post(client, {}, app="first-makes-the-decoy")
        work: list[list[str]] = []
        for case in ("forged", "unknown app", "no name at all", "another dealer's app"):
            counted.work.clear()
            app, headers, body = REFUSED[case](shop)
            await post(client, headers, body, app)
            work.append(list(counted.work))
    assert work == [["read", "open", "open"]] * 4  # of the same source and minute: counted, whatever it was
    assert tried == [2] * 5


async def test_a_refusal_is_logged_without_anything_the_sender_wrote(client: httpx.AsyncClient, shop: World) -> None:
    body = b'{"id":"SENDERS-TEXT","type":"SENDERS-TEXT"}'
    headers = {"X-CHeKT-Signature": "SENDERS-TEXT", "X-CHeKT-Timestamp": "1", "X-CHeKT-Event-Id": "SENDERS-TEXT"}
    await post(client, headers, body)
    shop.clock.forward(minutes=1)
    await post(client, headers, body, "senders-text")
    (entry,) = await logged(shop)
    assert (entry.result, entry.actor, entry.app) == ("denied", "unknown", "shop")
    assert (entry.source_ip, entry.action) == ("127.0.0.1", "webhook")
    assert (entry.details["verdict"], entry.details["cause"]) == ("malformed", "signature_not_hex")
    assert (await shop.storage.read(lambda reader: reader.log_extent("acme"))).entries == 2
    stored = b"".join(path.read_bytes() for path in shop.directory.rglob("*") if path.is_file())
    assert b"senders-text" not in stored.lower()


async def test_a_flood_of_refusals_becomes_one_counted_entry_per_minute(shop: World) -> None:
    receiver = WebhookReceiver(shop.services(), "acme")
    async with client_of(receiver) as client:
        for _ in range(100):
            assert (await post(client, {})).status_code == 401
        assert len(await logged(shop)) == 1
        shop.clock.forward(minutes=1)
        await post(client, {})
        await post(client, {})
    await receiver.close()
    assert [entry.details.get("times") for entry in await logged(shop)] == [None, 99, None, 1]


async def test_a_request_id_of_the_log_is_the_one_that_was_answered(client: httpx.AsyncClient, shop: World) -> None:
    answer = await post(client, {})
    assert [entry.request_id for entry in await logged(shop)] == [answer.headers["x-request-id"]]


async def test_a_header_does_not_say_where_a_delivery_comes_from(client: httpx.AsyncClient, shop: World) -> None:
    claims = {"X-Forwarded-For": "203.0.113.9", "Forwarded": "for=203.0.113.9", "X-Real-IP": "203.0.113.9"}
    await post(client, {**shop.sign(BODY), **claims})
    assert [entry.source_ip for entry in await logged(shop)] == ["127.0.0.1"]


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH"])
async def test_only_post_is_taken(client: httpx.AsyncClient, shop: World, method: str) -> None:
    answer = await client.request(method, "/webhooks/shop", headers=shop.sign(b""))
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert answer.content == b"" if method == "HEAD" else error_of(answer)["code"] == "method_not_allowed"


@pytest.mark.parametrize(
    "path", ["/", "/webhooks", "/webhooks/", "/webhooks/shop/", "/webhooks/a/b", "/x/webhooks/shop"]
)
async def test_any_other_path_is_not_found(client: httpx.AsyncClient, shop: World, path: str) -> None:
    answer = await client.post(path, content=BODY, headers={**JSON, **shop.sign(BODY)})
    assert (answer.status_code, error_of(answer)["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    "header",
    [
        {"Content-Type": "text/plain"},
        {"Content-Type": "multipart/form-data; boundary=x"},
        {"Content-Type": "application/json, text/html"},
        {"Content-Type": ""},
        {"Content-Encoding": "gzip"},
        {"Content-Encoding": "identity, br"},
    ],
)
async def test_what_is_not_plain_json_is_not_read(
    client: httpx.AsyncClient, shop: World, header: dict[str, str]
) -> None:
    answer = await post(client, {**shop.sign(BODY), **header})
    assert (answer.status_code, error_of(answer)["code"]) == (415, "unsupported_media_type")
    assert await logged(shop) == []


@pytest.mark.parametrize(
    "kind", ["application/json", "Application/JSON; charset=UTF-8", "application/cloudevents+json"]
)
async def test_json_of_any_spelling_is_read(client: httpx.AsyncClient, shop: World, kind: str) -> None:
    assert (await post(client, {**shop.sign(BODY), "Content-Type": kind})).status_code == 200


async def in_pieces(body: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(body), 60_000):
        yield body[start : start + 60_000]


@pytest.mark.parametrize("sent", [bytes, in_pieces])
async def test_a_body_of_a_mebibyte_is_taken_and_one_byte_more_is_not(
    client: httpx.AsyncClient, shop: World, sent: Callable[[bytes], Any]
) -> None:
    for size, status in ((1024 * 1024, 200), (1024 * 1024 + 1, 413)):
        body = b"x" * size
        content = sent(body)
        answer = await client.post("/webhooks/shop", content=content, headers={**JSON, **shop.sign(body)})
        assert answer.status_code == status
    assert error_of(answer)["code"] == "payload_too_large"


async def test_headers_too_many_or_too_long_are_not_looked_into(client: httpx.AsyncClient, shop: World) -> None:
    for extra in ({f"X-{n}": "1" for n in range(80)}, {"X-Long": "x" * 17_000}):
        answer = await post(client, {**shop.sign(BODY), **extra})
        assert (answer.status_code, error_of(answer)["code"]) == (431, "headers_too_large")
    assert await waiting(shop) == 0


async def test_a_body_that_trickles_in_is_given_up_and_holds_nobody_up(shop: World) -> None:
    receiver = WebhookReceiver(shop.services(), "acme", limits=ReceiverLimits(body_seconds=0.2))
    async with serving(receiver) as url, httpx.AsyncClient(base_url=url, trust_env=False) as client:
        head = (
            b"POST /webhooks/shop HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{"
        )
        slow = asyncio.create_task(exchanged(url, head))
        assert (await post(client, shop.sign(BODY))).status_code == 200
        answer = await slow
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b'"request_timeout"' in answer
    assert await waiting(shop) == 1


async def test_a_client_that_goes_away_half_way_leaves_nothing(shop: World) -> None:
    started = asyncio.Event()

    class Noticing(WebhookReceiver):
        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            await super().__call__(scope, receive, send)
            started.set()

    async with serving(Noticing(shop.services(), "acme")) as url:
        host, port = url.removeprefix("http://").split(":")
        _, writer = await asyncio.open_connection(host, int(port))
        lines = [f"{name}: {value}" for name, value in {**JSON, **shop.sign(BODY)}.items()]
        request = ["POST /webhooks/shop HTTP/1.1", "Host: x", f"Content-Length: {len(BODY) + 1}", *lines, "", ""]
        writer.write("\r\n".join(request).encode() + BODY)
        await writer.drain()
        writer.close()
        await asyncio.wait_for(started.wait(), 20)
    assert await logged(shop) == []
    assert await waiting(shop) == 0


async def test_a_client_that_comes_too_often_waits(shop: World) -> None:
    limits = ReceiverLimits(per_client=Rate(3, MINUTE))
    async with client_of(WebhookReceiver(shop.services(), "acme", limits=limits)) as client:
        answers = [await post(client, {}) for _ in range(4)]
        assert [answer.status_code for answer in answers] == [401, 401, 401, 429]
        assert error_of(answers[3])["code"] == "rate_limited"
        assert answers[3].headers["retry-after"] == "20"
        shop.clock.forward(seconds=20)
        assert (await post(client, shop.sign(BODY))).status_code == 200


async def test_forged_deliveries_do_not_use_up_an_apps_rate(shop: World) -> None:
    limits = ReceiverLimits(per_app=Rate(2, MINUTE))
    bodies = [json.dumps({"id": f"evt_{number}"}).encode() for number in range(3)]
    async with client_of(WebhookReceiver(shop.services(), "acme", limits=limits)) as client:
        for _ in range(5):
            assert (await post(client, {})).status_code == 401
        answers = [await post(client, shop.sign(body), body) for body in bodies]
        assert [answer.status_code for answer in answers] == [200, 200, 429]
        assert (await post(client, shop.sign(BODY, app="till"), app="till")).status_code == 200
        shop.clock.forward(seconds=30)
        assert (await post(client, shop.sign(bodies[2]), bodies[2])).json()["duplicate"] is False


def lease(world: World, **changes: Any) -> DeliveryClaim:
    now = world.clock()
    times = {"claimed_at": now, "lease_until": now + MINUTE, "digest_until": now + MINUTE, "event_until": now + MINUTE}
    return sample.claim(**{"event_id": "evt_2hKqx9", **times, **changes})


async def test_what_another_receiver_has_in_hand_is_to_come_again(client: httpx.AsyncClient, shop: World) -> None:
    await shop.storage.write(lambda writer: writer.claim_delivery(lease(shop)))
    held = await post(client, shop.sign(BODY))
    assert (held.status_code, error_of(held)["code"]) == (503, "delivery_in_progress")
    assert held.headers["retry-after"] == "60"
    shop.clock.forward(seconds=60)
    assert (await post(client, shop.sign(BODY))).json()["duplicate"] is False
    assert [entry.details["outcome"] for entry in await logged(shop)] == ["in_progress", "accepted"]


async def test_of_many_copies_at_once_exactly_one_is_new(client: httpx.AsyncClient, shop: World) -> None:
    answers = await asyncio.gather(*(post(client, shop.sign(BODY)) for _ in range(50)))
    assert sorted(answer.json()["duplicate"] for answer in answers) == [False, *[True] * 49]
    assert await waiting(shop) == 1


async def test_a_state_that_cannot_be_used_makes_the_platform_ask_again(client: httpx.AsyncClient, shop: World) -> None:
    await shop.storage.close()
    for app in ("shop", "nobody"):
        answer = await post(client, shop.sign(BODY), app=app)
        assert (answer.status_code, error_of(answer)["code"]) == (503, "unavailable")
        assert "retry-after" in answer.headers


async def test_an_answer_comes_in_time_even_if_the_state_does_not(shop: World) -> None:
    class Stuck:
        read = staticmethod(shop.storage.read)

        async def write(self, _work: Any) -> None:
            await asyncio.Event().wait()

    stuck = replace(shop.services(), storage=Stuck())  # type: ignore[arg-type]  # what is used
    receiver = WebhookReceiver(stuck, "acme", limits=ReceiverLimits(answer_seconds=0.2))
    async with client_of(receiver) as client:
        for headers in (shop.sign(BODY), {}):
            answer = await post(client, headers)
            assert (answer.status_code, error_of(answer)["code"]) == (503, "unavailable")


def test_the_answer_comes_within_the_platforms_thirty_seconds() -> None:
    assert ReceiverLimits().answer_seconds < 30


async def test_too_many_requests_at_once_are_sent_away(shop: World) -> None:
    receiver = WebhookReceiver(shop.services(), "acme", limits=ReceiverLimits(at_once=0))
    async with client_of(receiver) as client:
        answer = await post(client, shop.sign(BODY))
    assert (answer.status_code, error_of(answer)["code"]) == (503, "busy")


async def test_a_full_queue_refuses_new_events_and_still_knows_the_old(
    client: httpx.AsyncClient, shop: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receive_delivery, "MOST_WAITING", 1)
    other = BODY.replace(b"evt_2hKqx9", b"evt_other")
    answers = [await post(client, shop.sign(body), body) for body in (BODY, other, BODY)]
    assert [answer.status_code for answer in answers] == [200, 503, 200]
    assert answers[2].json()["duplicate"] is True
    monkeypatch.undo()
    assert (await post(client, shop.sign(other), other)).json()["duplicate"] is False


async def test_only_the_apps_named_are_served(shop: World) -> None:
    receiver = WebhookReceiver(shop.services(), "acme", apps=frozenset({"till"}))
    async with client_of(receiver) as client:
        assert (await post(client, shop.sign(BODY))).status_code == 401
        assert (await post(client, shop.sign(BODY, app="till"), app="till")).status_code == 200


async def test_whoever_hands_on_is_told_of_new_events_only(shop: World) -> None:
    told: list[int] = []
    async with client_of(WebhookReceiver(shop.services(), "acme", accepted=lambda: told.append(1))) as client:
        for headers in (shop.sign(BODY), shop.sign(BODY), {}):
            await post(client, headers)
    assert told == [1]


async def test_nothing_is_answered_2xx_that_was_not_stored(client: httpx.AsyncClient, shop: World) -> None:
    async def trouble(writer: Writer) -> None:
        await writer.append([])

    await shop.storage.write(trouble)
    (shop.directory / "chekt.db").rename(shop.directory / "gone.db")
    assert (await post(client, shop.sign(BODY))).status_code == 503


async def test_no_body_and_no_secret_is_in_the_state_or_the_log(
    client: httpx.AsyncClient, shop: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "chekt_mcp")
    await post(client, shop.sign(BODY))
    await post(client, {})
    await shop.storage.close()
    await post(client, shop.sign(BODY))
    secrets = [value.encode() for value in shop.secrets.values()]
    stored = b"".join(path.read_bytes() for path in shop.directory.rglob("*") if path.is_file())
    for text in (stored, caplog.text.encode()):
        assert b"MARKER-IN-BODY" not in text
        assert shop.sign(BODY)["X-CHeKT-Signature"].encode() not in text
        assert not any(secret in text for secret in secrets)


def test_paths_of_the_state_are_scanned(tmp_path: Path) -> None:
    """The scan above would find what it looks for."""
    (tmp_path / "chekt.db").write_bytes(BODY)
    assert b"MARKER-IN-BODY" in b"".join(path.read_bytes() for path in tmp_path.rglob("*"))
