"""A delivery belongs to one receiver at a time, and once it is done, to none."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

import storage_samples as sample
from chekt_mcp.domain.webhook import Claim
from chekt_mcp.errors import Conflict, NotFound
from chekt_mcp.storage.interface import Storage, Writer
from chekt_mcp.storage.records import DeliveryClaim

pytestmark = pytest.mark.anyio
AFTER_THE_LEASE = {"claimed_at": sample.NOW + sample.MINUTE, "lease_until": sample.NOW + 2 * sample.MINUTE}


async def claimed(storage: Storage, claim: DeliveryClaim) -> Claim:
    return await storage.write(lambda writer: writer.claim_delivery(claim))


async def completed(storage: Storage, claim: DeliveryClaim) -> bool:
    return await storage.write(lambda writer: writer.complete_claim(claim))


async def test_a_new_delivery_is_granted_and_then_held(storage: Storage) -> None:
    assert await claimed(storage, sample.claim()) is Claim.GRANTED
    assert await claimed(storage, sample.claim("clm_2")) is Claim.HELD


async def test_a_lease_that_ran_out_lets_the_retry_through(storage: Storage) -> None:
    await claimed(storage, sample.claim())
    just_before = replace(sample.claim("clm_2", **AFTER_THE_LEASE), claimed_at=sample.NOW + sample.MINUTE - sample.TICK)
    assert await claimed(storage, just_before) is Claim.HELD
    assert await claimed(storage, sample.claim("clm_2", **AFTER_THE_LEASE)) is Claim.GRANTED


async def test_a_completed_delivery_stays_completed_after_its_lease(storage: Storage) -> None:
    await claimed(storage, sample.claim())
    assert await completed(storage, sample.claim())
    assert await claimed(storage, sample.claim("clm_2", **AFTER_THE_LEASE)) is Claim.COMPLETED


@pytest.mark.parametrize("change", [{"digest": b"signed afresh"}, {"event_id": "evt_2"}, {"event_id": None}])
async def test_the_digest_or_the_event_alone_recognises_it(storage: Storage, change: dict[str, Any]) -> None:
    await claimed(storage, sample.claim())
    assert await claimed(storage, sample.claim("clm_2", **change)) is Claim.HELD
    await completed(storage, sample.claim())
    assert await claimed(storage, sample.claim("clm_2", **change)) is Claim.COMPLETED


async def test_a_refused_claim_leases_nothing(storage: Storage) -> None:
    await claimed(storage, sample.claim())
    await claimed(storage, sample.claim("clm_2", digest=b"signed afresh"))
    assert await claimed(storage, sample.claim("clm_3", digest=b"signed afresh", event_id="evt_3")) is Claim.GRANTED


async def test_who_lost_the_lease_cannot_complete(storage: Storage) -> None:
    await claimed(storage, sample.claim())
    await claimed(storage, sample.claim("clm_2", **AFTER_THE_LEASE))
    assert not await completed(storage, sample.claim())
    assert await completed(storage, sample.claim("clm_2", **AFTER_THE_LEASE))


async def test_who_lost_a_part_of_it_cannot_complete(storage: Storage) -> None:
    await claimed(storage, sample.claim())
    await claimed(storage, sample.claim("clm_2", digest=b"signed afresh", **AFTER_THE_LEASE))
    assert not await completed(storage, sample.claim())
    assert await claimed(storage, sample.claim("clm_3", event_id=None, **AFTER_THE_LEASE)) is Claim.GRANTED


async def test_a_digest_and_an_event_are_each_remembered_until_their_own_end(storage: Storage) -> None:
    one = sample.claim()
    await claimed(storage, one)
    await completed(storage, one)
    for at, digest, event in (
        (one.digest_until - sample.TICK, Claim.COMPLETED, Claim.COMPLETED),
        (one.digest_until, Claim.GRANTED, Claim.COMPLETED),
        (one.event_until, Claim.GRANTED, Claim.GRANTED),
    ):
        when = {"claimed_at": at, "lease_until": at, "digest_until": at, "event_until": at}
        assert await claimed(storage, sample.claim("clm_d", event_id=None, **when)) is digest
        assert await claimed(storage, sample.claim("clm_e", digest=b"another", **when)) is event


async def test_a_claim_is_of_one_app_of_one_dealer(storage: Storage) -> None:
    await claimed(storage, sample.claim())
    assert await claimed(storage, sample.claim("clm_2", dealer="other")) is Claim.GRANTED
    with pytest.raises(NotFound):
        await claimed(storage, sample.claim("clm_3", app="nobody"))


async def test_of_many_that_claim_at_once_one_is_granted(storage: Storage) -> None:
    claims = [sample.claim(f"clm_{number}") for number in range(40)]
    found = await asyncio.gather(*(claimed(storage, one) for one in claims))
    assert sorted(found) == [Claim.GRANTED, *[Claim.HELD] * 39]


async def test_what_is_rolled_back_was_never_claimed(storage: Storage) -> None:
    async def fail(writer: Writer) -> None:
        await writer.claim_delivery(sample.claim())
        await writer.enqueue_event(sample.queued())
        await writer.complete_claim(sample.claim())
        raise Conflict("Something after it failed.")

    with pytest.raises(Conflict):
        await storage.write(fail)
    assert await claimed(storage, sample.claim("clm_2")) is Claim.GRANTED
    assert (await storage.read(lambda reader: reader.event_queue("acme", "shop"))).waiting == 0


async def test_a_restart_forgets_no_claim(storage: Storage, open_same: Callable[[], Storage]) -> None:
    await claimed(storage, sample.claim())
    await completed(storage, sample.claim())
    await storage.close()
    again = open_same()
    assert await claimed(again, sample.claim("clm_2")) is Claim.COMPLETED
    await again.close()
