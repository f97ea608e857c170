"""The standard library and netaddr must agree with us on everything that they read as strictly as we do."""

from __future__ import annotations

import ipaddress

import netaddr  # type: ignore[import-untyped]  # it ships no types
from hypothesis import given
from hypothesis import strategies as st

from chekt_mcp.domain.allow_list import (
    AddressMatcher,
    Entry,
    ParsedAddress,
    address_text,
    covered_share,
    covers_everything,
    parse,
    parse_address,
)
from chekt_mcp.domain.allow_list.ranges import spans
from chekt_mcp.domain.allow_list.redundancy import mergeable

ADDRESS_LIKE = st.text("0123456789abcdefABCDEF:./% x\u0663\uff11", max_size=24)
QUADS = st.lists(st.sampled_from(["0", "1", "01", "00", "9", "99", "255", "256", "1000", "", "+1", " 1"])).map(".".join)
GROUPS = st.lists(
    st.sampled_from(["0", "00", "0000", "00000", "1", "db8", "FFFF", "ffff", "fffff", "", "1.2.3.4", "01.2.3.4", "g"])
).map(":".join)


def strict_address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address):
        return None if address.scope_id else address.ipv4_mapped or address
    return address


@given(st.one_of(ADDRESS_LIKE, QUADS, GROUPS, st.text(max_size=12)))
def test_addresses_are_read_as_the_standard_library_reads_them(text: str) -> None:
    parsed, expected = parse_address(text), strict_address(text)

    assert isinstance(parsed, ParsedAddress) is (expected is not None)
    if isinstance(parsed, ParsedAddress) and expected:
        assert (parsed.version, parsed.number, parsed.text) == (expected.version, int(expected), str(expected))


@given(st.ip_addresses(v=6))
def test_ipv6_is_written_as_the_standard_library_writes_it(address: ipaddress.IPv6Address) -> None:
    parsed = parse_address(address.exploded.upper())

    assert isinstance(parsed, ParsedAddress)
    assert parsed.text == str(address.ipv4_mapped or address)
    assert address_text(6, int(address)) == str(address) or address.ipv4_mapped


@given(st.integers(0, (1 << 40) - 1))
def test_low_ipv6_addresses_have_one_text(number: int) -> None:
    assert address_text(6, number) == str(ipaddress.IPv6Address(number))


@given(
    st.one_of(st.ip_addresses(), st.sampled_from(["10.0.0.0", "2001:db8::", "::"]).map(ipaddress.ip_address)),
    st.one_of(st.integers(0, 130).map(str), st.sampled_from(["", "08", "-1", "255.0.0.0", "x"])),
)
def test_networks_are_read_as_the_standard_library_reads_them_strictly(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address, length: str
) -> None:
    parsed = parse(f"{address}/{length}")

    try:
        expected = ipaddress.ip_network(f"{address}/{length}", strict=True)
    except ValueError:
        assert not parsed.ok
        return
    if length == str(expected.prefixlen) and getattr(address, "ipv4_mapped", None) is None:
        (entry,) = parsed.entries
        assert entry.network == str(expected)
        assert (entry.first, entry.last) == (int(expected[0]), int(expected[-1]))


@st.composite
def networks(draw: st.DrawFn) -> str:
    """Networks that often nest and touch: few different addresses, many prefixes."""
    width, text = draw(st.sampled_from([(32, "{}"), (128, "{}")]))
    number = draw(st.integers(0, 63)) << draw(st.sampled_from([0, 2, width // 2, width - 6]))
    prefix = draw(st.integers(width - 8, width) | st.integers(0, width))
    number &= ((1 << width) - 1) ^ ((1 << width - prefix) - 1)
    address = ipaddress.IPv4Address(number) if width == 32 else ipaddress.IPv6Address(number)
    return text.format(f"{address}/{prefix}")


LISTS = st.lists(networks(), max_size=12)


def entries(texts: list[str]) -> tuple[Entry, ...]:
    parsed = parse("\n".join(texts))
    assert parsed.ok, parsed.errors
    return parsed.entries


@st.composite
def near(draw: st.DrawFn, texts: list[str]) -> tuple[int, int]:
    """An address as version and number, at or next to an end of one of the networks."""
    network = ipaddress.ip_network(draw(st.sampled_from(texts)))
    number = int(draw(st.sampled_from([network[0], network[-1]]))) + draw(st.integers(-2, 2))
    return network.version, number % (1 << network.max_prefixlen)


@given(st.data(), st.lists(networks(), min_size=1, max_size=12))
def test_longest_prefix_wins_as_in_netaddr(data: st.DataObject, texts: list[str]) -> None:
    version, number = data.draw(near(texts))
    address = netaddr.IPAddress(number, version)
    expected = netaddr.smallest_matching_cidr(address, texts)

    check = AddressMatcher(entries(texts)).check(address_text(4 if version == 4 else 6, number))

    if version == 6 and number >> 32 == 0xFFFF:
        return  # compared as IPv4, which netaddr does not do
    assert check.matched == (str(expected) if expected else None)
    assert (check.verdict == "allowed") is (address in netaddr.IPSet(texts))


@given(st.data(), st.lists(networks(), min_size=1, max_size=12))
def test_nearest_entry_is_the_nearest_by_looking_at_every_one(data: st.DataObject, texts: list[str]) -> None:
    version, number = data.draw(near(texts))
    listed = [entry for entry in entries(texts) if entry.version == version]
    distances = [max(entry.first - number, number - entry.last) for entry in listed]
    if min(distances) <= 0 or (version == 6 and number >> 32 == 0xFFFF):
        return

    check = AddressMatcher(entries(texts)).check(address_text(4 if version == 4 else 6, number))

    closest = {entry.network for entry, distance in zip(listed, distances, strict=True) if distance == min(distances)}
    assert check.nearest in closest
    nearby, far = f"outside {check.nearest} by {min(distances):,} ", f"far outside {check.nearest}, by at least 2^"
    assert check.reason.startswith(nearby if min(distances) < 2**32 else far)


@given(LISTS)
def test_spans_are_those_of_netaddr(texts: list[str]) -> None:
    for version in (4, 6):
        one = netaddr.IPSet([text for text in texts if (":" in text) is (version == 6)])
        expected = [(int(found.first), int(found.last)) for found in one.iter_ipranges()]
        assert spans(entries(texts), 4 if version == 4 else 6) == expected


@given(LISTS)
def test_neighbours_merge_as_in_netaddr(texts: list[str]) -> None:
    listed = [entry for entry in entries(texts) if entry.prefix > 20]  # what is too broad is not suggested
    apart = {str(one) for one in netaddr.IPSet([entry.network for entry in listed]).iter_cidrs()}
    wholes = set()
    for parts, message in mergeable(listed):
        whole = message.rpartition("neighbours: ")[2].removesuffix(" means the same.")
        assert [str(network) for network in netaddr.cidr_merge(list(parts))] == [whole]
        wholes.add(whole)

    assert wholes == apart - {entry.network for entry in listed}


@given(st.ip_addresses(v=4), st.integers(0, 600))
def test_dash_range_is_suggested_as_in_netaddr(low: ipaddress.IPv4Address, more: int) -> None:
    high = ipaddress.IPv4Address(min(int(low) + more, 2**32 - 1))

    (error,) = parse(f"{low}-{high}").errors

    blocks = [str(block) for block in netaddr.iprange_to_cidrs(str(low), str(high))]
    assert error.suggestion == (", ".join(blocks) if len(blocks) <= 16 else None)


@given(st.integers(1, 6), st.integers(0, 63))
def test_a_split_of_everything_covers_everything_until_a_part_is_missing(prefix: int, missing: int) -> None:
    parts = [str(part) for part in ipaddress.ip_network("::/0").subnets(new_prefix=prefix)]
    gone = parts[missing % len(parts)]
    seen_on_the_internet = ipaddress.ip_network(gone).overlaps(ipaddress.ip_network("2000::/3"))

    assert covers_everything(entries(parts), 6)
    assert covered_share(entries(parts), 6) == 1.0
    assert covers_everything(entries([part for part in parts if part != gone]), 6) is not seen_on_the_internet
