"""Apps of the platform: taken in as they are, and again when CHeKT has given them something new."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chekt_mcp.auth.authenticate import authenticate
from chekt_mcp.domain.api_key import KeyKind, KeyState
from chekt_mcp.domain.app import Authority, Environment
from chekt_mcp.domain.scope import SERVER_SCOPES, Grant
from chekt_mcp.errors import ChektError, InvalidInput
from chekt_mcp.operations.apps.adopt_app import Adoption
from chekt_mcp.operations.apps.adopted_values import AdoptedValues
from chekt_mcp.operations.apps.app_plan import AppPlan
from chekt_mcp.operations.apps.readopt_app import Readopted, Readoption
from chekt_mcp.operations.keys.key_material import dealer_record, key_pair, open_secret
from chekt_mcp.operations.operator import at_terminal
from world import World

pytestmark = pytest.mark.anyio
OPERATOR = at_terminal("ada", "req_example")


def key(last: str) -> str:
    return f"chekt_test_EXAMPLEexample0000000000000000{last}"


def secret(last: str) -> str:
    return f"chekt_whsec_test_EXAMPLEexample0000000000000000{last}"


@pytest.fixture
async def adopted(world: World) -> World:
    await world.add_dealer("acme")
    values = AdoptedValues(key("AAAA"), secret("AAAA"), "203.0.113.7")
    plan = AppPlan("acme", "portal", Environment.TEST, frozenset(SERVER_SCOPES), allow_list=values.allow_list)
    await Adoption(world.services(), OPERATOR, plan, values).run()
    return world


async def readopt(world: World, **values: str) -> Readopted:
    return await Readoption(world.services(), OPERATOR, "acme", "portal", AdoptedValues(**values)).run()


async def opens(world: World, value: str) -> bool:
    grant, _ = await world.storage.read(lambda reader: authenticate(reader, value, world.clock()))
    return isinstance(grant, Grant)


async def current_secret(world: World) -> str:
    dealer = await world.storage.read(lambda reader: dealer_record(reader, "acme"))
    pair = await world.storage.read(lambda reader: key_pair(reader, "acme", "portal", KeyKind.SIGNING_SECRET))
    assert pair.current is not None
    return open_secret(world.sealer, dealer, pair.current)


async def test_an_adopted_key_opens_and_its_secret_verifies(adopted: World) -> None:
    assert await opens(adopted, key("AAAA"))
    assert await current_secret(adopted) == secret("AAAA")
    app = await adopted.storage.read(lambda reader: reader.app("acme", "portal"))
    assert app is not None
    assert app.authority is Authority.PLATFORM


async def test_the_old_key_works_for_24_hours_from_its_replacement(adopted: World) -> None:
    adopted.clock.forward(days=90)
    result = await readopt(adopted, api_key=key("BBBB"))
    assert [one.kind for one in result.replaced] == [KeyKind.API_KEY]
    assert await opens(adopted, key("BBBB"))
    adopted.clock.forward(hours=23, minutes=59)
    assert await opens(adopted, key("AAAA"))
    adopted.clock.forward(minutes=1)
    assert not await opens(adopted, key("AAAA"))
    assert await opens(adopted, key("BBBB"))


async def test_a_third_key_ends_the_first_at_once(adopted: World) -> None:
    await readopt(adopted, api_key=key("BBBB"))
    await readopt(adopted, api_key=key("CCCC"))
    assert not await opens(adopted, key("AAAA"))
    assert await opens(adopted, key("BBBB"))
    states = await adopted.storage.read(lambda reader: reader.keys("acme", "portal", KeyKind.API_KEY))
    assert sorted(one.key.state for one in states) == [KeyState.CURRENT, KeyState.PREVIOUS, KeyState.REVOKED]


async def test_a_new_secret_keeps_the_old_one_for_its_grace(adopted: World) -> None:
    await readopt(adopted, signing_secret=secret("BBBB"))
    assert await current_secret(adopted) == secret("BBBB")
    pair = await adopted.storage.read(lambda reader: key_pair(reader, "acme", "portal", KeyKind.SIGNING_SECRET))
    assert pair.live_previous(adopted.clock()) is not None
    assert await opens(adopted, key("AAAA"))


async def test_a_new_list_is_the_next_version(adopted: World) -> None:
    assert (await readopt(adopted, allow_list="198.51.100.0/24")).allow_list_version == 2
    version = await adopted.storage.read(lambda reader: reader.allow_list("acme", "portal"))
    assert version is not None
    assert (version.text, version.enabled, version.set_by) == ("198.51.100.0/24", True, "terminal:ada")


async def test_what_is_known_already_changes_and_logs_nothing(adopted: World) -> None:
    before = await adopted.entries(apps=("portal",))
    result = await readopt(adopted, api_key=key("AAAA"), signing_secret=secret("AAAA"), allow_list="203.0.113.7")
    assert (result.replaced, result.allow_list_version) == ((), None)
    assert await adopted.entries(apps=("portal",)) == before


async def test_a_key_of_the_past_is_not_taken_for_a_new_one_and_nothing_else_is_taken_with_it(adopted: World) -> None:
    await readopt(adopted, api_key=key("BBBB"))
    with pytest.raises(ChektError):
        await readopt(adopted, signing_secret=secret("CCCC"), api_key=key("AAAA"))
    assert await opens(adopted, key("BBBB"))
    assert await current_secret(adopted) == secret("AAAA")


async def test_a_replacement_is_logged_by_fingerprint(adopted: World) -> None:
    await readopt(adopted, api_key=key("BBBB"))
    [entry] = await adopted.entries(apps=("portal",), action="app.readopt")
    assert entry.actor == "terminal:ada"
    assert entry.details["api_key"] == "chekt_test_…BBBB"
    assert entry.details["previous_valid_until"] == "2026-07-02T12:00:00Z"
    assert key("BBBB") not in str(entry)


@given(st.text(max_size=300), st.sampled_from(["api_key", "signing_secret"]))
def test_no_text_that_is_no_credential_is_taken_or_echoed(text: str, field: str) -> None:
    values = AdoptedValues(**{field: text})
    with pytest.raises(InvalidInput) as refused:
        values.environment()
    assert refused.value.field == field
    assert len(text) < 12 or text not in str(refused.value)
    assert len(text) < 12 or text not in repr(values)


def test_a_list_of_chekt_is_taken_as_it_is_even_if_it_lets_everybody_in() -> None:
    assert AdoptedValues(allow_list="0.0.0.0/0").environment() is None


def test_key_and_secret_must_agree_on_the_environment() -> None:
    with pytest.raises(InvalidInput) as refused:
        AdoptedValues(key("AAAA").replace("test", "live"), secret("AAAA")).environment()
    assert refused.value.code == "mixed_environments"
