"""No address is contacted that is not on the public internet, in whatever form it comes."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chekt_mcp.domain.endpoint.public_address import why_not_public

REFUSED = {
    "0.0.0.0": "reserved",  # noqa: S104 -- an address to refuse, not one to listen on
    "10.1.2.3": "private",
    "172.16.0.1": "private",
    "172.31.255.255": "private",
    "192.168.1.1": "private",
    "100.64.0.1": "shared",
    "100.127.255.255": "shared",
    "127.0.0.1": "loopback",
    "127.255.255.254": "loopback",
    "169.254.169.254": "link-local",
    "192.0.0.1": "reserved",
    "192.0.2.1": "documentation",
    "198.51.100.1": "documentation",
    "203.0.113.1": "documentation",
    "192.88.99.1": "6to4",
    "198.18.0.1": "reserved",
    "198.19.255.255": "reserved",
    "224.0.0.1": "multicast",
    "239.255.255.255": "multicast",
    "240.0.0.1": "reserved",
    "255.255.255.255": "reserved",
    "::": "reserved",
    "::1": "loopback",
    "::ffff:127.0.0.1": "IPv4-mapped",
    "::ffff:10.0.0.1": "IPv4-mapped",
    "::ffff:8.8.8.8": "IPv4-mapped",
    "::ffff:a00:1": "IPv4-mapped",
    "::127.0.0.1": "reserved",
    "::ffff:0:10.0.0.1": "reserved",
    "64:ff9b::10.0.0.1": "NAT64",
    "64:ff9b::8.8.8.8": "NAT64",
    "64:ff9b:1::1": "NAT64",
    "64:ff9b:1:ffff:ffff:ffff:ffff:ffff": "NAT64",
    "2002:7f00:1::1": "6to4",
    "2002:808:808::1": "6to4",
    "2001::1": "Teredo",
    "2001:0:ffff:ffff:ffff:ffff:ffff:ffff": "Teredo",
    "2001:2::1": "reserved",
    "2001:10::1": "reserved",
    "2001:20::1": "reserved",
    "2001:1ff:ffff::1": "reserved",
    "2001:db8::1": "documentation",
    "3fff::1": "documentation",
    "100::1": "reserved",
    "5f00::1": "reserved",
    "fc00::1": "private",
    "fd12:3456::1": "private",
    "fe80::1": "link-local",
    "fe80::1%eth0": "unreadable",
    "fec0::1": "reserved",
    "ff02::1": "multicast",
    "2606:2800:21f::1%eth0": "unreadable",
    "": "unreadable",
    "hooks.example.com": "unreadable",
    "127.1": "unreadable",
    "010.0.0.1": "unreadable",
}


@pytest.mark.parametrize(("address", "why"), REFUSED.items())
def test_an_address_off_the_internet_is_refused_and_named(address: str, why: str) -> None:
    assert why_not_public(address) == why


PUBLIC = (
    "8.8.8.8 93.184.215.14 100.63.255.255 100.128.0.1 172.32.0.1 198.20.0.1 223.255.255.255 "
    "2606:2800:21f::1 2001:200::1 2001:4860:4860::8888 2003::1 2a00:1450::1"
)


@pytest.mark.parametrize("address", PUBLIC.split())
def test_an_address_of_the_internet_is_let_through(address: str) -> None:
    assert why_not_public(address) is None


@given(st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)))
@example(ip_address("2001:4860:4860::8888"))
def test_what_is_let_through_is_global_for_the_standard_library_too(address: IPv4Address | IPv6Address) -> None:
    if why_not_public(str(address)) is None:
        assert address.is_global
        assert not address.is_multicast
        assert not address.is_reserved


@given(st.ip_addresses(v=4))
def test_no_form_that_carries_an_ipv4_address_is_let_through(address: IPv4Address) -> None:
    number = int(address)
    forms = (
        (0xFFFF << 32) + number,
        number,
        (0xFFFF << 48) + number,
        (0x0064FF9B << 96) + number,
        (0x0064FF9B0001 << 80) + number,
        (0x2002 << 112) + (number << 80) + 1,
        (0x20010000 << 96) + (number ^ 0xFFFFFFFF),
    )
    assert all(why_not_public(str(IPv6Address(form))) for form in forms)
