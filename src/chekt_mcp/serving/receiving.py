"""The webhook receiver beside the MCP endpoint, for one app, with the work of handing its events on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from chekt_mcp.domain.identifier import new_id
from chekt_mcp.hand_on.interface import Target
from chekt_mcp.http.answer import send_answer
from chekt_mcp.http.asgi import App, Receive, Scope, Send
from chekt_mcp.http.client_of import ClientOf
from chekt_mcp.http.edge_answers import NO_ADDRESS
from chekt_mcp.http.hand_on_worker import HandOnWorker
from chekt_mcp.http.webhook_receiver import WebhookReceiver
from chekt_mcp.operations.services import Services

BELOW = "/webhooks/"


@dataclass(frozen=True, slots=True)
class Receiving:
    """Whose deliveries are received, and where their events go; each process makes a target of its own."""

    dealer: str
    app: str
    target: Callable[[], Target]


@asynccontextmanager
async def receiving(services: Services, setting: Receiving, client_of: ClientOf) -> AsyncIterator[App]:
    """Give the receiver, and hand events on while it lasts; any number of processes share the work."""
    target = setting.target()
    worker = HandOnWorker(services, setting.dealer, setting.app, target)
    served = frozenset({setting.app})
    receiver = WebhookReceiver(services, setting.dealer, apps=served, accepted=worker.wake)
    handing_on, flushing = asyncio.create_task(worker.run()), asyncio.create_task(receiver.keep_flushing())
    try:
        yield _behind(client_of, receiver, services)
    finally:
        worker.stop()
        await handing_on
        flushing.cancel()
        await target.close()
        await receiver.close()


def _behind(client_of: ClientOf, receiver: App, services: Services) -> App:
    """Let the receiver see the client whom our own proxies name, and nobody who comes past them, as the edge does."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        address = client_of(scope)
        if address is None:
            await send_answer(receive, send, NO_ADDRESS, new_id("req", services.random))
            return
        scope["client"] = (address, 0)
        await receiver(scope, receive, send)

    return serve
