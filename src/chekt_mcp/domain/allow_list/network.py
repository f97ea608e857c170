"""One entry out of one item of a list: an address, or an address, a slash and a prefix length."""

from __future__ import annotations

from chekt_mcp.domain.allow_list.address import ParsedAddress, read_address
from chekt_mcp.domain.allow_list.entry import WIDTH, Entry

MAPPED_BITS = 96
"""Bits before the IPv4 part of an IPv4-mapped address; a mapped network's prefix counts them."""

_LENGTHS = {str(length): length for length in range(129)}  # a prefix has one spelling: no sign, no leading zero


def read_entry(item: str, comment: str | None = None, line: int = 1, column: int = 1) -> Entry | None:
    """Read `item` (already stripped) as an entry; None when it is not one, for whatever reason."""
    address, slash, length = item.partition("/")
    parsed = read_address(address)
    if parsed is None:
        return None
    prefix = _LENGTHS.get(length, -1) - mapped_bits(address, parsed) if slash else WIDTH[parsed.version]
    if not 0 <= prefix <= WIDTH[parsed.version]:
        return None
    hosts = (1 << WIDTH[parsed.version] - prefix) - 1
    if parsed.number & hosts:
        return None
    network = f"{parsed.text}/{prefix}"
    return Entry(network, parsed.version, parsed.number, parsed.number | hosts, prefix, comment, line, column)


def mapped_bits(address: str, parsed: ParsedAddress) -> int:
    """Return how much longer a prefix written after `address` is than that of the network it means."""
    return MAPPED_BITS if parsed.version == 4 and ":" in address else 0  # noqa: PLR2004 -- the protocol's version
