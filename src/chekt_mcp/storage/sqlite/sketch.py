"""Sketches: in a few bits per entry, which values and texts a stretch of the log holds at most (a Bloom filter).

A search without an index then passes over the stretches where nothing can fit. A sketch can only err towards looking:
what it holds is found in it always, what it does not hold seldom.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable

STRETCH_BITS = 9
"""Entries in a stretch, as a power of two: those of one stretch have their numbers in common but for these bits."""

GRAM = 4
"""Bytes. Texts are known by every four bytes that follow each other; one that is shorter cannot be told."""

COLUMNS = ("app", "actor", "action", "kind", "scope", "result", "key_id")
"""The columns whose numbers a sketch knows."""

ABSENT = 0
MOST_TEXT = 1 << 18
"""Bytes of different texts in one stretch. Where there are more the sketch says only that any text may be there."""

ANY_TEXT = frozenset(range(-8, 0))
"""Terms for that: eight, because any one would seem to be there in every seventh stretch."""

TERMS_TO_BITS = 4
"""Bits for a term, at least. Each sets two: one term in seven is found though it is not there, or fewer."""

WORD = 0xFFFFFFFF
SPREAD = 0x9E3779B1  # 2^32 / golden ratio: Knuth, The Art of Computer Programming, vol. 3, 6.4
OTHERWISE = 0x85EBCA6B  # of MurmurHash3's finalizer: odd, and unlike the first
Spread = tuple[tuple[int, int], ...]
DIGITS = bytes.maketrans(b"\0\1", b"01")


def grams(text: bytes) -> set[int]:
    """Return every four bytes of a text as a number, ASCII letters in lower case as LIKE compares them."""
    text, found = text.lower(), set[int]()
    for start in range(min(GRAM, len(text) - GRAM + 1)):
        count = (len(text) - start) // GRAM
        found.update(struct.unpack_from(f"<{count}I", text, start))
    return found


def holds(column: str, number: int | None) -> int:
    """Return the term for: some entry has this number in this column."""
    return (number or ABSENT) * 16 + COLUMNS.index(column)


def holds_other(column: str, number: int | None) -> int:
    """Return the term for: some entry has this number, and some entry another one."""
    return holds(column, number) + 8


def column_terms(column: str, numbers: Iterable[int | None]) -> set[int]:
    """Return the terms for the numbers that a stretch has in a column."""
    different = set(numbers)
    terms = {holds(column, number) for number in different}
    return terms if len(different) == 1 else terms | {holds_other(column, number) for number in different}


def text_terms(texts: Iterable[bytes]) -> set[int]:
    """Return the terms for the texts in a stretch; the same in every process, whose sets have orders of their own."""
    joined = b"\n".join(sorted(set(texts)))
    return grams(joined) if len(joined) <= MOST_TEXT else set(ANY_TEXT)


def sketch(terms: set[int]) -> bytes:
    """Draw the terms: a power of two of bits, two for each term."""
    bits = max(3, (TERMS_TO_BITS * len(terms)).bit_length())
    flags, shift = bytearray(1 << bits), 32 - bits
    for term in terms:
        flags[(term * SPREAD & WORD) >> shift] = flags[(term * OTHERWISE & WORD) >> shift] = 1
    return int(flags.translate(DIGITS), 2).to_bytes(1 << bits - 3)


def spread(terms: Iterable[int]) -> Spread:
    """Return where these terms are drawn, in 2^32nds of a sketch: many sketches are looked at for the same ones."""
    return tuple((term * SPREAD & WORD, term * OTHERWISE & WORD) for term in terms)


def may_hold(drawn: bytes, terms: Spread) -> bool:
    """Tell whether all of these terms may be among those drawn."""
    shift = 30 - len(drawn).bit_length()  # as in `sketch`: 2^bits is eight times the length
    for one, other in terms:
        one, other = one >> shift, other >> shift  # noqa: PLW2901 -- names of their own would be a step more
        if not (drawn[one >> 3] << (one & 7) & drawn[other >> 3] << (other & 7) & 128):
            return False
    return True
