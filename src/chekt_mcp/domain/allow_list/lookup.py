"""From an address as text to its place among sorted ranges, as fast as Python can: the path of every request.

A place is a plain number: from 0 up the index of the entry with the longest prefix that holds the address; below 0,
`-1 - gap`, where `gap` is the place in `Ranges.outermost` of the entry above it; None for text that is no address.

There are two forms of one table. While a table fits the processor's cache, comparing the packed bytes as they come
from the C library is fastest, IPv4 by its first byte. Beyond that the walk through memory is what costs: then numbers
lie side by side in arrays, and an index by their upper bits leaves bisect a few of them (both measured,
benchmarks/allow_list.py).
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from socket import AF_INET, AF_INET6, inet_pton
from struct import Struct
from typing import Final, NamedTuple

Find = Callable[[str], int | None]
_Below = tuple[list[bytes], list[int]]

CACHED_SEGMENTS: Final = 16_384
"""Segments up to which a table is kept as bytes objects: about a megabyte."""

_MAPPED = bytes(10) + b"\xff\xff"  # what an IPv4-mapped address begins with, RFC 4291 section 2.5.5.2
_MAPPED_FIRST: Final = int.from_bytes(_MAPPED) << 32
_IPV4: Final = 1 << 32  # how many addresses it has
_HALVES = Struct(">QQ").unpack
_HALF = (1 << 64) - 1
_INDEX_BITS = 16
_MIXED = -(1 << 62)  # in place of a place: several segments begin within this /64


class Segments(NamedTuple):
    """The number line of one IP version: first number of each segment, ascending from 0, and its place."""

    starts: Sequence[int]
    places: Sequence[int]


def lookup(v4: Segments, v6: Segments, cached: int = CACHED_SEGMENTS) -> Find:
    """Make the function that finds the place of an address; IPv4-mapped IPv6 is looked up as IPv4."""
    small = len(v4.starts) + len(v6.starts) <= cached
    return _by_bytes(v4, v6) if small else _by_numbers(v4, v6)


def _by_bytes(v4: Segments, v6: Segments) -> Find:
    by_first_byte = _by_first_byte(v4)
    line = _with_mapped(v4, v6)
    starts6, places6 = [start.to_bytes(16) for start in line.starts[1:]], line.places

    def find(text: str) -> int | None:
        try:
            if ":" in text:
                return None if "%" in text else places6[bisect_right(starts6, inet_pton(AF_INET6, text))]
            packed = inet_pton(AF_INET, text)
        except (OSError, ValueError):  # ValueError: NUL bytes, and surrogates that have no UTF-8 form
            return None
        starts, places = by_first_byte[packed[0]]
        return places[bisect_right(starts, packed)]

    return find


def _by_first_byte(line: Segments) -> Sequence[_Below]:
    """For every first byte the starts after its first address, and the places before, between and behind them."""
    found: list[_Below] = []
    for start, place in zip(line.starts, line.places, strict=True):
        top, rest = divmod(start, 1 << 24)
        _go_on(found, top + bool(rest))
        if not rest:
            found.append(([], [place]))
            continue
        if not found[top][0]:  # what was gone on with is shared by many
            found[top] = ([], found[top][1][:])
        starts, places = found[top]
        starts.append(start.to_bytes(4))
        places.append(place)
    _go_on(found, 256)
    return found


def _go_on(found: list[_Below], top: int) -> None:
    """Fill up to a first byte with what holds since the last segment: one pair for all of them, as most are alike."""
    if len(found) < top:
        since = ([], found[-1][1][-1:]) if found[-1][0] else found[-1]
        found.extend([since] * (top - len(found)))


def _with_mapped(v4: Segments, v6: Segments) -> Segments:
    """Lay the IPv4 line over the block of IPv6 that is compared as IPv4, so that one look finds either."""
    below, above = (bisect_right(v6.starts, number) for number in (_MAPPED_FIRST - 1, _MAPPED_FIRST + _IPV4))
    inside = [_MAPPED_FIRST + start for start in v4.starts]
    starts = [*v6.starts[:below], *inside, _MAPPED_FIRST + _IPV4, *v6.starts[above:]]
    return Segments(starts, [*v6.places[:below], *v4.places, *v6.places[above - 1 :]])


def _by_numbers(v4: Segments, v6: Segments) -> Find:
    starts4, places4, index4 = array("I", v4.starts), array("q", v4.places), _index(v4.starts, 32)
    upper, mixed = _upper_halves(v6)
    starts6, places6, index6 = array("Q", upper.starts), array("q", upper.places), _index(upper.starts, 64)

    def find(text: str) -> int | None:
        try:
            packed = inet_pton(AF_INET, text) if ":" not in text else _packed_ipv6(text)
        except (OSError, ValueError):  # as above
            return None
        if len(packed) == 4 or packed.startswith(_MAPPED):  # noqa: PLR2004 -- bytes of an IPv4 address
            number = int.from_bytes(packed[-4:])
            top = number >> 32 - _INDEX_BITS
            return places4[bisect_right(starts4, number, index4[top], index4[top + 1]) - 1]
        high, low = _HALVES(packed)
        top = high >> 64 - _INDEX_BITS
        place = places6[bisect_right(starts6, high, index6[top], index6[top + 1]) - 1]
        if place != _MIXED:
            return place
        inner = mixed[high]
        return inner.places[bisect_right(inner.starts, low) - 1]

    return find


def _packed_ipv6(text: str) -> bytes:
    if "%" in text:  # some platforms take a zone id here
        raise ValueError
    return inet_pton(AF_INET6, text)


def _index(starts: Sequence[int], width: int) -> Sequence[int]:
    """For every value of the upper bits, how many starts lie at or below the first number that has them."""
    shift = width - _INDEX_BITS
    return array("I", [bisect_right(starts, top << shift) for top in range((1 << _INDEX_BITS) + 1)])


def _upper_halves(line: Segments) -> tuple[Segments, Mapping[int, Segments]]:
    """Cut the IPv6 line by the upper half of its numbers; a /64 with boundaries inside gets a line of its own."""
    starts, places, mixed = list[int](), list[int](), dict[int, Segments]()
    for high, group in groupby(zip(line.starts, line.places, strict=True), lambda segment: segment[0] >> 64):
        inside = [(start & _HALF, place) for start, place in group]
        if inside[0][0]:  # what began before this /64 still holds at its first address
            inside.insert(0, (0, places[-1]))
        starts.append(high)
        places.append(inside[0][1] if len(inside) == 1 else _MIXED)
        if len(inside) > 1:
            mixed[high] = Segments(*zip(*inside, strict=True))
            starts.append(high + 1)  # from the next /64 on, the last of them holds
            places.append(inside[-1][1])
    return _without_repeats(starts, places), mixed


def _without_repeats(starts: Sequence[int], places: Sequence[int]) -> Segments:
    """Drop a segment whose start is given again: what was said last holds. One beyond the last number is dropped."""
    last = {start: place for start, place in zip(starts, places, strict=True) if start <= _HALF}
    return Segments(tuple(last), tuple(last.values()))
