"""What an app may do and who confirms it: changed as asked, logged once, and only if something changed."""

from __future__ import annotations

import pytest

from chekt_mcp.domain.app import ConfirmBy
from chekt_mcp.domain.scope import Scope
from chekt_mcp.errors import NotFound
from chekt_mcp.operations.apps.app_settings import AppSettings
from chekt_mcp.operations.operator import at_terminal
from world import World

pytestmark = pytest.mark.anyio
OPERATOR = at_terminal("ada", "req_example")
NONE = frozenset[Scope]()


def settings(world: World, name: str = "shop") -> AppSettings:
    return AppSettings(world.services(), OPERATOR, "acme", name)


async def test_scopes_are_added_and_removed_and_count_from_the_next_call(world: World) -> None:
    await world.add_app("shop", scopes=(Scope.KEYS_READ,))
    await settings(world).scopes(frozenset({Scope.KEYS_WRITE}), frozenset({Scope.KEYS_READ}))
    app = await world.storage.read(lambda reader: reader.app("acme", "shop"))
    assert app is not None
    assert app.scopes == {Scope.KEYS_WRITE}
    [entry] = await world.entries(action="app.scopes")
    assert (entry.actor, entry.details["added"], entry.details["removed"]) == (
        "terminal:ada",
        "keys:write",
        "keys:read",
    )


async def test_asking_for_what_is_so_already_logs_nothing(world: World) -> None:
    await world.add_app("shop", scopes=(Scope.KEYS_READ,))
    await settings(world).scopes(frozenset({Scope.KEYS_READ}), frozenset({Scope.KEYS_WRITE}))
    await settings(world).confirm(ConfirmBy.CLIENT)
    assert await world.entries() == []


async def test_who_confirms_is_stored_and_logged(world: World) -> None:
    await world.add_app("shop")
    app = await settings(world).confirm(ConfirmBy.OUT_OF_BAND)
    assert app.confirm is ConfirmBy.OUT_OF_BAND
    [entry] = await world.entries(action="app.confirm")
    assert entry.details["confirm"] == "out_of_band"


async def test_an_app_of_another_dealer_is_unknown(world: World) -> None:
    await world.add_app("shop")
    await world.add_app("till", dealer="other")
    with pytest.raises(NotFound):
        await settings(world, "till").scopes(frozenset({Scope.KEYS_WRITE}), NONE)
