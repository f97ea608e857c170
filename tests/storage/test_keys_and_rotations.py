from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

import storage_samples as sample
from chekt_mcp.domain.api_key import KeyKind, KeyState
from chekt_mcp.domain.rotation import RotationState
from chekt_mcp.errors import Conflict, NotFound
from chekt_mcp.storage.interface import Storage
from chekt_mcp.storage.records import GoneSource

pytestmark = pytest.mark.anyio


async def test_a_key_is_found_by_its_hash_whatever_its_state(storage: Storage) -> None:
    revoked = sample.key(state=KeyState.REVOKED, revoked_at=sample.NOW, valid_until=sample.NOW + sample.DAY)
    await storage.write(lambda writer: writer.add_key(revoked))
    assert revoked.value_hash is not None
    value_hash = revoked.value_hash
    assert await storage.read(lambda reader: reader.key_by_hash(value_hash)) == revoked.key
    assert await storage.read(lambda reader: reader.key_by_hash(b"unknown")) is None


async def test_a_signing_secret_is_no_api_key_even_with_a_hash(storage: Storage) -> None:
    secret = sample.key("key_s", kind=KeyKind.SIGNING_SECRET, value_hash=b"h" * 32)
    await storage.write(lambda writer: writer.add_key(secret))
    assert await storage.read(lambda reader: reader.key_by_hash(b"h" * 32)) is None


async def test_the_same_value_twice_is_a_conflict_across_dealers(storage: Storage) -> None:
    await storage.write(lambda writer: writer.add_key(sample.key(value_hash=b"h" * 32)))
    again = sample.key("key_2", dealer="other", value_hash=b"h" * 32)
    with pytest.raises(Conflict):
        await storage.write(lambda writer: writer.add_key(again))


async def test_keys_come_newest_first_of_one_kind_and_without_void_ones(storage: Storage) -> None:
    kept = [
        sample.key("key_1", state=KeyState.PREVIOUS, valid_until=sample.NOW + sample.DAY),
        sample.key("key_2", created_at=sample.NOW + sample.HOUR),
        sample.key("key_3", created_at=sample.NOW + sample.HOUR, state=KeyState.PENDING),
    ]
    left_out = [
        sample.key("key_v", state=KeyState.VOID),
        sample.key("key_s", kind=KeyKind.SIGNING_SECRET, sealed=b"sealed"),
        sample.key("key_o", dealer="other"),
    ]
    for one in kept + left_out:
        await storage.write(sample.work("add_key", one))
    assert list(await storage.read(lambda reader: reader.keys("acme", "shop", KeyKind.API_KEY))) == kept[::-1]


async def test_a_secret_keeps_its_sealed_value(storage: Storage) -> None:
    secret = sample.key("key_s", kind=KeyKind.SIGNING_SECRET, sealed=b"\0sealed\xff")
    await storage.write(lambda writer: writer.add_key(secret))
    assert list(await storage.read(lambda reader: reader.keys("acme", "shop", KeyKind.SIGNING_SECRET))) == [secret]


async def test_update_stores_state_and_times_of_a_key_only(storage: Storage) -> None:
    one = sample.key()
    await storage.write(lambda writer: writer.add_key(one))
    retired = replace(one.key, state=KeyState.PREVIOUS, valid_until=sample.NOW + sample.DAY, revoked_at=sample.NOW)
    await storage.write(lambda writer: writer.update_key(replace(retired, fingerprint="other")))
    assert [kept.key for kept in await storage.read(lambda reader: reader.keys("acme", "shop", KeyKind.API_KEY))] == [
        retired
    ]


@pytest.mark.parametrize("changes", [{"key_id": "key_unknown"}, {"dealer": "other"}])
async def test_updating_an_unknown_or_foreign_key_is_refused(storage: Storage, changes: dict[str, Any]) -> None:
    one = sample.key()
    await storage.write(lambda writer: writer.add_key(one))
    with pytest.raises(NotFound):
        await storage.write(lambda writer: writer.update_key(replace(one.key, **changes)))


async def test_a_key_of_an_unknown_app_is_refused(storage: Storage) -> None:
    with pytest.raises(NotFound):
        await storage.write(lambda writer: writer.add_key(sample.key(app="nothing")))


async def test_a_rotation_comes_back_as_it_was_stored(storage: Storage) -> None:
    first, second = sample.rotation(), sample.rotation("rot_2", old_key_id=None, sealed=None, revoke_previous_now=True)
    for one in (first, second):
        await storage.write(sample.work("add_rotation", one))
    assert await storage.read(lambda reader: reader.rotation("acme", "rot_1")) == first
    assert await storage.read(lambda reader: reader.rotation("acme", "rot_2")) == second
    assert await storage.read(lambda reader: reader.rotation("other", "rot_1")) is None


async def test_unfinished_rotations_are_those_of_every_dealer_still_delivering(storage: Storage) -> None:
    started = [sample.rotation(), sample.rotation("rot_2", dealer="other", started_at=sample.NOW - sample.HOUR)]
    for one in (*started, sample.rotation("rot_3", state=RotationState.COMPLETED)):
        await storage.write(sample.work("add_rotation", one))
    assert list(await storage.read(lambda reader: reader.unfinished_rotations())) == started[::-1]
    done = replace(started[0], state=RotationState.FAILED, sealed=None, lease_until=sample.NOW + sample.HOUR)
    await storage.write(lambda writer: writer.update_rotation(done))
    assert list(await storage.read(lambda reader: reader.unfinished_rotations())) == started[1:]
    assert await storage.read(lambda reader: reader.rotation("acme", "rot_1")) == done


async def test_updating_an_unknown_rotation_is_refused(storage: Storage) -> None:
    with pytest.raises(NotFound):
        await storage.write(lambda writer: writer.update_rotation(sample.rotation()))


async def test_rotations_of_a_kind_come_newest_first(storage: Storage) -> None:
    later = sample.rotation("rot_2", started_at=sample.NOW + sample.HOUR, state=RotationState.IN_PORTAL)
    others = [sample.rotation("rot_s", kind=KeyKind.SIGNING_SECRET), sample.rotation("rot_o", dealer="other")]
    for one in (sample.rotation(), later, *others):
        await storage.write(sample.work("add_rotation", one))
    assert await storage.read(sample.work("rotations", "acme", "shop", KeyKind.API_KEY, 5)) == [
        later,
        sample.rotation(),
    ]
    assert await storage.read(sample.work("rotations", "acme", "shop", KeyKind.API_KEY, 1)) == [later]


async def test_undecided_rotations_are_those_of_every_dealer(storage: Storage) -> None:
    undecided = sample.rotation("rot_2", dealer="other", state=RotationState.DELIVERY_UNKNOWN, ended_at=sample.NOW)
    for one in (sample.rotation(), undecided):
        await storage.write(sample.work("add_rotation", one))
    assert list(await storage.read(lambda reader: reader.undecided_rotations())) == [undecided]


async def test_sealed_values_go_when_their_time_is_over_or_their_key_was_used(storage: Storage) -> None:
    done, hour = RotationState.COMPLETED, sample.HOUR
    old = sample.rotation("rot_old", state=done, ended_at=sample.NOW - hour, new_key_id="key_old")
    used = sample.rotation("rot_used", state=done, ended_at=sample.NOW, new_key_id="key_used")
    fresh = sample.rotation("rot_fresh", state=done, ended_at=sample.NOW, new_key_id="key_fresh")
    waiting = sample.rotation("rot_wait", state=RotationState.DELIVERY_UNKNOWN, ended_at=sample.NOW - hour)
    for one in (old, used, fresh, waiting):
        await storage.write(sample.work("add_rotation", one))
    assert await storage.write(lambda writer: writer.destroy_sealed(sample.NOW - hour, "key_used")) == 2
    assert await storage.write(lambda writer: writer.destroy_sealed(sample.NOW - hour, None)) == 0
    kept = await storage.read(sample.work("rotations", "acme", "shop", KeyKind.API_KEY, 9))
    assert {one.rotation_id for one in kept if one.sealed} == {"rot_fresh", "rot_wait"}


async def test_an_ended_grace_is_named_until_it_was_noted(storage: Storage) -> None:
    ended = sample.key("key_1", state=KeyState.PREVIOUS, valid_until=sample.NOW)
    for one in (ended, sample.key("key_2", state=KeyState.PREVIOUS, valid_until=sample.NOW + sample.TICK)):
        await storage.write(sample.work("add_key", one))
    assert list(await storage.read(lambda reader: reader.ended_graces(sample.NOW))) == [ended.key]
    await storage.write(lambda writer: writer.note_ended_grace(ended.key))
    assert list(await storage.read(lambda reader: reader.ended_graces(sample.NOW))) == []


async def test_a_gone_source_is_kept_once_per_app_and_can_be_forgotten(storage: Storage) -> None:
    gone = GoneSource("acme", "shop", "192.0.2.7", "terminal:maria", sample.NOW)
    await storage.write(lambda writer: writer.add_gone_source(gone))
    await storage.write(lambda writer: writer.add_gone_source(replace(gone, named_by="terminal:other")))
    assert list(await storage.read(lambda reader: reader.gone_sources("acme", "shop"))) == [gone]
    assert list(await storage.read(lambda reader: reader.gone_sources("other", "shop"))) == []
    assert await storage.write(lambda writer: writer.remove_gone_source("acme", "shop", "192.0.2.7"))
    assert not await storage.write(lambda writer: writer.remove_gone_source("acme", "shop", "192.0.2.7"))
