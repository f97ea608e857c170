"""Is this address on the list, by which entry, and if not, by how much it misses.

Sorted ranges and bisect: a lookup costs the logarithm of the list. Which entry decides is found first (`lookup`), by
whoever only lets in or refuses; the sentence that explains it is made for those who read it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Final, NamedTuple

from chekt_mcp.domain.allow_list.address import ParsedAddress, parse_address, read_address
from chekt_mcp.domain.allow_list.entry import EXCERPT, Entry, IPVersion, Refusal
from chekt_mcp.domain.allow_list.lookup import Segments, lookup
from chekt_mcp.domain.allow_list.ranges import Ranges, compile_ranges
from chekt_mcp.domain.foreign_text import escaped
from chekt_mcp.domain.wording import counted

_EXACT_DISTANCE: Final = 1 << 32  # a longer way is told as a power of two: nobody reads 38 digits


class AddressVerdict(StrEnum):
    """What the list says about an address. With no list there is nothing to say: that is never "allowed"."""

    ALLOWED = "allowed"
    DENIED = "denied"
    INVALID = "invalid"
    NO_ALLOW_LIST = "no_allow_list"


class AddressCheck(NamedTuple):
    """The answer on one address. A tuple, because one is made for every lookup.

    Attributes:
        address: the text asked about; where it is no address, escaped and cut.
        normalized: its canonical form (RFC 5952; an IPv4-mapped address as IPv4), None where it is no address.
        verdict: see `AddressVerdict`.
        matched: network of the entry that allows it, the one with the longest prefix.
        nearest: for a denied address, network of the closest entry of its IP version, None where there is none.
        reason: why, in a sentence without its full stop.
    """

    address: str
    normalized: str | None
    verdict: AddressVerdict
    matched: str | None
    nearest: str | None
    reason: str


class AddressMatcher:
    """A list in the form for lookups; build it once for each version of a list. Safe to share among threads.

    Attributes:
        find: the place of an address given as text: from 0 up the index of the entry with the longest prefix that
            holds it, below 0 when none does, None when it is no address. What a gate asks, a thousand times a second.
    """

    __slots__ = ("_entries", "_outermost", "find")

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._entries = tuple(entries)
        v4, v6 = compile_ranges(self._entries, 4), compile_ranges(self._entries, 6)
        self._outermost: dict[IPVersion, Sequence[Entry]] = {4: v4.outermost, 6: v6.outermost}
        indices = {id(entry): index for index, entry in enumerate(self._entries)}
        self.find = lookup(_segments(v4, indices), _segments(v6, indices))

    def find_many(self, addresses: Iterable[str]) -> list[int | None]:
        """Return the place of each address, in the order given; see `find`."""
        return list(map(self.find, addresses))

    def matching_entry(self, address: str) -> Entry | None:
        """Return the entry that lets the address in; None when none does, or when it is no address."""
        place = self.find(address)
        return None if place is None or place < 0 else self._entries[place]

    def check(self, address: str) -> AddressCheck:
        """Answer on one address, given as text, with the reason; see `AddressCheck`."""
        return self._explained(address, self.find(address))

    def check_many(self, addresses: Sequence[str]) -> tuple[AddressCheck, ...]:
        """Answer on each address, in the order given."""
        return tuple(map(self._explained, addresses, self.find_many(addresses)))

    def _explained(self, address: str, place: int | None) -> AddressCheck:
        parsed = read_address(address)
        if place is None or parsed is None:
            return _invalid(address)
        if place < 0:
            return self._not_matched(address, parsed, -1 - place)
        network = self._entries[place].network
        return AddressCheck(address, parsed.text, AddressVerdict.ALLOWED, network, None, f"inside {network}")

    def _not_matched(self, address: str, parsed: ParsedAddress, gap: int) -> AddressCheck:
        if not self._entries:
            reason = "this app has no allow list, so no address is checked"
            return AddressCheck(address, parsed.text, AddressVerdict.NO_ALLOW_LIST, None, None, reason)
        nearest, distance = _nearest(self._outermost[parsed.version], gap, parsed.number)
        if nearest is None:
            reason = f"the list has no IPv{parsed.version} entries"
            return AddressCheck(address, parsed.text, AddressVerdict.DENIED, None, None, reason)
        reason = _outside(nearest.network, distance)
        return AddressCheck(address, parsed.text, AddressVerdict.DENIED, None, nearest.network, reason)


def _segments(ranges: Ranges, indices: Mapping[int, int]) -> Segments:
    places = [-1 - owner if isinstance(owner, int) else indices[id(owner)] for owner in ranges.owners]
    return Segments(ranges.starts, places)


def _invalid(address: str) -> AddressCheck:
    refusal = parse_address(address)
    reason = refusal.message if isinstance(refusal, Refusal) else ""
    return AddressCheck(escaped(address, EXCERPT), None, AddressVerdict.INVALID, None, None, reason)


def _outside(network: str, distance: int) -> str:
    if distance < _EXACT_DISTANCE:
        return f"outside {network} by {counted(distance, 'address', 'addresses')}"
    return f"far outside {network}, by at least 2^{distance.bit_length() - 1} addresses"


def _nearest(outermost: Sequence[Entry], gap: int, number: int) -> tuple[Entry | None, int]:
    """Return the entry closest to a number in a gap, and how far it is; the lower of two equally close ones."""
    below = outermost[gap - 1] if gap else None
    above = outermost[gap] if gap < len(outermost) else None
    if below and (above is None or number - below.last <= above.first - number):
        return below, number - below.last
    return above, above.first - number if above else 0
