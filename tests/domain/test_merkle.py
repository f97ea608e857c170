from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chekt_mcp.domain.merkle import (
    EMPTY_ROOT,
    Frontier,
    consistency_proof,
    inclusion_proof,
    leaf_hash_of,
    node_hash,
    peak_places,
    root_at,
    root_of,
    verify_consistency,
    verify_inclusion,
)

VECTORS = Path(__file__).parent.parent / "vectors"


def vectors(name: str) -> Any:
    return json.loads((VECTORS / name).read_text("utf-8"))


OWN = vectors("merkle.json")


def tree_hash(leaves: list[bytes]) -> bytes:
    """RFC 6962 section 2.1, word for word."""
    if not leaves:
        return sha256().digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return node_hash(tree_hash(leaves[:k]), tree_hash(leaves[k:]))


def subtrees(leaves: list[bytes]) -> Callable[[int, int], bytes]:
    def subtree_hash(level: int, index: int) -> bytes:
        covered = leaves[index << level : (index + 1) << level]
        assert len(covered) == 1 << level, "asked for a subtree that is not complete"
        return tree_hash(covered)

    return subtree_hash


def numbered(count: int) -> list[bytes]:
    return [leaf_hash_of(number.to_bytes(2, "big")) for number in range(count)]


LEAVES = [leaf_hash_of(bytes.fromhex(text)) for text in OWN["leaves_hex"]]


@pytest.mark.parametrize("size", sorted(map(int, OWN["roots"])))
def test_roots_are_those_of_the_rfc(size: int) -> None:
    root = bytes.fromhex(OWN["roots"][str(size)])
    assert root_of(LEAVES[:size]) == root == root_at(size, subtrees(LEAVES))


@pytest.mark.parametrize("case", OWN["inclusion"], ids=lambda case: f"{case['index']} of {case['size']}")
def test_inclusion_paths_are_those_of_the_rfc(case: Any) -> None:
    index, size = case["index"], case["size"]
    path = inclusion_proof(index, size, subtrees(LEAVES))
    assert [step.hex() for step in path] == case["path"]
    assert verify_inclusion(LEAVES[index], index, size, path, root_of(LEAVES[:size]))


@pytest.mark.parametrize("case", OWN["consistency"], ids=lambda case: f"{case['from']} to {case['to']}")
def test_consistency_proofs_are_those_of_the_rfc(case: Any) -> None:
    old, new = case["from"], case["to"]
    proof = consistency_proof(old, new, subtrees(LEAVES))
    assert [step.hex() for step in proof] == case["path"]
    assert verify_consistency(old, root_of(LEAVES[:old]), new, root_of(LEAVES[:new]), proof)


@pytest.mark.parametrize("case", vectors("merkle_inclusion.json")["cases"], ids=lambda case: case["file"])
def test_inclusion_is_judged_as_transparency_dev_does(case: Any) -> None:
    leaf, root = b64decode(case["leafHash"] or ""), b64decode(case["root"] or "")
    proof = [b64decode(step) for step in case["proof"] or ()]
    assert verify_inclusion(leaf, case["leafIdx"], case["treeSize"], proof, root) is not case["wantErr"]


@pytest.mark.parametrize("case", vectors("merkle_consistency.json")["cases"], ids=lambda case: case["file"])
def test_consistency_is_judged_as_transparency_dev_does(case: Any) -> None:
    old, new = b64decode(case["root1"] or ""), b64decode(case["root2"] or "")
    proof = [b64decode(step) for step in case["proof"] or ()]
    assert verify_consistency(case["size1"], old, case["size2"], new, proof) is not case["wantErr"]


@given(st.integers(0, 70))
def test_frontier_grows_the_tree_of_the_rfc(size: int) -> None:
    leaves, frontier = numbered(size), Frontier()
    completed = {(0, index): leaf for index, leaf in enumerate(leaves)}
    for leaf in leaves:
        for level, node in enumerate(frontier.append(leaf), start=1):
            completed[level, (frontier.size - 1) >> level] = node
    assert frontier.root() == tree_hash(leaves)
    assert all(node == subtrees(leaves)(*place) for place, node in completed.items())
    assert frontier.peaks == [completed[place] for place in peak_places(size)]


@given(st.data())
def test_every_leaf_can_be_proved_and_no_other_in_its_place(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 70))
    index, other = data.draw(st.integers(0, size - 1)), data.draw(st.integers(0, size))
    leaves = numbered(size + 1)
    proof, root = inclusion_proof(index, size, subtrees(leaves)), root_of(leaves[:size])
    assert verify_inclusion(leaves[index], index, size, proof, root)
    assert verify_inclusion(leaves[other], index, size, proof, root) is (other == index)
    assert verify_inclusion(leaves[index], other, size, proof, root) is (other == index)
    assert not verify_inclusion(leaves[index], index, size, [*proof, root], root)
    assert not verify_inclusion(leaves[index], index, size, proof[1:], root) or not proof


@given(st.data())
def test_a_changed_beginning_cannot_be_proved_consistent(data: st.DataObject) -> None:
    new = data.draw(st.integers(1, 70))
    old = data.draw(st.integers(1, new))
    leaves = numbered(new)
    proof, root = consistency_proof(old, new, subtrees(leaves)), root_of(leaves)
    assert verify_consistency(old, root_of(leaves[:old]), new, root, proof)
    changed = list(leaves)
    changed[data.draw(st.integers(0, old - 1))] = leaf_hash_of(b"another")
    assert not verify_consistency(old, root_of(changed[:old]), new, root, proof)
    if new > old:
        assert not verify_consistency(old, root_of(leaves[:old]), new, root_of(changed), proof)


def test_proofs_take_logarithmically_many_hashes() -> None:
    asked = list[tuple[int, int]]()

    def subtree_hash(level: int, index: int) -> bytes:
        asked.append((level, index))
        return EMPTY_ROOT

    size = 10_000_019
    inclusion_proof(size // 3, size, subtree_hash)
    consistency_proof(size // 3, size, subtree_hash)
    assert len(asked) < 4 * size.bit_length()


@pytest.mark.parametrize(("index", "size"), [(0, 0), (1, 1), (-1, 3)])
def test_what_is_not_in_the_tree_cannot_be_proved(index: int, size: int) -> None:
    with pytest.raises(ValueError, match="no such leaf"):
        inclusion_proof(index, size, subtrees([]))


@pytest.mark.parametrize(("old", "new"), [(0, 0), (0, 5), (6, 5)])
def test_nothing_is_proved_from_an_empty_or_a_larger_tree(old: int, new: int) -> None:
    with pytest.raises(ValueError, match="no such trees"):
        consistency_proof(old, new, subtrees([]))
    assert not verify_consistency(old, EMPTY_ROOT, new, EMPTY_ROOT, [])
