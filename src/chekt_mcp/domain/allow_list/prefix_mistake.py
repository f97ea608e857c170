"""What is wrong after the slash of an entry whose address is right."""

from __future__ import annotations

from chekt_mcp.domain.allow_list.address import ParsedAddress, address_text, read_address
from chekt_mcp.domain.allow_list.entry import WIDTH, IPVersion, ParseCode, Refusal
from chekt_mcp.domain.allow_list.network import mapped_bits

BROADEST: dict[IPVersion, int] = {4: 8, 6: 16}
"""Shortest prefix that is ever suggested: no network operator was handed a larger block."""


def prefix_mistake(address: str, parsed: ParsedAddress, length: str) -> Refusal:
    """Say what is wrong with `length`, written after `address` and a slash; `parsed` is that address."""
    if length.isascii() and length.isdigit():
        return _bad_number(address, parsed, length)
    mask = read_address(length)
    if mask is not None and mask.version == parsed.version:
        return _mask(parsed, mask)
    return Refusal(ParseCode.BAD_PREFIX, "What follows the slash is not a prefix length. Write a number like /24.")


def _bad_number(address: str, parsed: ParsedAddress, length: str) -> Refusal:
    offset = mapped_bits(address, parsed)
    longest = WIDTH[parsed.version] + offset
    written = length.lstrip("0") or "0"
    if len(written) > len("128") or int(written) > longest:
        message = f"The prefix is too long: at most /{longest} here. Correct the number after the slash."
        return Refusal(ParseCode.PREFIX_TOO_LONG, message)
    suggestion = _network(parsed, int(written) - offset)
    if written != length:
        return Refusal(ParseCode.LEADING_ZEROS, "Write the prefix length without leading zeros.", suggestion)
    message = "The address has bits set beyond its prefix. Write the network's first address, or no prefix at all."
    return Refusal(ParseCode.HOST_BITS_SET, message, suggestion)


def _mask(parsed: ParsedAddress, mask: ParsedAddress) -> Refusal:
    width = WIDTH[parsed.version]
    inverted = mask.number ^ ((1 << width) - 1)
    if _is_low_bits(inverted):
        prefix = width - inverted.bit_length()
        message = f"A netmask is refused. Write the prefix length: /{prefix}."
        return Refusal(ParseCode.NETMASK, message, _network(parsed, prefix))
    if _is_low_bits(mask.number):
        # No suggestion: whoever swapped the two kinds of mask may have swapped the numbers as well.
        prefix = width - mask.number.bit_length()
        message = f"A wildcard mask is refused. Write the prefix length; this mask would be /{prefix}."
        return Refusal(ParseCode.HOSTMASK, message)
    return Refusal(ParseCode.BAD_PREFIX, "This mask has gaps. Write a prefix length like /24.")


def _is_low_bits(number: int) -> bool:
    return number & (number + 1) == 0


def _network(parsed: ParsedAddress, prefix: int) -> str | None:
    if prefix < BROADEST[parsed.version]:
        return None
    hosts = (1 << WIDTH[parsed.version] - prefix) - 1
    return f"{address_text(parsed.version, parsed.number & ~hosts)}/{prefix}"
