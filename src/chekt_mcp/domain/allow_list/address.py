"""One IP address out of text, read strictly: the only reader of addresses in this program.

IPv4 is four decimal numbers without leading zeros (RFC 6943 section 3.1.1 tells what goes wrong otherwise: some
programs read 010 as 8). IPv6 follows RFC 4291 section 2.2, without zone ids; it is written back as RFC 5952 says.
An IPv4-mapped address (RFC 4291 section 2.5.5.2) is the IPv4 address.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from socket import AF_INET, AF_INET6, inet_ntop, inet_pton
from typing import NamedTuple

from chekt_mcp.domain.allow_list.entry import IPVersion, ParseCode, Refusal

_new = tuple.__new__  # half the cost of the class's own constructor, on the one path where that counts
_MAPPED = 0xFFFF  # what stands above the 32 bits of an IPv4-mapped address
_LONGEST = 64  # the longest spelling of an address has 45 characters; longer text is not looked into
_QUAD = re.compile(r"(?:.*:)?([0-9]+(?:\.[0-9]+){3})")
_HOST_NAME = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*\.?")


class ParsedAddress(NamedTuple):
    """An address as version, number and canonical text. A tuple, because one is made for every lookup."""

    version: IPVersion
    number: int
    text: str


def parse_address(text: str) -> ParsedAddress | Refusal:
    """Read one address; surrounding blanks, ports, prefixes and zone ids are refused, not dropped."""
    return read_address(text) or _refuse(text)


def read_address(text: str) -> ParsedAddress | None:
    """Read one address like `parse_address`, without finding out why it is none."""
    try:
        if ":" in text:
            return _read_ipv6(text)
        return _new(ParsedAddress, (4, int.from_bytes(inet_pton(AF_INET, text)), text))
    except (OSError, ValueError):  # ValueError: NUL bytes, and surrogates that have no UTF-8 form
        return None


def address_text(version: IPVersion, number: int) -> str:
    """Write the address as RFC 5952 says, always in hexadecimal for IPv6."""
    if version == 4:  # noqa: PLR2004 -- the version of the protocol
        return inet_ntop(AF_INET, number.to_bytes(4))
    text = inet_ntop(AF_INET6, number.to_bytes(16))
    return text if "." not in text else _hexadecimal(number)


def _read_ipv6(text: str) -> ParsedAddress | None:
    if "%" in text:  # some platforms take a zone id here
        return None
    packed = inet_pton(AF_INET6, text)
    number = int.from_bytes(packed)
    if number >> 32 == _MAPPED:
        return ParsedAddress(4, number & 0xFFFFFFFF, inet_ntop(AF_INET, packed[12:]))
    canonical = inet_ntop(AF_INET6, packed)
    return ParsedAddress(6, number, canonical if "." not in canonical else _hexadecimal(number))


def _hexadecimal(number: int) -> str:
    # The C library writes the deprecated ::/96 with a dotted quad; one address must have one text.
    high, low = number >> 16, number & 0xFFFF
    return f"::{high:x}:{low:x}" if high else f"::{low:x}"


def _refuse(text: str) -> Refusal:
    if len(text) > _LONGEST:
        return Refusal(ParseCode.NOT_AN_ADDRESS, "This is too long to be an IP address.")
    for holds, code, message in _REASONS:
        if holds(text):
            return Refusal(code, message)
    return Refusal(ParseCode.NOT_AN_ADDRESS, "This is not an IP address. Write one like 203.0.113.42.")


def _octets(text: str) -> list[str]:
    quad = _QUAD.fullmatch(text)
    return quad[1].split(".") if quad else []


def _has_leading_zeros(text: str) -> bool:
    return any(len(octet) > 1 and octet[0] == "0" for octet in _octets(text))


def _has_large_octet(text: str) -> bool:
    return any(int(octet) > 255 for octet in _octets(text))  # noqa: PLR2004 -- a byte


def _has_zone(text: str) -> bool:
    return "%" in text and read_address(text.partition("%")[0]) is not None


def _is_network(text: str) -> bool:
    return "/" in text and read_address(text.partition("/")[0]) is not None


_REASONS: tuple[tuple[Callable[[str], object], ParseCode, str], ...] = (
    (lambda text: not text, ParseCode.NOT_AN_ADDRESS, "The address is empty. Write one like 203.0.113.42."),
    (
        lambda text: not text.isprintable(),
        ParseCode.HIDDEN_CHARACTER,
        "This holds a character that cannot be seen. Type the address anew instead of pasting it.",
    ),
    (
        lambda text: not text.isascii(),
        ParseCode.NOT_AN_ADDRESS,
        "This holds characters that only look like the digits of an address. Type it with plain digits.",
    ),
    (_has_zone, ParseCode.ZONE_ID, "A zone id (after %) means something on one machine only. Remove it."),
    (
        _has_leading_zeros,
        ParseCode.LEADING_ZEROS,
        "Leading zeros are refused: some programs read 010 as 8. Write each number without them.",
    ),
    (_has_large_octet, ParseCode.NOT_AN_ADDRESS, "One of the four numbers is above 255. Correct it."),
    (_is_network, ParseCode.NOT_AN_ADDRESS, "This is a network. Ask about a single address of it."),
    (lambda text: text.strip() != text, ParseCode.NOT_AN_ADDRESS, "There are blanks around it. Remove them."),
    (
        _HOST_NAME.fullmatch,
        ParseCode.NOT_AN_ADDRESS,
        "This looks like a host name. Only IP addresses count here: write the address it stands for.",
    ),
)
