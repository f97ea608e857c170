"""Why an item of a list is no entry, and what was most likely meant.

Each recogniser knows one mistake; the first that knows the item answers. A suggestion is made only where the
meaning is certain, and never one that opens more than the largest blocks ever handed out (a slip in a prefix must
not become a habit).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from chekt_mcp.domain.allow_list.address import ParsedAddress, parse_address, read_address
from chekt_mcp.domain.allow_list.entry import ParseCode, Refusal
from chekt_mcp.domain.allow_list.network import read_entry
from chekt_mcp.domain.allow_list.prefix_mistake import BROADEST, prefix_mistake

_MOST_BLOCKS = 16  # a longer suggestion is no help to a person
_LONGEST = 100  # an address and a mask of it, in their longest spelling
_DASHES = str.maketrans("\u2010\u2011\u2012\u2013\u2014\u2212", "------")  # what word processors make of one
_SEPARATORS = re.compile(r"[ \t;]+")
_WRAPPED = re.compile(r"\[([0-9A-Fa-f:.]+)\](?::[0-9]{1,5})?|([0-9.]+):[0-9]{1,5}")
_WILDCARD = re.compile(r"((?:[0-9]{1,3}\.){0,3})\*(?:\.\*){0,3}")


def refuse(item: str) -> Refusal:
    """Say why `item`, which `read_entry` could not read, is no entry."""
    for recognise in (_hidden, _dash_range, _separated, _too_long, _wrapped, _wildcard):
        refusal = recognise(item)
        if refusal:
            return refusal
    address, _, length = item.partition("/")
    parsed = parse_address(address)
    if isinstance(parsed, Refusal):
        return parsed
    return prefix_mistake(address, parsed, length)


def _hidden(item: str) -> Refusal | None:
    if item.replace("\t", " ").isprintable():
        return None
    # Only what hangs at the ends may go: within, nobody can tell what was meant.
    hidden = "".join({character for character in item if not character.isprintable()})
    return Refusal(
        ParseCode.HIDDEN_CHARACTER,
        "This holds a character that cannot be seen. Type the entry anew instead of pasting it.",
        _canonical(item.strip(hidden + " ")),
    )


def _dash_range(item: str) -> Refusal | None:
    low_text, dash, high_text = item.translate(_DASHES).partition("-")
    low = read_address(low_text.strip())
    if not dash or low is None:
        return None
    high = _range_end(low, high_text.strip())
    if high is None or high.version != low.version:
        return None
    if high.number < low.number:
        return Refusal(ParseCode.DASH_RANGE, "Ranges with a dash are refused, and this one runs backwards.")
    return Refusal(
        ParseCode.DASH_RANGE, "Ranges with a dash are refused. Write networks in CIDR form.", _blocks(low, high)
    )


def _range_end(low: ParsedAddress, text: str) -> ParsedAddress | None:
    # "203.0.113.10-20": many tools let the end be the last number alone.
    short = low.version == 4 and len(text) <= len("255") and text.isascii() and text.isdigit()  # noqa: PLR2004 -- IPv4
    return read_address(low.text.rpartition(".")[0] + "." + text if short else text)


def _blocks(low: ParsedAddress, high: ParsedAddress) -> str | None:
    # Imported here, since start-up must not pay for a rare mistake; netaddr ships no types.
    from netaddr import IPAddress, iprange_to_cidrs  # type: ignore[import-untyped]  # noqa: PLC0415

    blocks = iprange_to_cidrs(IPAddress(low.number, low.version), IPAddress(high.number, high.version))
    return _listed([_canonical(str(block)) for block in blocks])


def _listed(entries: Sequence[str | None]) -> str | None:
    known = [entry for entry in entries if entry]
    return ", ".join(known) if len(known) == len(entries) <= _MOST_BLOCKS else None


def _separated(item: str) -> Refusal | None:
    pieces = [piece for piece in _SEPARATORS.split(item) if piece]
    if len(pieces) == 1 and pieces[0] == item:
        return None
    if not pieces or not all(read_entry(piece) for piece in pieces):
        return None
    message = "Separate entries by commas or new lines, nothing else."
    return Refusal(ParseCode.WRONG_SEPARATOR, message, _listed([_canonical(piece) for piece in pieces]))


def _too_long(item: str) -> Refusal | None:
    if len(item) <= _LONGEST:
        return None
    return Refusal(ParseCode.NOT_AN_ADDRESS, "This is too long to be an entry. Write one address or network.")


def _wrapped(item: str) -> Refusal | None:
    wrapped = _WRAPPED.fullmatch(item)
    inner = wrapped and _canonical(wrapped[1] or wrapped[2])
    if not inner:
        return None
    message = "Entries take no brackets and no port: the list is about addresses. Write the address alone."
    return Refusal(ParseCode.BRACKETS_OR_PORT, message, inner)


def _wildcard(item: str) -> Refusal | None:
    wildcard = _WILDCARD.fullmatch(item)
    if wildcard is None:
        return None
    fixed = wildcard[1].rstrip(".").split(".") if wildcard[1] else []
    network = ".".join(fixed + ["0"] * (4 - len(fixed))) + f"/{8 * len(fixed)}"
    return Refusal(ParseCode.WILDCARD, "Wildcards are refused. Write a network in CIDR form.", _canonical(network))


def _canonical(item: str) -> str | None:
    entry = read_entry(item)
    return entry.network if entry and entry.prefix >= BROADEST[entry.version] else None
