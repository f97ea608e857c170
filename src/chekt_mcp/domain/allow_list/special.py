"""Addresses that no request from the internet comes from, by kind.

From the IANA special-purpose address registries (RFC 6890 and its updates), the multicast ranges (RFC 5771,
RFC 4291) and, for IPv6, everything outside 2000::/3, of which nothing is handed out as a source on the internet.
"""

from __future__ import annotations

from bisect import bisect_left
from enum import StrEnum
from functools import cache

from chekt_mcp.domain.allow_list.entry import WIDTH, Entry, IPVersion
from chekt_mcp.domain.allow_list.network import read_entry
from chekt_mcp.domain.allow_list.ranges import Ranges, compile_ranges, spans


class Kind(StrEnum):
    """Why an address is not seen on the internet."""

    PRIVATE = "private"
    SHARED = "shared"
    LOOPBACK = "loopback"
    LINK_LOCAL = "link-local"
    DOCUMENTATION = "documentation"
    MULTICAST = "multicast"
    RESERVED = "reserved"


_BLOCKS: dict[Kind, str] = {
    Kind.PRIVATE: "10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 fc00::/7",  # RFC 1918, RFC 4193
    Kind.SHARED: "100.64.0.0/10",  # RFC 6598: between a provider and its customers
    Kind.LOOPBACK: "127.0.0.0/8 ::1/128",  # RFC 1122, RFC 4291
    Kind.LINK_LOCAL: "169.254.0.0/16 fe80::/10",  # RFC 3927, RFC 4291
    # RFC 5737, RFC 3849, RFC 9637
    Kind.DOCUMENTATION: "192.0.2.0/24 198.51.100.0/24 203.0.113.0/24 2001:db8::/32 3fff::/20",
    Kind.MULTICAST: "224.0.0.0/4 ff00::/8",
    # RFC 791, RFC 6890, RFC 2544 and RFC 5180 (benchmarks), RFC 1112; RFC 4291 for what is left of IPv6
    Kind.RESERVED: "0.0.0.0/8 192.0.0.0/24 198.18.0.0/15 240.0.0.0/4 2001:2::/48 ::/3 4000::/2 8000::/1",
}


def never_on_the_internet(entry: Entry) -> Kind | None:
    """Return why no request from the internet can match `entry`; None when some address of it can."""
    ends = _ends_of_public_spans(entry.version)
    at = bisect_left(ends, entry.first)
    if at < len(ends) and public_spans(entry.version)[at][0] <= entry.last:
        return None
    blocks, kinds = _special()
    owner = blocks[entry.version].owner(entry.first)
    # An entry may be broader than the block its first address lies in (::/96 holds ::1 and more).
    return kinds[owner.network] if isinstance(owner, Entry) and entry.last <= owner.last else Kind.RESERVED


@cache
def public_spans(version: IPVersion) -> tuple[tuple[int, int], ...]:
    """Return the spans of addresses seen on the internet: first and last numbers, ascending."""
    found, start = [], 0
    for first, last in (*spans(_entries(), version), (1 << WIDTH[version], 1 << WIDTH[version])):
        if start < first:
            found.append((start, first - 1))
        start = last + 1
    return tuple(found)


@cache
def _ends_of_public_spans(version: IPVersion) -> tuple[int, ...]:
    return tuple(last for _, last in public_spans(version))


@cache
def _special() -> tuple[dict[IPVersion, Ranges], dict[str, Kind]]:
    kinds = {block: kind for kind, blocks in _BLOCKS.items() for block in blocks.split()}
    return {4: compile_ranges(_entries(), 4), 6: compile_ranges(_entries(), 6)}, kinds


def _entries() -> tuple[Entry, ...]:
    texts = (block for blocks in _BLOCKS.values() for block in blocks.split())
    return tuple(entry for entry in map(read_entry, texts) if entry)
