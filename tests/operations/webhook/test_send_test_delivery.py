"""Test deliveries: signed as published, for local test apps alone, and on record before anything leaves."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import pytest

from chekt_mcp.domain.endpoint.url import EndpointUrl, read_url
from chekt_mcp.domain.webhook import SigningSecret, verify
from chekt_mcp.domain.webhook.answer import Answer, Failure, NoAnswer
from chekt_mcp.errors import ChektError, NotPermitted, Unavailable
from chekt_mcp.operations.operator import at_terminal
from chekt_mcp.operations.webhook.send_test_delivery import Sample, TrialDelivery
from world import World

pytestmark = pytest.mark.anyio

URL = read_url("https://hooks.example.com/chekt?token=hidden")
OPERATOR = at_terminal("ada", "req_1")


@dataclass
class Recorder:
    """Answers as it is told, and keeps what it was to send and how long the log was then."""

    world: World
    outcome: Answer | NoAnswer = field(default_factory=lambda: Answer(204, 0.1))
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    logged_before: int = -1

    async def send(self, _url: EndpointUrl, headers: Mapping[str, str], body: bytes) -> Answer | NoAnswer:
        self.headers, self.body = dict(headers), body
        self.logged_before = len(await self.world.entries())
        return self.outcome


def trial(world: World, sender: Recorder, app: str = "shop") -> TrialDelivery:
    return TrialDelivery(world.services(), OPERATOR, sender, "acme", app)


async def test_it_is_signed_as_published_by_the_clock_with_all_five_headers(world: World) -> None:
    await world.add_app("shop")
    sender = Recorder(world)
    sent = await trial(world, sender).send(URL, Sample("alarm.created", attempt=3))
    seconds = str(int(world.clock().timestamp()))
    key = world.secrets["acme", "shop"].encode()
    signature = hmac.new(key, seconds.encode() + b"." + sender.body, hashlib.sha256).hexdigest()
    assert sender.headers == {
        "X-CHeKT-Signature": signature,
        "X-CHeKT-Timestamp": seconds,
        "X-CHeKT-Event-Id": sent.event_id,
        "X-CHeKT-Delivery-Id": sent.delivery_id,
        "X-CHeKT-Attempt": "3",
    }
    document = json.loads(sender.body)
    assert (document["id"], document["type"]) == (sent.event_id, "alarm.created")
    assert document["created_at"] == "2026-07-01T12:00:00Z"
    assert sent.event_id.startswith("evt_")
    assert sent.delivery_id.startswith("del_")
    secrets = [SigningSecret(world.secrets["acme", "shop"], "current")]
    assert verify(sender.headers, sender.body, secrets, now=world.clock().timestamp())


async def test_ids_are_made_anew_each_time(world: World) -> None:
    await world.add_app("shop")
    first, second = [await trial(world, Recorder(world)).send(URL, Sample("device.online")) for _ in range(2)]
    assert not {first.event_id, first.delivery_id} & {second.event_id, second.delivery_id}


async def test_data_of_ones_own_is_sent_as_it_is(world: World) -> None:
    await world.add_app("shop")
    sender = Recorder(world)
    await trial(world, sender).send(URL, Sample("site.armed", {"zones": [1, "Café"]}))
    assert json.loads(sender.body)["data"] == {"zones": [1, "Café"]}


@pytest.mark.parametrize(
    ("env", "authority", "code"),
    [("live", "local", "live_app"), ("live", "platform", "live_app"), ("test", "platform", "platform_app")],
)
async def test_only_local_test_apps_sign(world: World, env: str, authority: str, code: str) -> None:
    await world.add_app("shop", env=env, authority=authority)
    sender = Recorder(world)
    with pytest.raises(NotPermitted) as refused:
        await trial(world, sender).send(URL, Sample("alarm.created"))
    assert refused.value.code == code
    assert sender.headers == {}
    assert await world.entries() == []


async def test_an_unknown_app_signs_nothing(world: World) -> None:
    await world.add_app("shop")
    sender = Recorder(world)
    with pytest.raises(ChektError) as refused:
        await trial(world, sender, "other").send(URL, Sample("alarm.created"))
    assert (refused.value.code, sender.headers) == ("unknown_app", {})


async def test_an_app_without_a_secret_signs_nothing(world: World) -> None:
    await world.add_app("shop")
    stored = (await world.storage.read(lambda reader: reader.apps("acme")))[0]
    await world.storage.write(lambda writer: writer.add_app(replace(stored, name="bare")))
    with pytest.raises(ChektError) as refused:
        await trial(world, Recorder(world), "bare").send(URL, Sample("alarm.created"))
    assert refused.value.code == "no_signing_secret"


@pytest.mark.parametrize(
    ("outcome", "told"), [(Answer(503, 0.1), "503"), (NoAnswer(Failure.NOT_PUBLIC, ("private",)), "not_public")]
)
async def test_what_goes_where_is_on_record_before_and_what_came_of_it_after(
    world: World, outcome: Answer | NoAnswer, told: str
) -> None:
    await world.add_app("shop")
    sender = Recorder(world, outcome)
    sent = await trial(world, sender).send(URL, Sample("alarm.created"))
    assert sender.logged_before == 1
    started, finished = await world.entries()
    about = {"event": "alarm.created", "event_id": sent.event_id, "delivery_id": sent.delivery_id}
    assert (started.action, finished.action) == ("webhook.send_started", "webhook.send")
    assert started.details == {**about, "attempt": 1, "to": "https://hooks.example.com"}
    assert finished.details == {**about, "outcome": told}
    assert {(one.actor, one.app, one.request_id, one.kind) for one in (started, finished)} == {
        ("terminal:ada", "shop", "req_1", "operator_action")
    }


async def test_what_cannot_be_put_on_record_is_not_sent(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await world.add_app("shop")
    sender = Recorder(world)

    async def broken(_work: object) -> None:
        raise Unavailable("The log cannot be written.")

    monkeypatch.setattr(type(world.storage), "write", lambda _self, work: broken(work))
    with pytest.raises(Unavailable):
        await trial(world, sender).send(URL, Sample("alarm.created"))
    assert sender.headers == {}


async def test_neither_secret_nor_signature_is_in_what_is_told_or_logged(world: World) -> None:
    await world.add_app("shop")
    sender = Recorder(world)
    sent = await trial(world, sender).send(URL, Sample("alarm.created"))
    told = repr(sent) + repr(await world.entries())
    assert world.secrets["acme", "shop"] not in told + sender.body.decode() + str(sender.headers)
    assert sender.headers["X-CHeKT-Signature"] not in told
