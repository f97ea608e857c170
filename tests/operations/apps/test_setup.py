"""New apps: their values are in somebody's hands before they are in force, or they never are."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

import pytest

from chekt_mcp.auth.authenticate import authenticate
from chekt_mcp.domain.api_key import KeyKind
from chekt_mcp.domain.app import ConfirmBy, Environment
from chekt_mcp.domain.audit import NewEntry
from chekt_mcp.domain.scope import SERVER_SCOPES, Grant
from chekt_mcp.errors import ChektError, DeliveryFailed
from chekt_mcp.operations.apps.app_plan import AppPlan
from chekt_mcp.operations.apps.setup import Minted, Setup
from chekt_mcp.operations.keys.key_material import dealer_record, key_pair, open_secret
from chekt_mcp.operations.operator import at_terminal
from chekt_mcp.storage.interface import Reader
from chekt_mcp.storage.records import Approver
from world import World

pytestmark = pytest.mark.anyio
OPERATOR = at_terminal("ada", "req_example")
PLAN = AppPlan("acme", "till", Environment.TEST, frozenset(SERVER_SCOPES))
APPROVER = Approver("acme", b"salt", b"hash")


@dataclass
class Hands:
    """Takes what is handed over, and can do something meanwhile or refuse."""

    meanwhile: Callable[[], Awaitable[object]] | None = None
    refuse: ChektError | None = None
    held: list[Minted] = field(default_factory=list)

    async def deliver(self, minted: Minted) -> None:
        if self.refuse:
            raise self.refuse
        self.held.append(minted)
        if self.meanwhile:
            await self.meanwhile()

    async def withdraw(self) -> None:
        self.held.clear()


def setup(world: World, plan: AppPlan = PLAN, approver: Approver | None = None, *, dealer: bool = True) -> Setup:
    return Setup(world.services(), OPERATOR, plan, approver, create_dealer=dealer)


async def app_names(world: World) -> list[str]:
    return [app.name for app in await world.storage.read(lambda reader: reader.apps("acme"))]


async def log(world: World) -> list[NewEntry]:
    async def work(reader: Reader) -> list[NewEntry]:
        return list(await reader.entries_by_request_id("acme", OPERATOR.request_id, 100))

    return await world.storage.read(work)


async def test_the_key_opens_what_was_planned_and_the_secret_can_be_used(world: World) -> None:
    hands = Hands()
    await setup(world).run(hands)
    [minted] = hands.held
    grant, _ = await world.storage.read(lambda reader: authenticate(reader, minted.api_key, world.clock()))
    assert isinstance(grant, Grant)
    assert (grant.dealer, grant.app, grant.scopes) == ("acme", "till", frozenset(SERVER_SCOPES))
    dealer = await world.storage.read(lambda reader: dealer_record(reader, "acme"))
    pair = await world.storage.read(lambda reader: key_pair(reader, "acme", "till", KeyKind.SIGNING_SECRET))
    assert pair.current is not None
    assert open_secret(world.sealer, dealer, pair.current) == minted.signing_secret


async def test_nothing_is_in_force_while_the_values_are_handed_over(world: World) -> None:
    async def look() -> None:
        assert await app_names(world) == []
        assert not await world.storage.read(lambda reader: reader.dealers())

    hands = Hands(meanwhile=look)
    await setup(world).run(hands)
    assert await app_names(world) == ["till"]


async def test_a_handover_that_fails_leaves_no_app_and_no_dealer(world: World) -> None:
    with pytest.raises(DeliveryFailed):
        await setup(world).run(Hands(refuse=DeliveryFailed("The disk is full.")))
    assert not await world.storage.read(lambda reader: reader.dealers())


async def test_a_crash_after_the_handover_leaves_a_value_that_opens_nothing(world: World) -> None:
    async def crash() -> None:
        raise SystemExit

    hands = Hands(meanwhile=crash)
    with pytest.raises(SystemExit):
        await setup(world).run(hands)
    assert not await world.storage.read(lambda reader: reader.dealers())
    [minted] = hands.held
    grant, _ = await world.storage.read(lambda reader: authenticate(reader, minted.api_key, world.clock()))
    assert not isinstance(grant, Grant)


async def test_who_comes_second_takes_its_values_back_and_leaves_the_first_in_force(world: World) -> None:
    first = Hands()
    second = Hands(meanwhile=lambda: setup(world).run(first))
    with pytest.raises(ChektError) as refused:
        await setup(world).run(second)
    assert refused.value.code == "dealer_exists"
    assert second.held == []
    [minted] = first.held
    grant, _ = await world.storage.read(lambda reader: authenticate(reader, minted.api_key, world.clock()))
    assert isinstance(grant, Grant)


async def test_all_that_was_done_is_in_the_log_without_a_value(world: World) -> None:
    hands = Hands()
    plan = replace(PLAN, environment=Environment.LIVE, allow_list="203.0.113.7")
    await setup(world, plan, APPROVER).run(hands)
    entries = await log(world)
    assert {entry.action for entry in entries} == {"dealer.create", "approver.passphrase.set", "app.create"}
    assert {(entry.actor, entry.source, entry.kind) for entry in entries} == {
        ("terminal:ada", "terminal", "operator_action")
    }
    assert hands.held[0].api_key not in str(entries)
    assert hands.held[0].api_key[-4:] in str(entries)


async def test_a_live_app_is_approved_out_of_band_unless_said_otherwise(world: World) -> None:
    rows = await setup(world, replace(PLAN, environment=Environment.LIVE), APPROVER).run(Hands())
    assert rows.app.confirm is ConfirmBy.OUT_OF_BAND
    chosen = replace(PLAN, name="other", environment=Environment.LIVE, confirm=ConfirmBy.CLIENT)
    rows = await setup(world, chosen, dealer=False).run(Hands())
    assert rows.app.confirm is ConfirmBy.CLIENT


@pytest.mark.parametrize(
    ("plan", "code"),
    [
        (replace(PLAN, environment=Environment.LIVE), "passphrase_required"),
        (replace(PLAN, name="shop"), "app_exists"),
        (replace(PLAN, covers=("nobody",)), "unknown_app"),
        (replace(PLAN, covers=("till",)), "unknown_app"),
    ],
)
async def test_what_the_dealer_may_not_have_is_refused_before_anything_is_handed_over(
    world: World, plan: AppPlan, code: str
) -> None:
    await world.add_app("shop")
    hands = Hands()
    with pytest.raises(ChektError) as refused:
        await setup(world, plan, dealer=False).run(hands)
    assert refused.value.code == code
    assert hands.held == []
    assert await app_names(world) == ["shop"]


async def test_values_do_not_show_when_the_minted_are_printed(world: World) -> None:
    hands = Hands()
    await setup(world).run(hands)
    assert "chekt_" not in repr(hands.held)
