"""Verdicts on addresses in words: sentences that agree with their numbers."""

from __future__ import annotations

import pytest

from chekt_mcp.operations.allow_list.check_address import check_addresses, summary
from chekt_mcp.operations.allow_list.compiled_lists import CompiledLists
from world import World

pytestmark = pytest.mark.anyio


async def words(world: World, *addresses: str) -> list[str]:
    return summary(
        await world.storage.read(lambda reader: check_addresses(reader, CompiledLists(), "acme", "shop", addresses))
    ).splitlines()


async def test_every_verdict_is_followed_by_a_whole_sentence(world: World) -> None:
    await world.add_app("shop", allow_list="198.51.100.0/24\n2001:db8::/32")
    assert await words(world, "198.51.100.7", "198.51.101.2", "2001:db9::", "9000::") == [
        "Allow list of shop: version 1, 2 entries.",
        "198.51.100.7: allowed. Inside 198.51.100.0/24.",
        "198.51.101.2: denied. Outside 198.51.100.0/24 by 3 addresses.",
        "2001:db9::: denied. Outside 2001:db8::/32 by 1 address.",
        "9000::: denied. Far outside 2001:db8::/32, by at least 2^126 addresses.",
    ]


async def test_one_entry_is_not_called_entries(world: World) -> None:
    await world.add_app("shop", allow_list="198.51.100.0/24")
    said = await words(world, "2001:db8::1")
    assert said == [
        "Allow list of shop: version 1, 1 entry.",
        "2001:db8::1: denied. The list has no IPv6 entries.",
    ]


async def test_without_a_list_the_reason_says_that_none_is_checked(world: World) -> None:
    await world.add_app("shop")
    assert (await words(world, "192.0.2.1"))[1] == (
        "192.0.2.1: no_allow_list. This app has no allow list, so no address is checked."
    )


async def test_what_is_no_address_is_told_why_in_the_refusals_own_sentences(world: World) -> None:
    await world.add_app("shop", allow_list="198.51.100.0/24")
    said = (await words(world, "198.51.100.007"))[1]
    assert said.startswith("198.51.100.007: invalid. Leading zeros are refused: some programs read 010 as 8.")
    assert said.endswith(" without them.")
