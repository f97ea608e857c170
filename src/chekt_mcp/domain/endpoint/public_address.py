"""Which addresses may be contacted: those on the internet, and no form that stands for another address.

The allow list's table of addresses never seen on the internet, and what is seen there but leads elsewhere:
translations (RFC 6052, RFC 8215), tunnels (RFC 3056, RFC 4380, RFC 7526) and protocol assignments (RFC 2928).
A translation with a network's own prefix looks like any other address: nobody outside that network can tell.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final

from chekt_mcp.domain.allow_list.network import read_entry
from chekt_mcp.domain.allow_list.special import never_on_the_internet

UNREADABLE: Final = "unreadable"

_ELSEWHERE: Final = {
    "::ffff:0:0/96": "IPv4-mapped",
    "64:ff9b::/96": "NAT64",
    "64:ff9b:1::/48": "NAT64",
    "2002::/16": "6to4",
    "192.88.99.0/24": "6to4",
    "2001::/32": "Teredo",
    "2001::/23": "reserved",
}


def why_not_public(address: str) -> str | None:
    """Return why `address` must not be contacted, as one word; None when it is public.

    Whatever cannot be read, and whatever carries a zone, is not public.
    """
    try:
        parsed = ip_address(address)
    except ValueError:
        return UNREADABLE
    return _leads_elsewhere(parsed) or _never_public(parsed)


def _leads_elsewhere(address: IPv4Address | IPv6Address) -> str | None:
    return next((kind for block, kind in _ELSEWHERE.items() if address in ip_network(block)), None)


def _never_public(address: IPv4Address | IPv6Address) -> str | None:
    entry = read_entry(str(address))
    kind = never_on_the_internet(entry) if entry else UNREADABLE
    return str(kind) if kind else None
