"""Entries and the hashes between them give the tree's root, whichever entries these are, and no other root."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chekt_mcp.domain.log_cover import Cover, gap_places
from chekt_mcp.domain.merkle import root_of


def leaves(count: int) -> list[bytes]:
    return [sha256(number.to_bytes(8)).digest() for number in range(count)]


def proof(size: int, chosen: set[int]) -> list[bytes]:
    """Return the hashes between the chosen leaves, as an export writes them."""
    all_leaves, hashes, at = leaves(size), list[bytes](), 0
    for end in [*sorted(chosen), size]:
        hashes += [root_of(all_leaves[i << level : (i + 1) << level]) for level, i in gap_places(at, end)]
        at = end + 1
    return hashes


def rebuilt(size: int, chosen: dict[int, bytes], hashes: list[bytes]) -> bytes:
    cover, between = Cover(), iter(hashes)
    for end in [*sorted(chosen), size]:
        for level, _ in gap_places(cover.size, end):
            cover.add_subtree(level, next(between))
        if end < size:
            cover.add_leaf(chosen[end])
    assert cover.size == size
    return cover.root()


@st.composite
def selections(draw: st.DrawFn) -> tuple[int, set[int]]:
    size = draw(st.integers(1, 80))
    return size, draw(st.sets(st.integers(0, size - 1)))


@given(selections())
def test_any_selection_gives_the_root_of_the_whole_tree(selection: tuple[int, set[int]]) -> None:
    size, chosen = selection
    all_leaves = leaves(size)
    assert rebuilt(size, {n: all_leaves[n] for n in chosen}, proof(size, chosen)) == root_of(all_leaves)


@given(selections().filter(lambda one: bool(one[1])), st.randoms())
def test_one_altered_entry_gives_another_root(selection: tuple[int, set[int]], random: object) -> None:
    size, chosen = selection
    all_leaves = leaves(size)
    given_leaves = {n: all_leaves[n] for n in chosen}
    given_leaves[min(chosen)] = sha256(b"forged").digest()
    assert rebuilt(size, given_leaves, proof(size, chosen)) != root_of(all_leaves)


@given(st.integers(0, 10_000), st.integers(0, 10_000))
def test_a_gap_is_made_of_complete_subtrees_side_by_side(start: int, length: int) -> None:
    at = start
    for level, index in gap_places(start, start + length):
        assert index << level == at
        at += 1 << level
    assert at == start + length


@pytest.mark.parametrize("size", [10_000_000, 10_000_001, 2**23])
def test_a_contiguous_range_of_any_length_needs_a_few_dozen_hashes(size: int) -> None:
    start, end = size // 3, size // 2
    assert len([*gap_places(0, start), *gap_places(end, size)]) <= 2 * size.bit_length()
