"""The Merkle tree of a log (RFC 6962 section 2.1, RFC 9162 section 2.1): roots, proofs, and their verification.

Leaves are numbered from 0. A node's place is its level (0: leaves) and its index within the level; the subtree under
(level, index) covers the 2^level leaves from index * 2^level on. Hashes are SHA-256, always 32 bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256

HASH_LENGTH = 32
EMPTY_ROOT = sha256().digest()
"""The root of the tree without leaves."""

SubtreeHash = Callable[[int, int], bytes]
"""Returns the hash of the complete subtree at (level, index)."""


def leaf_hash_of(content: bytes) -> bytes:
    """Return the hash of a leaf that holds `content`: SHA-256(00 || content)."""
    return sha256(b"\x00" + content).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of the node above two others: SHA-256(01 || left || right)."""
    return sha256(b"\x01" + left + right).digest()


class Frontier:
    """The right edge of a growing tree (a compact range): all that further leaves and the root need, in O(log n).

    Attributes:
        size: how many leaves the tree has.
        peaks: hashes of the complete subtrees that make up the tree, widest first: one for each set bit of `size`.
    """

    __slots__ = ("peaks", "size")

    def __init__(self, size: int = 0, peaks: Iterable[bytes] = ()) -> None:
        self.size = size
        self.peaks = list(peaks)

    def append(self, leaf: bytes) -> Sequence[bytes]:
        """Add the next leaf's hash; return the hashes of the nodes this completed, from level 1 up.

        Their places: the node at `level` is number `(size - 1) >> level`, with the size after the append.
        """
        peaks, trees = self.peaks, self.size
        self.size = trees + 1
        if not trees & 1:
            peaks.append(leaf)
            return ()
        completed = []
        while trees & 1:
            leaf = sha256(b"\x01" + peaks.pop() + leaf).digest()
            completed.append(leaf)
            trees >>= 1
        peaks.append(leaf)
        return completed

    def root(self) -> bytes:
        """Return the hash of the whole tree as it is."""
        if not self.peaks:
            return EMPTY_ROOT
        *left, root = self.peaks
        for peak in reversed(left):
            root = node_hash(peak, root)
        return root


def root_of(leaves: Iterable[bytes]) -> bytes:
    """Return the root over the hashes of leaves as they stream by; memory stays O(log n)."""
    frontier = Frontier()
    for leaf in leaves:
        frontier.append(leaf)
    return frontier.root()


def root_at(size: int, subtree_hash: SubtreeHash) -> bytes:
    """Return the root of the tree's first `size` leaves."""
    return _range_hash(0, size, subtree_hash) if size else EMPTY_ROOT


def peak_places(size: int) -> list[tuple[int, int]]:
    """Return (level, index) of the complete subtrees that make up a tree of `size` leaves, widest first."""
    levels = (level for level in range(size.bit_length() - 1, -1, -1) if size >> level & 1)
    return [(level, (size >> level) - 1) for level in levels]


def inclusion_proof(index: int, size: int, subtree_hash: SubtreeHash) -> list[bytes]:
    """Prove that leaf `index` is in the tree of `size` leaves (RFC 9162 2.1.3.1); O(log n) calls of `subtree_hash`.

    Raises:
        ValueError: there is no such leaf.
    """
    if not 0 <= index < size:
        raise ValueError("no such leaf")
    start, end, proof = 0, size, list[bytes]()
    while end - start > 1:
        middle = _split(start, end)
        if index < middle:
            proof.append(_range_hash(middle, end, subtree_hash))
            end = middle
        else:
            proof.append(_range_hash(start, middle, subtree_hash))
            start = middle
    return proof[::-1]


def consistency_proof(old: int, new: int, subtree_hash: SubtreeHash) -> list[bytes]:
    """Prove that the tree of `new` leaves begins with that of `old` (RFC 9162 2.1.4.1); O(log n) calls.

    Raises:
        ValueError: not 0 < old <= new. Nothing can be proved from an empty tree.
    """
    if not 0 < old <= new:
        raise ValueError("no such trees")
    start, end, proof = 0, new, list[bytes]()
    while old != end:
        middle = _split(start, end)
        if old <= middle:
            proof.append(_range_hash(middle, end, subtree_hash))
            end = middle
        else:
            proof.append(_range_hash(start, middle, subtree_hash))
            start = middle
    if start:
        proof.append(_range_hash(start, end, subtree_hash))
    return proof[::-1]


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Tell whether `proof` shows the leaf's hash at `index` of the tree with this size and root (RFC 9162 2.1.3.2)."""
    if not 0 <= index < size or not _are_hashes(leaf, root, *proof):
        return False
    fn, sn, found = index, size - 1, leaf
    for step in proof:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            found = node_hash(step, found)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            found = node_hash(found, step)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and found == root


def verify_consistency(old: int, old_root: bytes, new: int, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Tell whether `proof` shows the old tree to be the beginning of the new one. From size 0 nothing is shown."""
    if 0 < old == new:
        return not proof and old_root == new_root
    path = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    if not 0 < old < new or not path or not _are_hashes(old_root, new_root, *proof):
        return False
    fn, sn = old - 1, new - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    found_old = found_new = path[0]
    for step in path[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            found_old, found_new = node_hash(step, found_old), node_hash(step, found_new)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            found_new = node_hash(found_new, step)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and found_old == old_root and found_new == new_root


def _are_hashes(*values: bytes) -> bool:
    return all(len(value) == HASH_LENGTH for value in values)


def _split(start: int, end: int) -> int:
    """Return where the left subtree of the leaves start..end ends: the largest power of two below their number."""
    return start + (1 << (end - start - 1).bit_length() - 1)


def _range_hash(start: int, end: int, subtree_hash: SubtreeHash) -> bytes:
    """Return the hash over the leaves start..end, whose left parts are complete subtrees."""
    width = end - start
    if width & (width - 1) == 0:
        level = width.bit_length() - 1
        return subtree_hash(level, start >> level)
    middle = _split(start, end)
    return node_hash(_range_hash(start, middle, subtree_hash), _range_hash(middle, end, subtree_hash))
