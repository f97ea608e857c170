"""Who is calling when proxies stand between: the address that an allow list is asked about.

One header is configured and the other ignored. Its lines are joined, hops are read from the right, and the first
that is not a trusted proxy is the client. No proxy is trusted unless named. What cannot be read is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from chekt_mcp.domain.allow_list.address import ParsedAddress, read_address
from chekt_mcp.domain.allow_list.entry import EXCERPT
from chekt_mcp.domain.allow_list.forwarded import forwarded_hops, x_forwarded_for_hops
from chekt_mcp.domain.allow_list.match import AddressMatcher
from chekt_mcp.domain.allow_list.network import read_entry
from chekt_mcp.domain.foreign_text import escaped
from chekt_mcp.errors import InvalidInput

ForwardingHeader = Literal["X-Forwarded-For", "Forwarded"]


@dataclass(frozen=True, slots=True)
class ClientAddress:
    """The client's address in canonical form; `hop` is its place in the header from the right, 0 for the peer."""

    address: str
    hop: int


@dataclass(frozen=True, slots=True)
class ClientAddressRefused:
    """Why nobody can say who is calling.

    Attributes:
        code: `bad_forwarded_for` for the header, `bad_peer` for the connection's own address.
        message: what is wrong, then what to do; holds nothing of what was sent.
        text: what stands there, escaped and cut.
        hop: place in the header from the right, 0 for the peer.
    """

    code: Literal["bad_forwarded_for", "bad_peer"]
    message: str
    text: str
    hop: int


def client_address(
    peer: str, trusted: Sequence[str], header: ForwardingHeader | None, values: Sequence[str]
) -> ClientAddress | ClientAddressRefused:
    """Find the client behind the proxies.

    Args:
        peer: address of the other end of the connection.
        trusted: addresses and networks of our own proxies, as in an allow list.
        header: the one header that these proxies set; None when none does.
        values: every line of that header in the order received; empty when it is absent.

    Returns:
        The peer when it is not trusted or there is no header; else the first untrusted hop from the right, or the
        leftmost hop when all are trusted; or why it cannot be told.

    Raises:
        InvalidInput: code `bad_trusted_proxy`; an item of `trusted` is not an address or network.
    """
    proxies = _matcher(tuple(trusted))
    parsed = read_address(peer)
    if parsed is None:
        message = "The address of the connection itself cannot be read. Serve over TCP, or set the proxy's address."
        return ClientAddressRefused("bad_peer", message, escaped(peer, EXCERPT), 0)
    if header is None or not values or not _is_trusted(proxies, parsed):
        return ClientAddress(parsed.text, 0)
    hops = x_forwarded_for_hops if header == "X-Forwarded-For" else forwarded_hops
    return _first_untrusted(hops(",".join(values)), proxies, header)


def is_trusted(peer: str, trusted: Sequence[str]) -> bool:
    """Tell whether a connection comes from one of our own proxies.

    Raises:
        InvalidInput: code `bad_trusted_proxy`.
    """
    parsed = read_address(peer)
    return parsed is not None and _is_trusted(_matcher(tuple(trusted)), parsed)


def _first_untrusted(
    hops: Iterator[tuple[str, ParsedAddress | None]], proxies: AddressMatcher, header: ForwardingHeader
) -> ClientAddress | ClientAddressRefused:
    for place, (text, parsed) in enumerate(hops, 1):
        if parsed is None:
            message = f"Hop {place} from the right of {header} names no address. Check what the proxy there writes."
            return ClientAddressRefused("bad_forwarded_for", message, escaped(text, EXCERPT), place)
        client = ClientAddress(parsed.text, place)
        if not _is_trusted(proxies, parsed):
            return client
    return client


def _is_trusted(proxies: AddressMatcher, address: ParsedAddress) -> bool:
    return proxies.matching_entry(address.text) is not None


@lru_cache(maxsize=8)  # the same few settings for every request of a process
def _matcher(trusted: tuple[str, ...]) -> AddressMatcher:
    entries = [read_entry(item) for item in trusted]
    known = [entry for entry in entries if entry]
    if len(known) != len(entries):
        raise InvalidInput(
            "A trusted proxy is not an address or a network in CIDR form.",
            field="trusted",
            code="bad_trusted_proxy",
            fix="Write each like 10.0.0.2 or 10.0.0.0/8.",
        )
    return AddressMatcher(known)
