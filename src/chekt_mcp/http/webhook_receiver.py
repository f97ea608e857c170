"""The webhook receiver: an ASGI 3 application for `POST /webhooks/{app}`, for the apps of one dealer.

1. Path, method, headers and the sender's rate are judged before anything of the body is read.
2. The body is read: at most 1 MiB, within 10 s.
3. It is verified with the app's live secrets. Unknown app, bad signature and stale timestamp are answered alike, after
   like work, and logged without anything the sender wrote: one entry by source and minute, and one more that counts.
4. The rate of the app is counted on authentic deliveries only: forged ones cannot use it up.
5. Claim, queue and log, in one transaction (`operations/webhook/receive_delivery.py`); then 200.

The platform waits 30 s for an answer; ours comes within 25. Every answer but 2xx makes it try again, for 24 h.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from chekt_mcp.domain.allow_list.address import ParsedAddress, read_address
from chekt_mcp.domain.app import NAME_PATTERN
from chekt_mcp.domain.identifier import new_id
from chekt_mcp.domain.token_bucket import Rate
from chekt_mcp.errors import ChektError
from chekt_mcp.http.answer import Answer, retry_after, send_answer, send_json
from chekt_mcp.http.asgi import Headers, Receive, Scope, Send, text_headers
from chekt_mcp.http.rates import Rates, client_key
from chekt_mcp.http.receiver_answers import (
    BUSY,
    FAILED,
    IN_PROGRESS,
    NOT_FOUND,
    NOT_POST,
    REFUSED,
    TOO_LARGE,
    TOO_OFTEN,
    TOO_SLOW,
    UNAVAILABLE,
)
from chekt_mcp.http.request_limits import ClientGone, read_body, unacceptable
from chekt_mcp.operations.audit.count_refusals import RefusalCounter
from chekt_mcp.operations.services import Services
from chekt_mcp.operations.webhook.receive_delivery import Arrival, Reception, refused_entry, take_in, verify_arrival
from chekt_mcp.operations.webhook.receiver_secrets import ReceiverSecrets

PATH = re.compile(r"/webhooks/([^/]{1,256})")
NO_APP = "-"
"""Looked up in place of what cannot be a name; no app can be called that."""
FLUSH_SECONDS = 5.0
_POLICY_VIOLATION = 1008  # RFC 6455, 7.4.1
_LOG = logging.getLogger(__name__)


PER_CLIENT = Rate(6_000, timedelta(minutes=1))
PER_APP = Rate(3_000, timedelta(minutes=1))
"""The largest rate the platform grants an app for calls."""


@dataclass(frozen=True, slots=True)
class ReceiverLimits:
    """How often, how many and how long."""

    per_client: Rate = PER_CLIENT
    per_app: Rate = PER_APP
    at_once: int = 64
    body_seconds: float = 10
    answer_seconds: float = 25


class WebhookReceiver:
    """The application.

    Args:
        services: the state, its secrets, clock and randomness.
        dealer: whose apps are served.
        apps: which of them; None for all. Any other is answered as an unknown one is.
        limits: how often, how many and how long.
        accepted: called after each event that was queued, to wake whoever hands events on.
    """

    def __init__(
        self,
        services: Services,
        dealer: str,
        *,
        apps: frozenset[str] | None = None,
        limits: ReceiverLimits | None = None,
        accepted: Callable[[], None] = lambda: None,
    ) -> None:
        self._services, self._dealer, self._served, self._accepted = services, dealer, apps, accepted
        self._limits = limits or ReceiverLimits()
        self._secrets = ReceiverSecrets(services, dealer)
        self._refused = RefusalCounter(services)
        self._clients, self._apps = Rates(self._limits.per_client), Rates(self._limits.per_app)
        self._at_work = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http":
            await self._serve(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": _POLICY_VIOLATION})

    async def keep_flushing(self) -> None:
        """Log what was counted of refusals once their minute is over, until cancelled."""
        while True:
            await asyncio.sleep(FLUSH_SECONDS)
            try:
                await self._refused.flush()
            except ChektError as error:
                _LOG.error("%s", error)

    async def close(self) -> None:
        """Log what is still counted.

        Raises:
            StateUnusable: the log cannot be written.
        """
        await self._refused.close()

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        request_id = new_id("req", self._services.random)
        self._at_work += 1
        try:
            async with asyncio.timeout(self._limits.answer_seconds):
                answer = await self._answer(scope, receive, request_id)
        except TimeoutError:
            answer = UNAVAILABLE
        except ClientGone:
            return
        except ChektError as error:
            _LOG.error("%s: %s", request_id, error)
            answer = UNAVAILABLE
        except Exception as error:  # noqa: BLE001 -- an answer in our form, and no traceback
            _LOG.error("%s: unexpected: %s", request_id, type(error).__name__)
            answer = FAILED
        finally:
            self._at_work -= 1
        await self._send(receive, send, answer, request_id)

    async def _send(self, receive: Receive, send: Send, answer: Answer | Reception, request_id: str) -> None:
        if isinstance(answer, Answer):
            await send_answer(receive, send, answer, request_id)
            return
        if answer is Reception.ACCEPTED:
            self._accepted()
        received: dict[str, object] = {"received": True, "duplicate": answer is Reception.DUPLICATE}
        await send_json(send, 200, {**received, "request_id": request_id}, request_id)

    async def _answer(self, scope: Scope, receive: Receive, request_id: str) -> Answer | Reception:
        headers, client = text_headers(scope), _client(scope)
        found = PATH.fullmatch(scope["path"])
        early = self._not_read(scope["method"], headers, client, found=found is not None)
        if early is not None or found is None:
            return early or NOT_FOUND
        body = await self._body(receive)
        if isinstance(body, Answer):
            return body
        source_ip, now = client.text if client else None, self._services.clock()
        arrival = Arrival(self._dealer, self._app(found[1]), headers, body, now, request_id, source_ip)
        return await self._judged(arrival)

    def _app(self, named: str) -> str:
        served = self._served is None or named in self._served
        return named if served and NAME_PATTERN.fullmatch(named) else NO_APP

    def _not_read(self, method: str, headers: Headers, client: ParsedAddress | None, *, found: bool) -> Answer | None:
        if self._at_work > self._limits.at_once:
            return BUSY
        wait = self._clients.spend(client_key(client), self._services.clock())
        if wait is not None:
            return retry_after(TOO_OFTEN, wait)
        if not found:
            return NOT_FOUND
        return NOT_POST if method != "POST" else unacceptable(headers)

    async def _body(self, receive: Receive) -> bytes | Answer:
        try:
            async with asyncio.timeout(self._limits.body_seconds):
                body = await read_body(receive)
        except TimeoutError:
            return TOO_SLOW
        return TOO_LARGE if body is None else body

    async def _judged(self, arrival: Arrival) -> Answer | Reception:
        tried = await self._secrets.of(arrival.app, arrival.at)
        verification = verify_arrival(self._services, arrival, tried)
        if not (verification and tried.known):
            await self._refused.refused(refused_entry(arrival, verification, known=tried.known))
            return REFUSED
        wait = self._apps.spend(arrival.app, arrival.at)
        if wait is not None:
            return retry_after(TOO_OFTEN, wait)
        reception = await take_in(self._services, arrival, verification, tried)
        return IN_PROGRESS if reception is Reception.IN_PROGRESS else reception


def _client(scope: Scope) -> ParsedAddress | None:
    """Return the peer's address as the server saw it; nothing a header claims."""
    client = scope.get("client")
    return read_address(str(client[0])) if client else None
