"""Is this address on the list, by which entry, and if not, by how much it misses.

Sorted ranges and bisect: a lookup costs the logarithm of the list. Answers on addresses are kept, since the same
sources come again and again; a matcher belongs to one version of one list, so what is kept never grows stale.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Final, NamedTuple

from chekt_mcp.domain.allow_list.address import ParsedAddress, parse_address, read_address
from chekt_mcp.domain.allow_list.entry import EXCERPT, Entry, IPVersion, Refusal
from chekt_mcp.domain.allow_list.ranges import Ranges, compile_ranges
from chekt_mcp.domain.foreign_text import escaped
from chekt_mcp.domain.wording import counted

KEPT_ANSWERS: Final = 4_096
"""Answers a matcher keeps, some 2 MiB at most; when that many are kept it starts anew."""

_EXACT_DISTANCE = 1 << 32  # a longer way is told as a power of two: nobody reads 38 digits


class AddressVerdict(StrEnum):
    """What the list says about an address. With no list there is nothing to say: that is never "allowed"."""

    ALLOWED = "allowed"
    DENIED = "denied"
    INVALID = "invalid"
    NO_ALLOW_LIST = "no_allow_list"


_new = tuple.__new__  # half the cost of the class's own constructor, on the one path where that counts
_ALLOWED, _DENIED = AddressVerdict.ALLOWED, AddressVerdict.DENIED  # an enum's members are slow to reach on 3.11


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
    """A list in the form for lookups; build it once for each version of a list. Safe to share among threads."""

    __slots__ = ("_is_empty", "_kept", "_ranges")

    def __init__(self, entries: Iterable[Entry]) -> None:
        listed = tuple(entries)
        self._is_empty = not listed
        self._ranges: dict[IPVersion, Ranges] = {4: compile_ranges(listed, 4), 6: compile_ranges(listed, 6)}
        self._kept: dict[str, AddressCheck] = {}

    def check(self, address: str) -> AddressCheck:
        """Answer on one address, given as text; see `AddressCheck`."""
        return self._kept.get(address) or self._check_anew(address)

    def check_many(self, addresses: Iterable[str]) -> tuple[AddressCheck, ...]:
        """Answer on each address, in the order given."""
        kept, check_anew = self._kept.get, self._check_anew
        return tuple([kept(address) or check_anew(address) for address in addresses])

    def matching_entry(self, version: IPVersion, number: int) -> Entry | None:
        """Return the entry with the longest prefix that holds the address, given as a number; None if none does."""
        owner = self._ranges[version].owner(number)
        return None if isinstance(owner, int) else owner

    def _check_anew(self, address: str) -> AddressCheck:
        parsed = read_address(address)
        if parsed is None:  # not kept: such text may be long
            return _invalid(address)
        version, number, text = parsed
        ranges = self._ranges[version]
        owner = ranges.owners[bisect_right(ranges.starts, number) - 1]
        if isinstance(owner, Entry):
            network = owner.network
            answer = _new(AddressCheck, (address, text, _ALLOWED, network, None, f"inside {network}"))
        else:
            answer = self._not_matched(address, parsed, ranges.outermost, owner)
        if len(self._kept) >= KEPT_ANSWERS:
            self._kept.clear()
        self._kept[address] = answer
        return answer

    def _not_matched(self, address: str, parsed: ParsedAddress, outermost: Sequence[Entry], gap: int) -> AddressCheck:
        if self._is_empty:
            reason = "this app has no allow list, so no address is checked"
            return AddressCheck(address, parsed.text, AddressVerdict.NO_ALLOW_LIST, None, None, reason)
        nearest, distance = _nearest(outermost, gap, parsed.number)
        if nearest is None:
            reason = f"the list has no IPv{parsed.version} entries"
            return AddressCheck(address, parsed.text, _DENIED, None, None, reason)
        network = nearest.network
        return _new(AddressCheck, (address, parsed.text, _DENIED, None, network, _outside(network, distance)))


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
