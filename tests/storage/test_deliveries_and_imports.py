from __future__ import annotations

from dataclasses import replace

import pytest

import storage_samples as sample
from chekt_mcp.storage.interface import Storage
from chekt_mcp.storage.records import ImportState

pytestmark = pytest.mark.anyio


async def test_each_look_at_a_delivery_is_counted_from_the_first(storage: Storage) -> None:
    first = await storage.write(lambda writer: writer.note_delivery(sample.delivery()))
    assert first == sample.delivery()
    later = sample.delivery(first_at=sample.NOW + sample.MINUTE)
    assert await storage.write(lambda writer: writer.note_delivery(later)) == replace(first, times=2)
    assert await storage.read(lambda reader: reader.seen_delivery("acme", "shop", first.digest, sample.NOW)) == replace(
        first, times=2
    )


async def test_a_delivery_is_remembered_until_its_end(storage: Storage) -> None:
    one = sample.delivery()
    await storage.write(lambda writer: writer.note_delivery(one))
    assert await storage.read(lambda reader: reader.seen_delivery("acme", "shop", one.digest, one.digest_until)) is None
    assert await storage.read(lambda reader: reader.seen_event("acme", "shop", "evt_1", one.digest_until)) == one
    assert await storage.read(lambda reader: reader.seen_event("acme", "shop", "evt_1", one.event_until)) is None


async def test_a_longer_memory_is_not_cut_by_a_shorter_one(storage: Storage) -> None:
    one = sample.delivery()
    shorter = replace(one, digest_until=sample.NOW + sample.MINUTE, event_until=sample.NOW + sample.HOUR)
    for look in (one, shorter):
        await storage.write(sample.work("note_delivery", look))
    kept = await storage.read(lambda reader: reader.seen_delivery("acme", "shop", one.digest, sample.NOW))
    assert kept == replace(one, times=2)


async def test_an_event_is_known_by_its_first_delivery_and_counts_the_looks_at_all(storage: Storage) -> None:
    first, second = sample.delivery(), sample.delivery(b"digest-2", first_at=sample.NOW + sample.HOUR)
    for look in (first, second):
        await storage.write(sample.work("note_delivery", look))
    seen = await storage.read(lambda reader: reader.seen_event("acme", "shop", "evt_1", sample.NOW))
    assert seen == replace(first, times=2)


async def test_a_delivery_without_an_event_id_is_counted_too(storage: Storage) -> None:
    one = sample.delivery(event_id=None)
    for times in (1, 2):
        noted = await storage.write(lambda writer: writer.note_delivery(one))
        assert noted == replace(one, times=times)


async def test_a_delivery_is_seen_by_its_own_app_only(storage: Storage) -> None:
    await storage.write(lambda writer: writer.note_delivery(sample.delivery()))
    assert await storage.read(lambda reader: reader.seen_delivery("other", "shop", b"digest-1", sample.NOW)) is None
    assert await storage.read(lambda reader: reader.seen_event("other", "shop", "evt_1", sample.NOW)) is None


async def test_a_forgotten_delivery_counts_from_one_again(storage: Storage) -> None:
    one = sample.delivery()
    await storage.write(lambda writer: writer.note_delivery(one))
    again = replace(one, first_at=one.event_until, event_until=one.event_until + sample.DAY)
    assert await storage.write(lambda writer: writer.note_delivery(again)) == again


async def test_an_import_is_known_by_its_bytes(storage: Storage) -> None:
    one = sample.import_file()
    await storage.write(lambda writer: writer.add_import_file(one))
    assert await storage.read(lambda reader: reader.import_file("acme", "f" * 64)) == one
    assert await storage.read(lambda reader: reader.import_file("acme", "e" * 64)) is None
    assert await storage.read(lambda reader: reader.import_file("other", "f" * 64)) is None


async def test_of_two_imports_of_the_same_bytes_the_newer_is_told(storage: Storage) -> None:
    newer = sample.import_file("imp_2", imported_at=sample.NOW + sample.DAY, added=0)
    for one in (newer, sample.import_file()):
        await storage.write(sample.work("add_import_file", one))
    assert await storage.read(lambda reader: reader.import_file("acme", "f" * 64)) == newer


async def test_an_import_goes_on_only_from_where_it_stands(storage: Storage) -> None:
    begun = sample.import_file(rows=0, added=0, known=0, rejected=0, state=ImportState.UNDER_WAY)
    further = replace(begun, rows=10, added=7, known=2, rejected=1, redacted=3, postponed=1, first_at=sample.NOW)
    await storage.write(lambda writer: writer.add_import_file(begun))
    assert await storage.write(lambda writer: writer.advance_import(further, 0))
    assert not await storage.write(lambda writer: writer.advance_import(begun, 0))
    assert await storage.read(lambda reader: reader.import_file("acme", "f" * 64)) == further
    finished = replace(further, state=ImportState.FINISHED, last_at=sample.NOW)
    assert await storage.write(lambda writer: writer.advance_import(finished, 10))
    assert not await storage.write(lambda writer: writer.advance_import(further, 10))
    assert await storage.read(lambda reader: reader.imports("acme", ["imp_1", "imp_2"])) == [finished]
    assert await storage.read(lambda reader: reader.imports("other", ["imp_1"])) == []


async def test_an_import_is_found_by_how_its_file_was_read_unless_it_was_set_aside(storage: Storage) -> None:
    mapped = sample.import_file("imp_2", reading="m1")
    aside = sample.import_file("imp_3", imported_at=sample.NOW + sample.DAY, state=ImportState.SET_ASIDE)
    for one in (sample.import_file(), mapped, aside):
        await storage.write(sample.work("add_import_file", one))
    assert await storage.read(lambda reader: reader.import_file("acme", "f" * 64)) == sample.import_file()
    assert await storage.read(lambda reader: reader.import_file("acme", "f" * 64, "m1")) == mapped
