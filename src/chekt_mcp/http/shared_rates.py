"""Token buckets in one file that every process of an installation maps: a rate holds whichever of them is asked.

A bucket is found by a digest of its key, in a set of eight places; when all eight are taken, the one used longest ago
goes, and is full again when it comes back. A set is locked while it is looked at, for microseconds; the lock ends with
the process that held it. What the file says is only how many calls are left: damaged, it is as good as empty.
"""

from __future__ import annotations

import fcntl
import hashlib
import mmap
import os
import struct
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from chekt_mcp.domain.token_bucket import Bucket, Rate, filled, full, take

_SLOT: Final = struct.Struct("<16sdd")
WAYS: Final = 8
SETS: Final = 1_024
_SET_BYTES: Final = WAYS * _SLOT.size
FILE_BYTES: Final = SETS * _SET_BYTES
_ONLY_OURS: Final = 0o600


@dataclass(frozen=True, slots=True)
class Spent:
    """What is left after one call: how many may come at once, when all may again, and how long to wait if none."""

    left: int
    full_at: datetime
    wait: timedelta | None


class SharedRates:
    """Buckets by key, all of the keys of one subject (apps, addresses) in one file."""

    def __init__(self, file: Path) -> None:
        """Map the file, making it if need be.

        Raises:
            OSError: it cannot be opened or made.
        """
        self._file = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, _ONLY_OURS)
        try:
            _take_room(self._file)
        except OSError:
            os.close(self._file)
            raise
        self._memory = mmap.mmap(self._file, FILE_BYTES)

    def spend(self, key: str, rate: Rate, now: datetime) -> Spent:
        """Count one call; when there is none left, count nothing and say how long to wait."""
        digest, start = _place(key)
        fcntl.lockf(self._file, fcntl.LOCK_EX, _SET_BYTES, start)
        try:
            at, known = self._find(digest, start)
            bucket = _believable(known, rate, now)
            left = take(bucket, rate, now)
            if isinstance(left, timedelta):
                return _spent(filled(bucket, rate, now), rate, left)
            _SLOT.pack_into(self._memory, at, digest, left.tokens, left.at.timestamp())
        finally:
            fcntl.lockf(self._file, fcntl.LOCK_UN, _SET_BYTES, start)
        return _spent(left, rate, None)

    def wait(self, key: str, rate: Rate, now: datetime) -> timedelta | None:
        """Return how long to wait for the next call, counting nothing; None when one may come."""
        digest, start = _place(key)
        _, known = self._find(digest, start)
        left = take(_believable(known, rate, now), rate, now)
        return left if isinstance(left, timedelta) else None

    def close(self) -> None:
        """Let go of the file. A second time does nothing."""
        if not self._memory.closed:
            self._memory.close()
            os.close(self._file)

    def _find(self, digest: bytes, start: int) -> tuple[int, tuple[float, float] | None]:
        """Return the key's place and what is there; None where the place was another's, or nobody's."""
        oldest, since = start, float("inf")
        for at in range(start, start + _SET_BYTES, _SLOT.size):
            owner, tokens, moment = _SLOT.unpack_from(self._memory, at)
            if owner == digest:
                return at, (tokens, moment)
            if moment < since:
                oldest, since = at, moment
        return oldest, None


def _take_room(file: int) -> None:
    """Give the file its size, the same for everybody: nothing that another wrote is cut off.

    With its room on the disk, where the system can say so: on a full one, the first bucket in a page that has none
    would end the process (SIGBUS).
    """
    if sys.platform == "linux":
        os.posix_fallocate(file, 0, FILE_BYTES)
    os.ftruncate(file, FILE_BYTES)


def _place(key: str) -> tuple[bytes, int]:
    digest = hashlib.blake2b(key.encode(), digest_size=16).digest()
    return digest, int.from_bytes(digest[:4], "little") % SETS * _SET_BYTES


def _believable(known: tuple[float, float] | None, rate: Rate, now: datetime) -> Bucket:
    """Return the bucket that stands there; what cannot have been written by us is a full one."""
    if known is None or not 0 <= known[0] <= rate.burst or not 0 <= known[1] <= now.timestamp() + 1:
        return full(rate, now)
    return Bucket(known[0], datetime.fromtimestamp(known[1], UTC))


def _spent(bucket: Bucket, rate: Rate, wait: timedelta | None) -> Spent:
    return Spent(int(bucket.tokens), bucket.at + (rate.burst - bucket.tokens) * rate.refill, wait)
