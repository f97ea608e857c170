"""Every course that rotations can take, with crashes anywhere, against a plain model of what is then in force.

The model knows: one key in force, one in its time of grace, one that waits. The program has transactions, leases,
approvals and sealed copies; whatever happens, exactly the model's keys open anything.
"""

from __future__ import annotations

import asyncio
import itertools
import tempfile
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from chekt_mcp.auth.authenticate import authenticate
from chekt_mcp.domain.api_key import KeyKind
from chekt_mcp.domain.rotation import DELIVERY_LEASE, Reason, RotationState
from chekt_mcp.domain.scope import SERVER_SCOPES, Grant
from chekt_mcp.errors import ChektError, DeliveryFailed
from chekt_mcp.operations.approvals import Decider
from chekt_mcp.operations.change import Ask, Change, Request, advance, answered
from chekt_mcp.operations.keys.open_rotation import open_rotation
from chekt_mcp.operations.keys.recovery import recover
from chekt_mcp.operations.keys.revoke_previous import Revoke
from chekt_mcp.operations.keys.rotate_key import AGAIN, Rotate
from chekt_mcp.operations.keys.undecided_rotation import UndecidedRotation
from chekt_mcp.operations.operator import at_terminal
from chekt_mcp.operations.services import Call, Services
from chekt_mcp.secrets.interface import DELIVERY_UNKNOWN, Sink
from world import START, World

GRACE = timedelta(hours=24)
PLANS = st.sampled_from(["arrives", "is refused", "is lost, kept", "is lost, gone", "dies before", "dies after"])
DEATHS = st.none() | st.tuples(st.integers(1, 4), st.booleans())
"""None, or the transaction at which the process dies, and whether that was kept."""

MARIA = at_terminal("maria", "req_maria")


class Killed(BaseException):
    """The process is gone; nothing in it runs on."""


class Ledger:
    """A place for keys that does what it is told, and remembers what it got."""

    name, target, reference = "ledger", "{}", "the ledger"

    def __init__(self) -> None:
        self.plan = "arrives"
        self.got: list[str] = []

    async def prove(self) -> None:
        """Always fit."""

    async def deliver(self, value: str) -> None:
        if self.plan == "dies before":
            raise Killed
        if self.plan in {"arrives", "is lost, kept", "dies after"}:
            self.got.append(value)
        if self.plan == "dies after":
            raise Killed
        if self.plan == "is refused":
            raise DeliveryFailed("No.")
        if self.plan.startswith("is lost"):
            raise DeliveryFailed("Perhaps.", code=DELIVERY_UNKNOWN)

    def choose(self, *_: object, **__: object) -> Sink:
        return self

    def restore(self, *_: object) -> Sink:
        return self


class Mortal:
    """A storage whose process dies at a given write, before or after it is kept."""

    def __init__(self, real: Any) -> None:
        self._real = real
        self.death: tuple[int, bool] | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    async def write(self, work: Any) -> Any:
        if self.death is None:
            return await self._real.write(work)
        left, kept = self.death[0] - 1, self.death[1]
        self.death = (left, kept)
        if left == 0 and not kept:
            raise Killed
        result = await self._real.write(work)
        if left == 0:
            raise Killed
        return result


@dataclass
class Model:
    """What should be in force. `waiting`: the state of a rotation that is not over, with its lease and its key."""

    current: str
    previous: tuple[str, datetime] | None = None
    waiting: str = ""
    lease_until: datetime = START
    revokes: bool = False
    promised: str | None = None
    seen: set[str] = field(default_factory=set)

    def complete(self, value: str, now: datetime) -> None:
        self.previous = None if self.revokes else (self.current, now + GRACE)
        self.current, self.waiting, self.promised = value, "", None

    def live(self, now: datetime) -> set[str]:
        return {self.current} | ({self.previous[0]} if self.previous and now < self.previous[1] else set())


class Rotations(RuleBasedStateMachine):
    """Callers, processes that die, a person, and time."""

    @initialize()
    def begin(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.directory = tempfile.TemporaryDirectory()
        self.world = World(Path(self.directory.name) / "state")
        self.ledger = Ledger()
        self.asked = itertools.count()  # so that every asking is a new one, whose approval nobody has decided yet
        self.model = Model(self.do(self.world.add_app("shop")))
        self.model.seen.add(self.model.current)

    def teardown(self) -> None:
        self.do(self.world.storage.close())
        self.loop.close()
        self.directory.cleanup()

    def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(work)

    def process(self, plan: str = "arrives", death: tuple[int, bool] | None = None) -> Services:
        """Start a process."""
        self.ledger.plan = plan
        storage = Mortal(self.world.storage)
        storage.death = death
        return replace(self.world.services(), storage=storage, sinks=self.ledger)

    @rule(plan=PLANS, death=DEATHS, revoke=st.booleans(), force=st.booleans())
    def rotate(self, plan: str, death: tuple[int, bool] | None, revoke: bool, force: bool) -> None:  # noqa: FBT001 -- drawn
        if self._left_behind():
            self.recover("arrives", None)
        services, before = self.process(plan, death), len(self.ledger.got)
        outcome = self._confirmed(
            services,
            lambda request: Rotate(
                services, request, KeyKind.API_KEY, Reason.OTHER, revoke_previous_now=revoke, force=force
            ),
            {"asked": next(self.asked)},
        )
        if self.model.waiting == "delivering":
            assert outcome in {"in_progress", "died"}
        elif self._in_grace() and not force:
            assert outcome in {"grace_period_active", "died"}
        else:
            self._rotated(plan, death, outcome, revoke, before)

    def _rotated(
        self,
        plan: str,
        death: tuple[int, bool] | None,
        outcome: str,
        revoke: bool,  # noqa: FBT001 -- as it was drawn
        before: int,
    ) -> None:
        arrived = self.ledger.got[before:]
        at, kept = death or (9, False)
        if at < 3 or (at == 3 and not kept):
            assert (outcome, arrived) == ("died", [])
            return
        now = self.world.clock()
        self.model.revokes, self.model.promised = revoke, arrived[-1] if arrived else None
        self.model.waiting, self.model.lease_until = "delivering", now + DELIVERY_LEASE
        if at == 3 or plan.startswith("dies") or (at == 4 and not kept):
            assert outcome == "died"
        elif plan == "arrives":
            self.model.complete(arrived[-1], now)
            assert outcome in {"rotated", "died"}
        elif plan == "is refused":
            self.model.waiting = ""
            assert outcome in {"delivery_failed", "died"}
        else:
            self.model.waiting = "unknown"
            assert outcome in {"delivery_unknown", "died"}

    @rule(plan=PLANS, death=st.none() | st.tuples(st.integers(1, 3), st.booleans()))
    def recover(self, plan: str, death: tuple[int, bool] | None) -> None:
        left, before = self._left_behind(), len(self.ledger.got)
        died = self._dies(recover(self.process(plan, death)))
        if left:
            # Transactions: 1 what the clock has ended, 2 the lease, 3 the end.
            claimed = death is None or death[0] > 2 or (death[0] == 2 and death[1])
            ended = not plan.startswith("dies") and (death is None or (death[0] == 3 and death[1]))
            self._delivered_again(plan, before, claimed=claimed, ended=ended)
        else:
            reached = 2 if self.model.waiting == "delivering" else 1  # a lease is asked for and not given
            assert died == (death is not None and death[0] <= reached)
            assert len(self.ledger.got) == before

    @rule(plan=PLANS)
    def a_person_delivers(self, plan: str) -> None:
        if (person := self._person(self.process(plan))) is None:
            return
        before, possible = len(self.ledger.got), self.model.waiting == "unknown" or self._left_behind()
        self._dies(self._refused(person.deliver()))
        if possible:
            self._delivered_again(plan, before, claimed=True, ended=not plan.startswith("dies"))
        assert possible or len(self.ledger.got) == before

    @rule()
    def a_person_gives_it_up(self) -> None:
        if (person := self._person(self.process())) is None:
            return
        if self.model.waiting == "unknown" or self._left_behind():
            self.model.waiting, self.model.promised = "", None
        self.do(self._refused(person.discard()))

    @rule()
    def a_person_revokes(self) -> None:
        services = self.process()
        outcome = self._confirmed(services, lambda request: Revoke(services, request, KeyKind.API_KEY), {})
        assert outcome == ("revoked" if self._in_grace() else "nothing_to_revoke")
        self.model.previous = None

    @rule(minutes=st.sampled_from([1, 2, 3, 30, 60 * 12, 60 * 24]))
    def time_passes(self, minutes: int) -> None:
        self.world.clock.forward(minutes=minutes)

    @invariant()
    def exactly_the_models_keys_open_anything(self) -> None:
        if not hasattr(self, "model"):
            return
        now = self.world.clock()
        self.model.seen.update(self.ledger.got)
        opening = {value for value in self.model.seen if isinstance(self._grant(value, now), Grant)}
        assert opening == self.model.live(now)

    @invariant()
    def no_key_waits_but_the_models(self) -> None:
        if not hasattr(self, "model"):
            return
        waiting = self.do(
            self.world.storage.read(lambda reader: open_rotation(reader, "acme", "shop", KeyKind.API_KEY))
        )
        expected = {"": None, "delivering": RotationState.DELIVERING, "unknown": RotationState.DELIVERY_UNKNOWN}
        assert (waiting.state if waiting else None) is expected[self.model.waiting]
        assert waiting is None or waiting.sealed

    def _delivered_again(self, plan: str, before: int, *, claimed: bool, ended: bool) -> None:
        if not claimed:
            assert len(self.ledger.got) == before
            return
        now, arrived = self.world.clock(), self.ledger.got[before:]
        if arrived and self.model.promised:
            assert arrived[-1] == self.model.promised, "another key than the one that waited"
        if arrived:
            self.model.promised = arrived[-1]
        self.model.waiting, self.model.lease_until = "delivering", now + DELIVERY_LEASE
        if ended and plan == "arrives":
            self.model.complete(arrived[-1], now)
        elif ended:
            self.model.waiting = "unknown"

    def _left_behind(self) -> bool:
        return self.model.waiting == "delivering" and self.world.clock() >= self.model.lease_until

    def _in_grace(self) -> bool:
        return self.model.previous is not None and self.world.clock() < self.model.previous[1]

    def _grant(self, value: str, now: datetime) -> object:
        return self.do(self.world.storage.read(lambda reader: authenticate(reader, value, now)))[0]

    def _person(self, services: Services) -> UndecidedRotation | None:
        waiting = self.do(
            self.world.storage.read(lambda reader: open_rotation(reader, "acme", "shop", KeyKind.API_KEY))
        )
        return UndecidedRotation(services, MARIA, waiting) if waiting else None

    def _dies(self, work: Coroutine[Any, Any, Any]) -> bool:
        try:
            self.do(work)
        except Killed:
            return True
        return False

    async def _refused(self, work: Coroutine[Any, Any, Any]) -> None:
        with suppress(ChektError):
            await work

    def _confirmed(
        self, services: Services, change_of: Callable[[Request], Change], arguments: dict[str, object]
    ) -> str:
        """Ask, have a person confirm, and return status or code, or "died"."""
        grant = Grant("acme", "app:shop", "api_key", "shop", ("shop",), frozenset(SERVER_SCOPES))
        call = Call(grant, "req_model", self.world.clock(), "stdio")
        change = change_of(Request(call, "a_tool", "shop", arguments))

        async def ask() -> Any:
            step = await advance(services, change)
            if not isinstance(step, Ask):
                return step
            typed = {"app": "shop", "override": AGAIN}
            return await answered(services, change, step.approval, Decider("terminal:maria", "terminal"), typed)

        try:
            outcome = self.do(ask())
        except Killed:
            return "died"
        return str(outcome.get("code") or outcome["status"])


Rotations.TestCase.settings = settings(
    max_examples=60, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
)
TestRotations = Rotations.TestCase
