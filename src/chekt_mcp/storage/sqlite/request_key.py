"""Finding entries by request id: by 40 bits of its hash, run by run.

Request ids come in no order. In one index over all of them every append would rewrite a page of its own, more of them
the longer the log; ordered by runs of entries first, an append keeps to the pages of the newest run. A lookup asks the
runs that may have the request, which the prints of complete runs tell, and checks the text of the few rows it finds.
"""

from __future__ import annotations

import sys
from array import array
from bisect import bisect_left
from collections.abc import Iterable
from hashlib import sha256
from itertools import pairwise

RUN_BITS = 18
"""Entries in a run, as a power of two."""

HASH_BITS = 40
PART_BITS = 12
"""The hash's first bits say in which part of its run's prints an id is; 64 are in a part, more or less."""

PRINT = 2
"""Bytes of an id's print; a run that does not have the id is asked for it all the same once in 500 times."""

BEHIND_PRINT = 1
"""Bytes of the hash that come after the print."""

WIDTH = 8
"""Bytes of a key."""


def request_key(seq: int, stored_id: str) -> int:
    """Return the key of entry `seq`; `stored_id` is its request id as it is stored (`storable`)."""
    return (seq >> RUN_BITS << HASH_BITS) + request_hash(stored_id)


def keys_of(own: int, runs: Iterable[int]) -> list[int]:
    """Return the keys that a request with this `request_hash` has in these runs."""
    return [(run << HASH_BITS) + own for run in runs]


def request_hash(stored_id: str) -> int:
    """Return what the keys of a request have in common in all runs."""
    return int.from_bytes(sha256(stored_id.encode()).digest()[: HASH_BITS // 8])


def complete_runs(size: int) -> int:
    """Return how many runs of a log of this size are complete; entries are counted from 1."""
    return (size + 1) >> RUN_BITS


def run_of(seq: int) -> int:
    """Return the run of entry `seq`."""
    return seq >> RUN_BITS


def entries_of(run: int) -> tuple[int, int]:
    """Return the numbers of the first and the last entry of a run."""
    return run << RUN_BITS, (run + 1 << RUN_BITS) - 1


def part_of(key: int) -> int:
    """Return the part of a run's prints that a key, or a hash, belongs to."""
    return key >> HASH_BITS - PART_BITS & (1 << PART_BITS) - 1


def print_of(key: int) -> bytes:
    """Return the print of a key, or a hash."""
    return key.to_bytes(WIDTH)[-BEHIND_PRINT - PRINT : -BEHIND_PRINT]


def prints_of(keys: array[int]) -> list[bytes]:
    """Return the prints of one run's keys, which ascend, part by part."""
    step = HASH_BITS - PART_BITS
    first = keys[0] >> HASH_BITS << HASH_BITS if keys else 0
    ends = [bisect_left(keys, first + (part << step)) for part in range((1 << PART_BITS) + 1)]
    prints = _prints(keys)
    return [prints[begin * PRINT : end * PRINT] for begin, end in pairwise(ends)]


def _prints(keys: array[int]) -> bytes:
    """Return `print_of` each, joined: sliced, because a call for each key would hold an append up noticeably."""
    in_order = keys[:]
    if sys.byteorder == "little":
        in_order.byteswap()
    written, prints = in_order.tobytes(), bytearray(PRINT * len(keys))
    for byte in range(PRINT):
        prints[byte::PRINT] = written[WIDTH - BEHIND_PRINT - PRINT + byte :: WIDTH]
    return bytes(prints)
