"""Partners, and the assertions of theirs that are used up, as every engine keeps them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest

import storage_samples as sample
from chekt_mcp.domain.partner import Partner, UsedAssertion
from chekt_mcp.domain.scope import Scope
from chekt_mcp.errors import Conflict
from chekt_mcp.storage.interface import Storage

pytestmark = pytest.mark.anyio

PARTNER = Partner(
    dealer="acme",
    name="monitoring",
    issuer="https://partner.example.com",
    jwks="https://partner.example.com/jwks",
    apps=("shop", "kiosk"),
    scopes=frozenset({Scope.KEYS_READ, Scope.OPERATORS_READ}),
    created_at=sample.NOW,
)
USED = UsedAssertion(PARTNER.issuer, b"\x01" * 32, sample.NOW, sample.NOW + sample.MINUTE)


async def add(storage: Storage, partner: Partner) -> None:
    await storage.write(lambda writer: writer.add_partner(partner))


async def use(storage: Storage, used: UsedAssertion) -> bool:
    return await storage.write(lambda writer: writer.use_assertion(used))


async def test_a_partner_comes_back_as_it_was_stored(storage: Storage) -> None:
    other = replace(PARTNER, dealer="other", issuer="https://other.example.com", scopes=frozenset())
    for one in (PARTNER, other):
        await add(storage, one)
    assert await storage.read(lambda reader: reader.partner_by_issuer(PARTNER.issuer)) == PARTNER
    assert await storage.read(lambda reader: reader.partner_by_issuer(other.issuer)) == other
    assert await storage.read(lambda reader: reader.partner_by_issuer("https://nobody.example.com")) is None
    assert list(await storage.read(lambda reader: reader.partners("acme"))) == [PARTNER]


@pytest.mark.parametrize(
    "taken",
    [
        replace(PARTNER, issuer="https://second.example.com"),
        replace(PARTNER, name="second"),
        replace(PARTNER, dealer="other", name="second"),
    ],
)
async def test_a_name_is_given_once_to_a_dealer_and_an_issuer_once_to_all(storage: Storage, taken: Partner) -> None:
    await add(storage, PARTNER)
    with pytest.raises(Conflict) as refused:
        await add(storage, taken)
    assert refused.value.code == "partner_exists"


async def test_a_partner_is_forgotten_by_its_own_dealer_only(storage: Storage) -> None:
    await add(storage, PARTNER)
    assert not await storage.write(lambda writer: writer.remove_partner("other", "monitoring"))
    assert await storage.write(lambda writer: writer.remove_partner("acme", "monitoring"))
    assert not await storage.write(lambda writer: writer.remove_partner("acme", "monitoring"))
    assert await storage.read(lambda reader: reader.partner_by_issuer(PARTNER.issuer)) is None


async def test_an_assertion_is_used_up_once_for_everybody(open_same: Callable[[], Storage], storage: Storage) -> None:
    elsewhere = open_same()
    try:
        taken = await asyncio.gather(*(use(one, USED) for one in (storage, elsewhere) * 8))
    finally:
        await elsewhere.close()
    assert taken.count(True) == 1


async def test_another_issuers_assertion_of_the_same_id_is_fresh(storage: Storage) -> None:
    assert await use(storage, USED)
    assert await use(storage, replace(USED, issuer="https://other.example.com"))


async def test_a_used_assertion_is_remembered_until_it_could_not_be_taken(storage: Storage) -> None:
    assert await use(storage, USED)
    assert not await use(storage, replace(USED, used_at=USED.keep_until - sample.MINUTE / 60))
    assert await use(storage, replace(USED, used_at=USED.keep_until, keep_until=USED.keep_until + sample.MINUTE))
