"""Proofs out of a stored tree: the hashes that a proof needs are read first, then the proof is made of them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeVar

from chekt_mcp.domain.merkle import (
    EMPTY_ROOT,
    SubtreeHash,
    consistency_proof,
    inclusion_proof,
    root_at,
    verify_consistency,
)
from chekt_mcp.storage.interface import Reader
from chekt_mcp.storage.records import TreeHead

T = TypeVar("T")


async def inclusion(reader: Reader, dealer: str, index: int, size: int) -> list[bytes] | None:
    """Return the proof that leaf `index` is in the tree of `size` leaves; None when the stored tree has a hole."""
    return await _of_stored(reader, dealer, partial(inclusion_proof, index, size))


async def root_of_first(reader: Reader, dealer: str, size: int) -> bytes | None:
    """Return the root over the first `size` leaves as the stored tree has it; None when it has a hole."""
    return await _of_stored(reader, dealer, partial(root_at, size))


async def is_consistent(reader: Reader, dealer: str, old: TreeHead, new: TreeHead) -> bool:
    """Tell whether the stored tree shows that the log `old` is the beginning of the log `new`."""
    if old.size == 0:
        return old.root == EMPTY_ROOT
    if old.size > new.size:
        return False
    proof = await _of_stored(reader, dealer, partial(consistency_proof, old.size, new.size))
    return proof is not None and verify_consistency(old.size, old.root, new.size, new.root, proof)


async def _of_stored(reader: Reader, dealer: str, work: Callable[[SubtreeHash], T]) -> T | None:
    """Return what `work` makes of stored hashes; run once before, with others, it tells which ones it needs."""
    places: dict[tuple[int, int], bytes | None] = {}
    work(lambda level, index: places.setdefault((level, index)) or EMPTY_ROOT)
    hashes = dict[tuple[int, int], bytes]()
    for level, index in places:
        stored = await reader.subtree_hash(dealer, level, index)
        if stored is None:
            return None
        hashes[level, index] = stored
    return work(lambda level, index: hashes[level, index])
