"""Finding entries by request id: by 40 bits of its hash, run by run.

Request ids come in no order. In one index over all of them every append would rewrite a page of its own, more of them
the longer the log; ordered by runs of entries first, an append keeps to the pages of the newest run. A lookup asks each
run, which takes a microsecond, and checks the text of the few rows it finds.
"""

from __future__ import annotations

from hashlib import sha256

RUN_BITS = 18
"""Entries in a run, as a power of two."""

HASH_BITS = 40


def request_key(seq: int, stored_id: str) -> int:
    """Return the key of entry `seq`; `stored_id` is its request id as it is stored (`storable`)."""
    return (seq >> RUN_BITS << HASH_BITS) + _hash(stored_id)


def request_keys(size: int, stored_id: str) -> list[int]:
    """Return the keys that a request id has in any run of a log of `size` entries, newest run first."""
    own = _hash(stored_id)
    return [(run << HASH_BITS) + own for run in range(size >> RUN_BITS, -1, -1)]


def _hash(stored_id: str) -> int:
    return int.from_bytes(sha256(stored_id.encode()).digest()[: HASH_BITS // 8])
