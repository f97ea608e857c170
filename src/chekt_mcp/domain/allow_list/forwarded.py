"""Hops of `X-Forwarded-For` and of `Forwarded` (RFC 7239), read from the right and no further than asked.

Whatever stands left of the client was sent by the client and may be anything: it is never looked at, so it can
neither break nor bend what stands to its right.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from chekt_mcp.domain.allow_list.address import ParsedAddress, read_address

_BLANKS = " \t"
_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # noqa: S105 -- the grammar's word for a piece of text
_QUOTED = r'"((?:[\t !#-\[\]-~\x80-\xff]|\\[\t -~\x80-\xff])*)"'
_PAIR = re.compile(rf"({_TOKEN})=(?:({_TOKEN})|{_QUOTED})")
_BETWEEN_PAIRS = re.compile(r"[ \t]*;[ \t;]*")
_NODE = re.compile(
    r"(?:([0-9.]+)|\[([0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*)\])"  # an IPv4 address, or an IPv6 one in brackets
    r"(?::(?:[0-9]{1,5}|_[0-9A-Za-z._-]+))?"  # its port, plain or obfuscated: of no use here
)


def x_forwarded_for_hops(value: str) -> Iterator[tuple[str, ParsedAddress | None]]:
    """Yield each hop's text and address from the right; None where it is none.

    The header has no standard; a hop is an address, or one with a port in the forms that RFC 7239 has for it.
    """
    end = len(value)
    while end >= 0:
        start = value.rfind(",", 0, end)
        hop = value[start + 1 : end].strip(_BLANKS)
        yield hop, read_address(hop) or _node(hop)
        end = start


def forwarded_hops(value: str) -> Iterator[tuple[str, ParsedAddress | None]]:
    """Yield each element's text and the address in its `for` from the right; None where there is none to read.

    `unknown` and obfuscated identifiers (RFC 7239 section 6) name no address.
    """
    end = len(value)
    while end >= 0:
        start = _element_start(value, end)
        if start is None:
            yield value[:end], None
            return
        element = value[start + 1 : end].strip(_BLANKS)
        yield element, _for_address(element)
        end = start


def _element_start(value: str, end: int) -> int | None:
    """Return the place of the comma before the element that ends at `end` (-1: none); commas in quotes are text."""
    place = end - 1
    while place >= 0 and value[place] != ",":
        if value[place] == '"':
            place = _opening_quote(value, place)
            if place < 0:
                return None
        place -= 1
    return place


def _opening_quote(value: str, closing: int) -> int:
    place = value.rfind('"', 0, closing)
    while place > 0 and _is_escaped(value, place):
        place = value.rfind('"', 0, place)
    return place


def _is_escaped(value: str, place: int) -> bool:
    before = place
    while before > 0 and value[before - 1] == "\\":
        before -= 1
    return (place - before) % 2 == 1


def _for_address(element: str) -> ParsedAddress | None:
    pairs = _pairs(element.strip("; \t"))  # the grammar allows empty pairs
    return _node(pairs["for"]) if pairs and "for" in pairs else None


def _pairs(element: str) -> dict[str, str] | None:
    """Return the element's parameters by lower-case name; None if it breaks the grammar or repeats a name."""
    pairs: dict[str, str] = {}
    place = 0
    while True:
        pair = _PAIR.match(element, place)
        name = pair[1].lower() if pair else ""
        if pair is None or name in pairs:
            return None
        pairs[name] = pair[2] if pair[2] is not None else re.sub(r"\\(.)", r"\1", pair[3])
        if pair.end() == len(element):
            return pairs
        between = _BETWEEN_PAIRS.match(element, pair.end())
        if between is None:
            return None
        place = between.end()


def _node(text: str) -> ParsedAddress | None:
    node = _NODE.fullmatch(text)
    return read_address(node[1] or node[2]) if node else None
