from __future__ import annotations

import pytest

from chekt_mcp.domain.allow_list import AddressCheck, AddressMatcher, AddressVerdict, parse, parse_address

LOWEST = "0.0.0.0"  # noqa: S104 -- nothing binds to it
LIST = "198.51.100.0/24\n198.51.100.128/25\n198.51.100.200\n203.0.113.0/28\n2001:db8::/32\n2001:db8:1::/48"


def matcher(text: str = LIST) -> AddressMatcher:
    parsed = parse(text)
    assert parsed.ok
    return AddressMatcher(parsed.entries)


@pytest.mark.parametrize(
    ("address", "matched"),
    [
        ("198.51.100.0", "198.51.100.0/24"),
        ("198.51.100.127", "198.51.100.0/24"),
        ("198.51.100.128", "198.51.100.128/25"),
        ("198.51.100.199", "198.51.100.128/25"),
        ("198.51.100.200", "198.51.100.200/32"),
        ("198.51.100.201", "198.51.100.128/25"),
        ("198.51.100.255", "198.51.100.128/25"),
        ("2001:db8:1::1", "2001:db8:1::/48"),
        ("2001:db8:2::1", "2001:db8::/32"),
    ],
)
def test_the_entry_with_the_longest_prefix_allows(address: str, matched: str) -> None:
    assert matcher().check(address) == AddressCheck(
        address, address, AddressVerdict.ALLOWED, matched, None, f"inside {matched}"
    )


@pytest.mark.parametrize(
    ("address", "nearest", "reason"),
    [
        ("198.51.101.2", "198.51.100.0/24", "outside 198.51.100.0/24 by 3 addresses"),
        ("198.51.99.255", "198.51.100.0/24", "outside 198.51.100.0/24 by 1 address"),
        ("203.0.112.255", "203.0.113.0/28", "outside 203.0.113.0/28 by 1 address"),
        ("255.255.255.255", "203.0.113.0/28", "outside 203.0.113.0/28 by 889,163,504 addresses"),
        ("0.0.0.1", "198.51.100.0/24", "outside 198.51.100.0/24 by 3,325,256,703 addresses"),
        ("2001:db9::", "2001:db8::/32", "outside 2001:db8::/32 by 1 address"),
        ("2001:db9::1:0:0", "2001:db8::/32", "far outside 2001:db8::/32, by at least 2^32 addresses"),
        ("ffff::", "2001:db8::/32", "far outside 2001:db8::/32, by at least 2^127 addresses"),
    ],
)
def test_a_refusal_names_the_nearest_entry_and_by_how_much_it_misses(address: str, nearest: str, reason: str) -> None:
    check = matcher().check(address)

    assert (check.verdict, check.matched) == ("denied", None)
    assert (check.nearest, check.reason) == (nearest, reason)


def test_of_two_equally_near_entries_the_lower_is_named() -> None:
    assert matcher("203.0.113.1, 203.0.113.3").check("203.0.113.2").nearest == "203.0.113.1/32"


def test_mapped_address_is_compared_as_ipv4_and_says_so() -> None:
    check = matcher().check("::FFFF:198.51.100.200")

    assert (check.normalized, check.matched) == ("198.51.100.200", "198.51.100.200/32")


def test_mapped_entry_lets_the_ipv4_address_in() -> None:
    assert matcher("::ffff:198.51.100.0/120").check("198.51.100.7").matched == "198.51.100.0/24"


def test_ipv6_network_around_the_mapped_range_lets_no_ipv4_in() -> None:
    for address in ("198.51.100.7", "::ffff:198.51.100.7"):
        check = matcher("::/0").check(address)
        assert (check.verdict, check.nearest) == ("denied", None)
        assert check.reason == "the list has no IPv4 entries"


def test_same_number_in_the_other_version_never_matches() -> None:
    assert matcher("10.0.0.0/8").check("::a00:1").verdict == "denied"
    assert matcher("::a00:0/104").check("10.0.0.1").verdict == "denied"


def test_without_a_list_nothing_is_ever_called_allowed() -> None:
    empty = matcher("# nothing yet")

    check = empty.check("2001:DB8::1")
    assert (check.verdict, check.normalized, check.matched, check.nearest) == (
        "no_allow_list",
        "2001:db8::1",
        None,
        None,
    )
    assert empty.matching_entry(LOWEST) is None
    assert empty.check("x").verdict == "invalid"


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("203.0.113.010", "Leading zeros"),
        ("203.0.113.300", "above 255"),
        ("fe80::1%eth0", "zone id"),
        ("203.0.113.0/28", "a network"),
        (" 203.0.113.1", "blanks"),
        ("203.0.113.1\n", "cannot be seen"),
        ("203.0.113.1\u200b", "cannot be seen"),
        ("\ud800", "cannot be seen"),
        ("203.0.113.1\0", "cannot be seen"),
        ("２０３.0.113.1", "plain digits"),  # noqa: RUF001 -- digits that only look like ours
        ("ci.example.com", "host name"),
        ("203.0.113.1:443", "not an IP address"),
        ("", "empty"),
        ("1" * 1000, "too long"),
    ],
)
def test_what_is_no_address_is_invalid_and_says_why(address: str, says: str) -> None:
    check = matcher().check(address)

    assert (check.verdict, check.normalized, check.matched, check.nearest) == ("invalid", None, None, None)
    assert says in check.reason
    assert check.address.isprintable()
    assert len(check.address) <= 60


def test_refusal_of_an_address_holds_nothing_of_it() -> None:
    refused = parse_address("SECRETS")

    assert not isinstance(refused, tuple)
    assert "SECRETS" not in refused.message


def test_many_are_answered_in_the_order_asked_as_one_by_one() -> None:
    addresses = ["203.0.113.1", "x", "198.51.99.255", "203.0.113.1", "::ffff:203.0.113.1"]

    assert list(matcher().check_many(addresses)) == [matcher().check(address) for address in addresses]


def test_the_entry_itself_is_told_to_those_who_only_let_in_or_refuse() -> None:
    one = matcher()

    entry = one.matching_entry("::ffff:198.51.100.200")
    assert entry is not None
    assert entry.network == "198.51.100.200/32"
    assert [one.matching_entry(text) for text in ("198.51.99.0", "::c633:64c8", "198.51.100.010")] == [None] * 3


def test_of_equal_networks_the_first_of_the_list_matches() -> None:
    entry = matcher("203.0.113.9 # first\n::ffff:203.0.113.9 # second").matching_entry("203.0.113.9")

    assert entry is not None
    assert entry.comment == "first"


@pytest.mark.parametrize(
    ("text", "lowest", "highest"),
    [
        ("0.0.0.0/0", True, True),
        ("0.0.0.0/1, 128.0.0.0/1", True, True),
        ("255.255.255.255", False, True),
        ("0.0.0.0/32", True, False),
        ("128.0.0.0/1, 255.255.255.255", False, True),
    ],
)
def test_both_ends_of_the_number_line_are_within_reach(text: str, *, lowest: bool, highest: bool) -> None:
    one = matcher(text)

    assert (one.check(LOWEST).verdict == "allowed") is lowest
    assert (one.check("255.255.255.255").verdict == "allowed") is highest


def test_every_ipv6_address_is_within_the_whole_of_it() -> None:
    one = matcher("::/0, ::1")

    assert one.check("::").matched == "::/0"
    assert one.check("::1").matched == "::1/128"
    assert one.check("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff").matched == "::/0"
