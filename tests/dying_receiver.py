"""A receiver that kills itself (SIGKILL) at a chosen point of taking a delivery in or handing its event on.

    dying_receiver.py DIRECTORY POINT OUTPUT    the delivery as JSON on standard input

POINT is a method of the writer (it dies once that has run, inside the transaction), `committed` (the delivery is
durable, the answer not yet sent), `taken` (the event is in hand), or `handed_on` (the target has it, we have not
noted it). The target appends queue id and event id to OUTPUT.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from chekt_mcp.hand_on.interface import HandedEvent, NotTaken
from chekt_mcp.operations.services import Services
from chekt_mcp.operations.webhook.deliver_due import deliver_due
from chekt_mcp.operations.webhook.receive_delivery import Arrival, take_in, verify_arrival
from chekt_mcp.operations.webhook.receiver_secrets import ReceiverSecrets
from world import Randomness, World


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class DyingWriter:
    """Passes everything on, and ends the process after one method."""

    def __init__(self, writer: Any, point: str) -> None:
        self._writer, self._point = writer, point

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        async def called(*arguments: Any) -> Any:
            outcome = await getattr(self._writer, name)(*arguments)
            if name == self._point:
                die()
            return outcome

        return called


class DyingStorage:
    """A store whose writer is a `DyingWriter`; `committed` ends the process after the first transaction."""

    def __init__(self, storage: Any, point: str) -> None:
        self._storage, self._point = storage, point
        self.read = storage.read

    async def write(self, work: Callable[[Any], Awaitable[Any]]) -> Any:
        outcome = await self._storage.write(lambda writer: work(DyingWriter(writer, self._point)))
        if self._point == "committed":
            die()
        return outcome


class Appending:
    """A target that writes down what it is given; with `handed_on` the process ends right after."""

    def __init__(self, output: Path, point: str) -> None:
        self._output, self._point = output, point

    async def hand_on(self, event: HandedEvent) -> NotTaken | None:
        if self._point == "taken":
            die()
        with self._output.open("a") as kept:
            kept.write(f"{event.queue_id} {event.event_id}\n")
        if self._point == "handed_on":
            die()
        return None

    async def close(self) -> None:
        pass

    def given(self) -> list[str]:
        """What every process has written down so far."""
        return self._output.read_text().splitlines() if self._output.exists() else []


async def receive(services: Services, headers: dict[str, str], body: bytes) -> str:
    """Take the delivery in; what the receiver would answer."""
    now = services.clock()
    arrival = Arrival("acme", "shop", list(headers.items()), body, now, "req_child")
    tried = await ReceiverSecrets(services, "acme").of("shop", now)
    return (await take_in(services, arrival, verify_arrival(services, arrival, tried), tried)).value


async def main(directory: Path, point: str, output: Path) -> None:
    world = World(directory, random=Randomness(str(os.getpid())))
    delivery = json.load(sys.stdin)
    storage: Any = DyingStorage(world.storage, point)
    services = replace(world.services(), storage=storage)
    await receive(services, delivery["headers"], delivery["body"].encode())
    await deliver_due(services, "acme", "shop", Appending(output, point))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])))
