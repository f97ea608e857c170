"""Send a receiver a made-up event, signed as the platform signs: for local test apps only.

1. The app: a live one is refused, for its receivers act on what its secret signed; so is an adopted one.
2. The secret is opened, the event made and signed by the clock.
3. A log entry says what goes where; without it nothing is sent.
4. The delivery is posted, once.
5. A second entry says what came back, before anybody is told.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from chekt_mcp.domain.api_key import KeyKind
from chekt_mcp.domain.app import App, Authority, Environment
from chekt_mcp.domain.endpoint.url import EndpointUrl
from chekt_mcp.domain.identifier import new_id
from chekt_mcp.domain.timespan import rfc3339
from chekt_mcp.domain.webhook import (
    ATTEMPT_HEADER,
    DELIVERY_ID_HEADER,
    EVENT_ID_HEADER,
    SIGNATURE_HEADER,
    TIMESTAMP_HEADER,
    sign,
)
from chekt_mcp.domain.webhook.answer import Answer, NoAnswer
from chekt_mcp.domain.webhook.sample import sample_body, sample_data
from chekt_mcp.errors import NotPermitted, SecretUnreadable
from chekt_mcp.operations.keys.key_material import dealer_record, key_pair, open_secret
from chekt_mcp.operations.known_app import unknown_app
from chekt_mcp.operations.operator import Operator
from chekt_mcp.operations.services import Services
from chekt_mcp.storage.interface import Reader
from chekt_mcp.storage.records import Dealer, SealedKey

STARTED = "webhook.send_started"
FINISHED = "webhook.send"


class DeliverySender(Protocol):
    """Posts a delivery once, to addresses it has checked; what goes wrong is its outcome."""

    async def send(self, url: EndpointUrl, headers: Mapping[str, str], body: bytes) -> Answer | NoAnswer:
        """Send it."""
        ...


@dataclass(frozen=True, slots=True)
class Sample:
    """What to send. Without `data` it is made up for the type."""

    event_type: str
    data: Mapping[str, object] | None = None
    attempt: int = 1


@dataclass(frozen=True, slots=True)
class Sent:
    """What was sent and what came of it. Neither secret nor signature is in it."""

    event_id: str
    delivery_id: str
    signed_at: datetime
    size: int
    outcome: Answer | NoAnswer


@dataclass(frozen=True, slots=True)
class _Delivery:
    event_id: str
    delivery_id: str
    signed_at: datetime
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class TrialDelivery:
    """A delivery in the name of one app."""

    services: Services = field(repr=False)
    operator: Operator
    sender: DeliverySender
    dealer: str
    app: str

    async def send(self, url: EndpointUrl, sample: Sample) -> Sent:
        """Sign and post a sample event.

        Raises:
            NotFound: code `unknown_app`.
            NotPermitted: code `live_app` or `platform_app`.
            InvalidInput: see `sample_data` and `sample_body`.
            SecretUnreadable: there is no signing secret (code `no_signing_secret`), or it cannot be opened.
        """
        made = self._signed(await self._secret(), sample)
        about = {"event": sample.event_type, "event_id": made.event_id, "delivery_id": made.delivery_id}
        await self._log(STARTED, {**about, "attempt": sample.attempt, "to": f"{url.scheme}://{url.authority}"})
        outcome = await self.sender.send(url, made.headers, made.body)
        await self._log(FINISHED, {**about, "outcome": _in_short(outcome)})
        return Sent(made.event_id, made.delivery_id, made.signed_at, len(made.body), outcome)

    async def _secret(self) -> str:
        async def work(reader: Reader) -> tuple[Dealer, SealedKey | None]:
            _require_local_test_app(await reader.app(self.dealer, self.app))
            pair = await key_pair(reader, self.dealer, self.app, KeyKind.SIGNING_SECRET)
            return await dealer_record(reader, self.dealer), pair.current

        dealer, stored = await self.services.storage.read(work)
        if stored is None:
            raise SecretUnreadable("The app has no signing secret.", code="no_signing_secret")
        return open_secret(self.services.sealing(), dealer, stored)

    def _signed(self, secret: str, sample: Sample) -> _Delivery:
        now, random = self.services.clock(), self.services.random
        event_id, delivery_id = new_id("evt", random), new_id("del", random)
        data = sample.data if sample.data is not None else sample_data(sample.event_type, random)
        body = sample_body(sample.event_type, event_id, rfc3339(now), data)
        timestamp = int(now.timestamp())
        headers = {
            SIGNATURE_HEADER: sign(secret, timestamp, body),
            TIMESTAMP_HEADER: str(timestamp),
            EVENT_ID_HEADER: event_id,
            DELIVERY_ID_HEADER: delivery_id,
            ATTEMPT_HEADER: str(sample.attempt),
        }
        return _Delivery(event_id, delivery_id, now, headers, body)

    async def _log(self, action: str, details: Mapping[str, object]) -> None:
        entry = self.operator.entry(self.dealer, action, self.services.clock(), app=self.app, details=details)
        await self.services.storage.write(lambda writer: writer.append([entry]))


def _require_local_test_app(app: App | None) -> None:
    if app is None:
        raise unknown_app()
    if app.environment is Environment.LIVE:
        raise NotPermitted(
            "That is a live app: whoever holds its secret takes what it signed for a real alarm and acts on it.",
            code="live_app",
            fix="Try the receiver with a test app: `chekt-mcp app add NAME`, and its signing secret in the receiver.",
        )
    if app.authority is Authority.PLATFORM:
        raise NotPermitted(
            "That app is CHeKT's: its secret was given here to check signatures, and only CHeKT signs with it.",
            code="platform_app",
            fix="Try the receiver with a test app of this server: `chekt-mcp app add NAME`.",
        )


def _in_short(outcome: Answer | NoAnswer) -> str:
    return str(outcome.status) if isinstance(outcome, Answer) else outcome.failure.value
