"""The tree of a log: what it is over can be read back, and every hash of it is there, however it was appended."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import storage_samples as sample
from chekt_mcp.domain.audit import Kind, LoggedEntry, NewEntry, Result
from chekt_mcp.domain.audit_leaf import leaf_hash
from chekt_mcp.domain.merkle import EMPTY_ROOT, consistency_proof, node_hash, root_of, verify_consistency
from chekt_mcp.storage.interface import Reader, Storage
from chekt_mcp.storage.records import StoredAnchor, StoredCheckpoint, TreeHead

pytestmark = pytest.mark.anyio


async def append(storage: Storage, count: int, dealer: str = "acme") -> None:
    entries = [sample.entry(f"req_{number}", dealer=dealer) for number in range(count)]
    await storage.write(sample.work("append", entries))


async def ask(storage: Storage, method: str, *arguments: Any) -> Any:
    return await storage.read(sample.work(method, *arguments))


async def leaves(storage: Storage, dealer: str = "acme") -> list[bytes]:
    """Hash what can be read back."""
    logged: list[LoggedEntry] = await ask(storage, "logged_entries", dealer, 0, 10**6)
    assert [entry.seq for entry, _ in logged] == list(range(1, len(logged) + 1))
    assert all(len(salt) == 16 for _, salt in logged)
    return [leaf_hash(entry, salt) for entry, salt in logged]


async def test_a_log_that_was_never_written_has_the_empty_tree(storage: Storage) -> None:
    assert await ask(storage, "tree_head", "acme") == TreeHead(0, EMPTY_ROOT)
    assert await ask(storage, "subtree_hash", "acme", 0, 0) is None
    assert await ask(storage, "leaf_hashes", "acme", 0, 10) == b""
    assert await ask(storage, "logged_entries", "acme", 0, 10) == []


@pytest.mark.parametrize("parts", [[1], [255, 1], [256], [300, 1, 1, 211, 700], [1] * 20])
async def test_the_root_is_that_of_the_entries_as_they_read(storage: Storage, parts: list[int]) -> None:
    for count in parts:
        await append(storage, count)
        await append(storage, 1, "other")
    hashed = await leaves(storage)
    assert await ask(storage, "tree_head", "acme") == TreeHead(sum(parts), root_of(hashed))
    assert await ask(storage, "leaf_hashes", "acme", 0, 10**6) == b"".join(hashed)
    assert await ask(storage, "leaf_hashes", "acme", 3, 5) == b"".join(hashed[3:8])
    assert await ask(storage, "tree_head", "other") == TreeHead(len(parts), root_of(await leaves(storage, "other")))


async def test_every_complete_subtree_is_there_and_no_other(storage: Storage) -> None:
    await append(storage, 1111)
    level, number = await leaves(storage), 0
    while level:
        found = [await ask(storage, "subtree_hash", "acme", number, index) for index in range(len(level))]
        assert found == level
        assert await ask(storage, "subtree_hash", "acme", number, len(level)) is None
        level = [node_hash(left, right) for left, right in zip(level[::2], level[1::2], strict=False)]
        number += 1
    assert await ask(storage, "subtree_hash", "acme", number, 0) is None


async def test_a_grown_log_is_proved_to_begin_with_what_it_was(storage: Storage) -> None:
    heads = []
    for count in (3, 250, 3, 600):
        await append(storage, count)
        heads.append(await ask(storage, "tree_head", "acme"))

    async def proofs(reader: Reader) -> None:
        nodes = {
            (level, index): await reader.subtree_hash("acme", level, index) or b""
            for level in range(11)
            for index in range(1 << 11 - level)
        }
        for old, new in pairwise(heads):
            proof = consistency_proof(old.size, new.size, lambda level, index: nodes[level, index])
            assert verify_consistency(old.size, old.root, new.size, new.root, proof)

    await storage.read(proofs)


async def test_tiles_of_tiles_are_written_at_their_ends(open_same: Any) -> None:
    storage = open_same()
    await append(storage, 65_500)
    await append(storage, 100)
    hashed = await leaves(storage)
    assert await ask(storage, "tree_head", "acme") == TreeHead(65_600, root_of(hashed))
    assert await ask(storage, "subtree_hash", "acme", 16, 0) == root_of(hashed[:65_536])
    assert await ask(storage, "subtree_hash", "acme", 11, 31) == root_of(hashed[63_488:65_536])
    await storage.close()


async def test_what_was_rolled_back_is_no_leaf(storage: Storage) -> None:
    async def fails(writer: Any) -> None:
        await writer.append([sample.entry("lost", actor="somebody new")])
        raise KeyError

    with pytest.raises(KeyError):
        await storage.write(fails)
    await append(storage, 2)
    assert await ask(storage, "tree_head", "acme") == TreeHead(2, root_of(await leaves(storage)))


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ODD_TEXTS = ["", "a\0b", "\udc80", "\ud83d x", "é\u2028☂🔑", '"\\\x1f\x7f', "\\udc80"]
TEXT = st.text(max_size=12) | st.sampled_from(ODD_TEXTS)
NUMBERS = st.integers() | st.floats() | st.sampled_from([2**53, -(2**53), 2**53 - 1, 10**20, 1e300, -0.0])
DETAILS = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT | st.datetimes(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
ENTRIES = st.builds(
    NewEntry,
    dealer=st.sampled_from(["acme", "other", "d\udc80\0"]),
    timestamp=st.integers(min_value=-(2**55), max_value=2**55).map(lambda us: EPOCH + timedelta(microseconds=us))
    | st.sampled_from([EPOCH, sample.BEGINNING, sample.END]),
    actor=TEXT,
    kind=st.sampled_from(Kind),
    action=TEXT,
    result=st.sampled_from(Result),
    request_id=TEXT,
    app=st.none() | TEXT,
    scope=st.none() | TEXT,
    source=st.none() | TEXT,
    source_ip=st.none() | TEXT,
    key_id=st.none() | TEXT,
    origin=st.none() | TEXT,
    details=st.dictionaries(TEXT | st.integers() | st.tuples(st.integers()), DETAILS, max_size=4),
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(entries=st.lists(ENTRIES, max_size=6))
async def test_whatever_is_appended_is_hashed_as_it_reads(storage: Storage, entries: list[NewEntry]) -> None:
    await storage.write(sample.work("append", entries))
    for dealer in ("acme", "other", "d\udc80\0"):
        hashed = await leaves(storage, dealer)
        assert await ask(storage, "leaf_hashes", dealer, 0, 10**6) == b"".join(hashed)
        assert (await ask(storage, "tree_head", dealer)).root == root_of(hashed)


async def test_moments_of_other_zones_are_hashed_as_they_read(storage: Storage) -> None:
    odd = timezone(timedelta(hours=-9, minutes=-30, microseconds=7))
    await storage.write(sample.work("append", [sample.entry(at=datetime(2026, 6, 1, 12, 0, 0, 1, tzinfo=odd))]))
    assert await ask(storage, "tree_head", "acme") == TreeHead(1, root_of(await leaves(storage)))


async def test_details_that_are_too_long_leave_a_note_with_their_hash(storage: Storage) -> None:
    await storage.write(sample.work("append", [sample.entry(details={"huge": "x" * 10_000_000})]))
    ((entry, _),) = await ask(storage, "logged_entries", "acme", 0, 10)
    assert set(entry.details) == {"not_kept", "bytes", "sha256"}
    assert entry.details["bytes"] == 10_000_011


async def test_the_newest_checkpoint_is_told_and_none_is_replaced(storage: Storage) -> None:
    small = StoredCheckpoint(5, b"r" * 32, "note of 5", sample.NOW)
    large = replace(small, size=7, note="note of 7")
    for checkpoint in (small, large, replace(small, note="another")):
        await storage.write(sample.work("add_checkpoint", "acme", checkpoint))
    assert await ask(storage, "checkpoint", "acme") == large
    assert await ask(storage, "checkpoint_at", "acme", 5) == small
    assert await ask(storage, "checkpoint_at", "acme", 6) is None
    assert await ask(storage, "checkpoint", "other") is None


async def test_the_newest_of_every_anchor_is_told(storage: Storage) -> None:
    old = StoredAnchor(5, "https://anchor.example", sample.NOW, "receipt")
    new, other = replace(old, size=9), replace(old, anchor="command: save", size=2)
    for anchor in (old, new, other, replace(new, receipt="another")):
        await storage.write(sample.work("add_anchor", "acme", anchor))
    assert await ask(storage, "anchors", "acme") == [other, new]
    assert await ask(storage, "anchors", "other") == []
