"""Both forms of the table give the place that a look at every segment gives, whatever lies within one /64."""

from __future__ import annotations

import ipaddress

from hypothesis import example, given
from hypothesis import strategies as st

from chekt_mcp.domain.allow_list import AddressMatcher, parse
from chekt_mcp.domain.allow_list.lookup import CACHED_SEGMENTS, Segments, lookup

IPV4_STARTS = [0, 1, 1 << 31, (1 << 32) - 1]
UPPER = [0, 1, 2, 0x20010DB800000000, (1 << 64) - 2, (1 << 64) - 1]
LOWER = [0, 1, 2, 0xFFFF00000000, 1 << 63, (1 << 64) - 1]
IPV6_NUMBERS = st.builds(lambda high, low: high << 64 | low, st.sampled_from(UPPER), st.sampled_from(LOWER))
LINES = st.lists(IPV6_NUMBERS, unique=True, max_size=12)


def line(starts: list[int], first_place: int) -> Segments:
    """Segments from 0 on, every one with a place of its own."""
    ascending = sorted({0, *starts})
    return Segments(ascending, range(first_place, first_place + len(ascending)))


def plain(text: str, v4: Segments, v6: Segments) -> int | None:
    """The place by looking at every segment."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    number, segments = int(mapped or address), v4 if mapped or address.version == 4 else v6
    return [place for start, place in zip(*segments, strict=True) if start <= number][-1]


@given(LINES, IPV6_NUMBERS, st.integers(-2, 2))
@example([1 << 64, (1 << 64) + 1, 2 << 64], 2 << 64, 0)
@example([(1 << 128) - 1], (1 << 128) - 1, 0)
def test_both_forms_find_what_a_look_at_every_segment_finds(starts: list[int], number: int, beside: int) -> None:
    v4, v6 = line(IPV4_STARTS, 1_000), line(starts, 0)
    asked = str(ipaddress.IPv6Address((number + beside) % (1 << 128)))

    assert lookup(v4, v6)(asked) == plain(asked, v4, v6)
    assert lookup(v4, v6, cached=0)(asked) == plain(asked, v4, v6)


@given(st.sampled_from(IPV4_STARTS), st.integers(-2, 2))
def test_both_forms_find_ipv4_in_either_spelling(start: int, beside: int) -> None:
    v4, v6 = line(IPV4_STARTS, 1_000), line([], 0)
    quad = str(ipaddress.IPv4Address((start + beside) % (1 << 32)))

    for find in (lookup(v4, v6), lookup(v4, v6, cached=0)):
        assert find(quad) == find(f"::ffff:{quad}") == plain(quad, v4, v6)


@given(st.text("0123456789abcdef:./%\0\ud800 ", max_size=20))
def test_both_forms_take_for_an_address_what_the_standard_library_takes(text: str) -> None:
    v4, v6 = line([], 0), line([], 0)

    for find in (lookup(v4, v6), lookup(v4, v6, cached=0)):
        assert find(text) == (None if "%" in text else plain(text, v4, v6))


def test_a_list_too_large_for_the_cache_answers_like_a_small_one() -> None:
    many = [f"10.{number >> 8}.{number & 255}.0/25" for number in range(CACHED_SEGMENTS // 2)]
    large, small = (AddressMatcher(parse("\n".join(text)).entries) for text in (many, many[:2]))

    for address in ("10.0.0.7", "10.0.0.200", "10.0.1.127", "9.255.255.255", "::ffff:10.0.1.1", "x"):
        assert large.check(address) == small.check(address)
