"""Published documents become exactly the entries they name: nothing is guessed, dropped unsaid, or let in between."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import netaddr  # type: ignore[import-untyped]  # it ships no types
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chekt_mcp.domain.allow_list import MAX_ENTRIES, parse
from chekt_mcp.domain.published_document import age
from chekt_mcp.domain.published_lists import FIELDS
from chekt_mcp.domain.published_ranges import (
    LISTED,
    PublishedList,
    choose,
    labels_without_ranges,
)
from chekt_mcp.errors import InvalidInput
from range_samples import AWS, CIRCLECI, GITHUB_META, GOOGLE, WEB_PAGE, networks, read

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.text(max_size=30),
    st.sampled_from(["10.0.0.1/8", "1.2.3.4\n0.0.0.0/0", "1.2.3.4 # x", "1.2.3.4, 5.6.7.8", " 8.8.8.8", "example.com"]),
)
ITEMS = st.lists(
    st.one_of(networks(), JUNK, st.builds(lambda field, value: {field: value}, st.sampled_from(FIELDS), networks()))
)
JSON = st.recursive(
    JUNK | networks(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=10), inner, max_size=5),
    max_leaves=30,
)


def the(lists: Sequence[PublishedList], name: str) -> PublishedList:
    (one,) = [one for one in lists if one.name == name]
    return one


def networks_of(one: PublishedList) -> list[str]:
    return [entry.network for entry in one.entries]


def refused(document: object) -> InvalidInput:
    with pytest.raises(InvalidInput) as caught:
        read(document)
    assert caught.value.field == "source"
    return caught.value


def test_githubs_document_is_read_by_kind_and_what_holds_no_addresses_is_left_out_by_name() -> None:
    lists = read(GITHUB_META)
    assert networks_of(the(lists, "actions"))[-1] == "2a01:111:f403:d91b::/64"
    assert networks_of(the(lists, "dependabot")) == ["18.213.123.130/32"]
    assert [one.name for one in choose(lists, ())][:3] == ["hooks", "web", "api"]
    assert labels_without_ranges(lists) == ("ssh_keys", "domains.website", "domains.actions_inbound.full_domains")


def test_circlecis_lists_stand_under_one_key_that_their_names_leave_out() -> None:
    lists = read(CIRCLECI, "IPRanges")
    assert [one.name for one in lists] == ["macOS", "jobs", "core"]
    assert networks_of(the(lists, "jobs")) == ["54.205.138.102/32", "3.228.39.90/32"]
    assert [one.name for one in read(CIRCLECI)] == ["IPRanges.macOS", "IPRanges.jobs", "IPRanges.core"]


def test_objects_give_the_addresses_in_their_known_fields() -> None:
    assert [networks_of(one) for one in read(AWS)] == [["3.4.12.4/32"], ["2600:1f14::/35"]]
    assert [networks_of(one) for one in read(GOOGLE)] == [["34.1.208.0/20", "2600:1900:8000::/44"]]
    assert networks_of(read({"items": [{"network": "104.192.136.0", "cidr": "104.192.136.0/21"}]})[0]) == [
        "104.192.136.0/21"
    ]


def test_an_array_alone_is_a_list_without_a_name() -> None:
    (one,) = read(["198.51.100.7", "2001:db8::/32"])
    assert (one.name, networks_of(one)) == ("", ["198.51.100.7/32", "2001:db8::/32"])


def test_text_has_one_entry_a_line_and_its_comments_go_no_further() -> None:
    (one,) = read("\ufeff# ours\r\n203.0.113.0/24 # head office\r\n\r\n2001:db8::1, 198.51.100.7\nnonsense\n".encode())
    assert networks_of(one) == ["203.0.113.0/24", "2001:db8::1/128", "198.51.100.7/32"]
    assert [(problem.place, problem.text) for problem in one.problems] == [("line 5", "nonsense")]
    assert all(entry.comment is None for entry in one.entries)


def test_every_item_that_is_no_address_is_told_with_its_place_and_reason_and_never_mended() -> None:
    items = [
        "8.8.8.8",
        "10.0.0.1/8",
        3232235777,
        None,
        {"network": "9.9.9.9"},
        ["9.9.9.9"],
        "1.1.1.1-1.1.1.2",
        "\u202e",
    ]
    (one,) = read(items)
    assert networks_of(one) == ["8.8.8.8/32"]
    assert one.unread == 7
    assert [(problem.place, problem.code) for problem in one.problems] == [
        ("item 2", "host_bits_set"),
        ("item 3", "not_text"),
        ("item 4", "not_text"),
        ("item 5", "no_address_field"),
        ("item 6", "not_text"),
        ("item 7", "dash_range"),
        ("item 8", "hidden_character"),
    ]
    assert one.problems[0].suggestion == "10.0.0.0/8"
    assert one.problems[-1].text == "\\u{202e}"


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("value", [None, 1, ["9.9.9.9"], "nonsense"])
def test_a_known_field_with_something_else_in_it_is_a_problem(field: str, value: object) -> None:
    (one,) = read([{field: "8.8.8.8"}, {field: value}])
    assert (networks_of(one), one.unread) == (["8.8.8.8/32"], 1)


@pytest.mark.parametrize(
    ("document", "code"),
    [
        (b"", "no_ranges"),
        (b"\xef\xbb\xbf", "no_ranges"),
        (b"\xff\xfe1\x00", "not_text"),
        (WEB_PAGE, "markup"),
        (b"  \n<?xml version='1.0'?>", "markup"),
        (GITHUB_META[:-40], "broken_json"),
        (b'{"actions": ["8.8.8.8"]} trailing', "broken_json"),
        (b'{"actions": ["8.8.8.8"], "actions": ["9.9.9.9"]}', "broken_json"),
        (b"[" * 100_000, "broken_json"),
        (b"[" + b"1" * 5_000 + b"]", "broken_json"),
        (b'{"message": "API rate limit exceeded"}', "no_ranges"),
        (b"[]", "no_ranges"),
        (b'{"actions": []}', "no_ranges"),
        (b'"8.8.8.8"', "no_ranges"),
        (b"not found", "no_ranges"),
        (b"\x00" * 1000, "no_ranges"),
    ],
)
def test_a_document_that_is_no_list_of_addresses_is_refused_in_words(document: bytes, code: str) -> None:
    error = refused(document)
    assert error.code == code
    assert "8.8.8.8" not in str(error)


def test_more_items_than_an_allow_list_holds_are_refused() -> None:
    assert refused(["8.8.8.8"] * (MAX_ENTRIES + 1)).code == "too_many_ranges"
    assert networks_of(read(["8.8.8.8"] * MAX_ENTRIES)[0]) == ["8.8.8.8/32"]


def test_of_a_hundred_thousand_problems_a_few_are_told_and_all_are_counted() -> None:
    (one,) = read(["x" * 50] * (MAX_ENTRIES - 1) + ["8.8.8.8"])
    assert (one.unread, len(one.problems)) == (MAX_ENTRIES - 1, LISTED)


@given(JSON)
def test_any_json_is_read_or_refused_and_gives_only_what_stands_in_it(document: object) -> None:
    try:
        lists = read(document)
    except InvalidInput:
        return
    standing = {str(netaddr.IPNetwork(text)) for text in _strict_networks(document)}
    found = {entry.network for one in lists for entry in one.entries}
    assert {str(netaddr.IPNetwork(network)) for network in found} <= standing


def _strict_networks(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for inner in value.values() for text in _strict_networks(inner)]
    if isinstance(value, list):
        return [text for inner in value for text in _strict_networks(inner)]
    parsed = parse(value).entries if isinstance(value, str) else ()
    return [entry.network for entry in parsed]


@given(ITEMS)
def test_every_item_is_an_entry_or_counted_as_unread(items: list[object]) -> None:
    flat = [next(iter(item.values())) if isinstance(item, dict) else item for item in items]
    good = [item for item in flat if isinstance(item, str) and len(parse(item).entries) == 1 and _is_plain(item)]
    if not good:
        return
    (one,) = read(items)
    assert networks_of(one) == list(dict.fromkeys(parse(item).entries[0].network for item in good))
    assert one.unread == len(items) - len(good)


def _is_plain(item: str) -> bool:
    return parse(item).ok and not set(item) & set(" \t,#\r\n\ufeff")


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    with suppress(InvalidInput):
        read(content)


def test_a_name_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(InvalidInput) as caught:
        choose(read(CIRCLECI, "IPRanges"), ("jobs", "Jobs"))
    assert (caught.value.field, caught.value.code) == ("kind", "unknown_kind")
    assert caught.value.fix == "It has: macOS, jobs, core."
    with pytest.raises(InvalidInput, match="leave --kind out"):
        choose(read(["8.8.8.8"]), ("jobs",))
    with pytest.raises(InvalidInput, match="of that name"):
        choose(read(GITHUB_META), ("ssh_keys",))


@pytest.mark.parametrize(
    ("past", "words"),
    [
        (timedelta(days=184, hours=3), "184 days old"),
        (timedelta(days=1), "1 day old"),
        (timedelta(hours=5), "5 hours old"),
        (timedelta(minutes=59, seconds=59), "59 minutes old"),
        (timedelta(seconds=1), "less than a minute old"),
        (timedelta(seconds=-1), "dated in the future (a clock is wrong)"),
    ],
)
def test_an_age_is_said_in_its_largest_whole_unit(past: timedelta, words: str) -> None:
    assert age(NOW - past, NOW) == words
