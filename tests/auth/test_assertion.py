"""A partner's assertion opens what its apps and its registration hold, once, for every worker and process."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from mcp.server.auth.provider import principal_components

from chekt_mcp.auth.access_token import AccessTokens, Issuer
from chekt_mcp.auth.assertion import Assertions
from chekt_mcp.auth.bearer import BearerTokens
from chekt_mcp.auth.granted import GrantedToken, Refused
from chekt_mcp.auth.token_problem import Fault
from chekt_mcp.domain.partner import Partner, UsedAssertion
from chekt_mcp.domain.scope import Scope
from chekt_mcp.errors import Conflict
from chekt_mcp.storage.sqlite import open_storage
from token_mint import Mint, key_set
from world import START, World

pytestmark = pytest.mark.anyio

AT = int(START.timestamp())
RESOURCE = "https://mcp.example.com/mcp"
SIGNS = Mint("ES256")
CLAIMS: Mapping[str, object] = {
    "iss": "https://partner.example.com",
    "aud": RESOURCE,
    "sub": "dispatch",
    "jti": "one",
    "iat": AT,
    "exp": AT + 300,
    "scope": "keys:read keys:write operators:read",
}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def world(tmp_path: Path) -> World:
    world = World(tmp_path / "state")
    await world.add_app("shop", scopes=(Scope.KEYS_READ, Scope.KEYS_WRITE))
    await world.add_app("kiosk", scopes=(Scope.KEYS_READ, Scope.OPERATORS_READ))
    await register(world, partner())
    return world


def partner(*apps: str, issuer: str = "https://partner.example.com", name: str = "monitoring") -> Partner:
    scopes = frozenset({Scope.KEYS_READ, Scope.OPERATORS_READ})
    return Partner("acme", name, issuer, "https://partner.example.com/jwks", apps or ("shop",), scopes, START)


async def register(world: World, one: Partner) -> None:
    await world.storage.write(lambda writer: writer.add_partner(one))


def verifier(world: World) -> BearerTokens:
    async def fetch(_url: str) -> bytes | None:
        return key_set(SIGNS.jwk, Mint("RS256", "rsa").jwk)

    return BearerTokens(world.storage, world.clock, None, Assertions(world.storage, RESOURCE, fetch))


def token(mint: Mint = SIGNS, typ: str | None = "JWT", **changed: object) -> str:
    claims = {name: value for name, value in {**CLAIMS, **changed}.items() if value is not None}
    return mint.token(claims, typ=typ)


async def granted(world: World, text: str) -> GrantedToken:
    found = await verifier(world).judge(text, world.clock())
    assert isinstance(found, GrantedToken), found
    return found


async def code(world: World, text: str, tokens: BearerTokens | None = None) -> str:
    found = await (tokens or verifier(world)).judge(text, world.clock())
    return found.problem.code if isinstance(found, Refused) else "granted"


async def test_an_assertion_opens_what_token_partner_and_app_all_hold(world: World) -> None:
    found = await granted(world, token())
    grant = found.grant
    assert (grant.credential, grant.principal) == ("assertion", "partner:monitoring#dispatch")
    assert (grant.dealer, grant.app, grant.apps) == ("acme", "shop", ("shop",))
    assert grant.scopes == {Scope.KEYS_READ}
    assert principal_components(found) == ("acme/partner:monitoring", "https://partner.example.com", "dispatch")


async def test_an_assertion_is_good_once_for_every_process_until_it_could_not_be_taken_anyway(world: World) -> None:
    assert await code(world, token()) == "granted"
    elsewhere = open_storage(world.directory)
    try:
        other = replace(verifier(world), storage=elsewhere)
        for later in (0, 300, 29):
            world.clock.forward(seconds=later)
            assert await code(world, token(), other) == Fault.USED
        world.clock.forward(seconds=1)
        assert await code(world, token(), other) == Fault.EXPIRED
    finally:
        await elsewhere.close()


async def test_of_many_at_once_one_is_taken(world: World) -> None:
    codes = await asyncio.gather(*(code(world, token()) for _ in range(20)))
    assert sorted(codes) == ["granted", *[Fault.USED] * 19]


async def test_another_assertion_and_another_partners_id_are_fresh(world: World) -> None:
    await register(world, partner(issuer="https://other.example.com", name="other"))
    assert await code(world, token()) == "granted"
    assert await code(world, token(jti="two")) == "granted"
    assert await code(world, token(iss="https://other.example.com")) == "granted"


async def test_what_is_refused_uses_nothing_up(world: World) -> None:
    forged = Mint("ES256", number=7)
    assert await code(world, token(forged)) == Fault.BAD_SIGNATURE
    assert await code(world, token(aud="https://other.example.com")) == Fault.WRONG_AUDIENCE
    assert isinstance(await verifier(world).judge(token(), world.clock(), use_up=False), GrantedToken)
    assert await code(world, token()) == "granted"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (token(Mint("RS256", "rsa")), Fault.WRONG_ALGORITHM),
        (token(typ="at+jwt"), Fault.WRONG_TYPE),
        (token(iss="https://unknown.example.com"), Fault.UNKNOWN_ISSUER),
        (token(iss=7), Fault.UNKNOWN_ISSUER),
        (token(aud=None), Fault.WRONG_AUDIENCE),
        (token(exp=AT + 601), Fault.TOO_LONG_LIVED),
        (token(iat=None), Fault.NO_TIMES),
        (token(iat=AT + 31), Fault.FROM_THE_FUTURE),
        (token(sub=None), Fault.NO_SUBJECT),
        (token(jti=None), Fault.NO_TOKEN_ID),
        (token(jti=""), Fault.NO_TOKEN_ID),
        (token(jti=1), Fault.NO_TOKEN_ID),
        (token(jti="j" * 129), Fault.NO_TOKEN_ID),
        (token(Mint("ES256", "unknown")), Fault.UNKNOWN_SIGNING_KEY),
    ],
)
async def test_an_assertion_that_is_not_right_is_refused(world: World, text: str, expected: Fault) -> None:
    assert await code(world, text) == expected


async def test_ten_minutes_are_allowed(world: World) -> None:
    assert await code(world, token(exp=AT + 600, typ=None)) == "granted"


async def test_a_partner_of_several_apps_holds_what_all_of_them_hold(world: World) -> None:
    await register(world, partner("kiosk", "shop", issuer="https://both.example.com", name="both"))
    grant = (await granted(world, token(iss="https://both.example.com"))).grant
    assert (grant.app, grant.apps) == ("kiosk", ("kiosk", "shop"))
    assert grant.scopes == {Scope.KEYS_READ}


async def test_a_partner_that_is_removed_opens_nothing_from_the_next_call_on(world: World) -> None:
    tokens = verifier(world)
    assert await code(world, token(), tokens) == "granted"
    assert await world.storage.write(lambda writer: writer.remove_partner("acme", "monitoring"))
    assert await code(world, token(jti="two"), tokens) == Fault.UNKNOWN_ISSUER
    await register(world, partner())
    assert await code(world, token(), tokens) == Fault.USED


async def test_a_partner_registered_with_other_keys_is_not_held_to_the_old_ones(world: World) -> None:
    published = {"https://partner.example.com/jwks": key_set(SIGNS.jwk), "https://new.example.com": key_set()}

    async def fetch(url: str) -> bytes | None:
        return published[url]

    tokens = replace(verifier(world), assertions=Assertions(world.storage, RESOURCE, fetch))
    assert await code(world, token(), tokens) == "granted"
    await world.storage.write(lambda writer: writer.remove_partner("acme", "monitoring"))
    await register(world, replace(partner(), jwks="https://new.example.com"))
    assert await code(world, token(jti="two"), tokens) == Fault.UNKNOWN_SIGNING_KEY
    assert tokens.assertions is not None
    assert len(tokens.assertions.keys) == 1


async def test_a_partner_cannot_sign_as_the_issuer_of_access_tokens(world: World) -> None:
    async def keys(_url: str) -> bytes | None:
        return key_set(SIGNS.jwk)

    oauth = AccessTokens(world.storage, Issuer("https://partner.example.com"), RESOURCE)
    tokens = BearerTokens(world.storage, world.clock, oauth, Assertions(world.storage, RESOURCE, keys))
    assert await code(world, token(), tokens) == Fault.OPAQUE


async def test_a_name_and_an_issuer_are_given_once(world: World) -> None:
    for taken in (partner(name="second"), partner(issuer="https://second.example.com")):
        with pytest.raises(Conflict) as refused:
            await register(world, taken)
        assert refused.value.code == "partner_exists"


async def test_used_ids_are_forgotten_when_their_time_is_over(world: World) -> None:
    async def use(number: int, minutes: int) -> bool:
        now = START + timedelta(minutes=minutes)
        used = UsedAssertion("https://partner.example.com", bytes([number]), now, now + timedelta(minutes=5))
        return await world.storage.write(lambda writer: writer.use_assertion(used))

    assert [await use(1, 0), await use(1, 4), await use(2, 4), await use(1, 5)] == [True, False, True, True]
