"""Finding entries by request id: by 40 bits of its hash, run by run.

Request ids come in no order. In one index over all of them every append would rewrite a page of its own, more of them
the longer the log; ordered by runs of entries first, an append keeps to the pages of the newest run. A lookup asks the
runs that may have the request, which the prints of complete runs tell, and checks the text of the few rows it finds.
"""

from __future__ import annotations

import sys
from array import array
from bisect import bisect_left
from collections.abc import Collection
from hashlib import sha256
from itertools import pairwise

RUN_BITS = 18
"""Entries in a run, as a power of two."""

HASH_BITS = 40
PART_BITS = 12
"""The hash's first bits say in which part of its run's prints an id is; 64 are in a part, more or less."""

PRINT_BITS = 16
"""An id's print; a run that does not have the id is asked for it all the same once in 500 times."""

BEHIND_PRINT = 8
"""Bits of the hash that come after the print."""


def request_key(seq: int, stored_id: str) -> int:
    """Return the key of entry `seq`; `stored_id` is its request id as it is stored (`storable`)."""
    return (seq >> RUN_BITS << HASH_BITS) + request_hash(stored_id)


def request_keys(size: int, stored_id: str, without: Collection[int] = ()) -> list[int]:
    """Return the keys that a request id has in the runs of a log of `size` entries but these, newest run first."""
    own = request_hash(stored_id)
    return [(run << HASH_BITS) + own for run in range(size >> RUN_BITS, -1, -1) if run not in without]


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
    return (key >> BEHIND_PRINT & (1 << PRINT_BITS) - 1).to_bytes(PRINT_BITS // 8)


def prints_of(keys: array[int]) -> list[bytes]:
    """Return the prints of one run's keys, which ascend, part by part."""
    step = HASH_BITS - PART_BITS
    first = keys[0] >> HASH_BITS << HASH_BITS if keys else 0
    ends = [bisect_left(keys, first + (part << step)) for part in range((1 << PART_BITS) + 1)]
    prints = array("H", [key >> BEHIND_PRINT & (1 << PRINT_BITS) - 1 for key in keys])
    if sys.byteorder == "little":
        prints.byteswap()
    joined, width = prints.tobytes(), PRINT_BITS // 8
    return [joined[begin * width : end * width] for begin, end in pairwise(ends)]
