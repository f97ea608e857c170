"""The text written of published ranges: the same networks, under comments that say whence, when and who shares them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import netaddr  # type: ignore[import-untyped]  # it ships no types
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chekt_mcp.domain.allow_list import FindingSettings, findings, parse
from chekt_mcp.domain.app import Environment
from chekt_mcp.domain.published_ranges import PublishedList, choose
from chekt_mcp.domain.range_text import Origin, list_text
from chekt_mcp.errors import InvalidInput
from range_samples import GITHUB_META, networks, networks_in, read

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
ORIGIN = Origin("github", "https://api.github.com/meta", NOW, shared=True)


def written(lists: Sequence[PublishedList], origin: Origin = ORIGIN, *, merge: bool = False) -> list[str]:
    """Return the networks of the text, read back as an allow list."""
    return networks_in(list_text(origin, lists, merge=merge).text)


@given(st.lists(st.tuples(st.text(max_size=300), st.lists(networks(), min_size=1)), min_size=1, max_size=4), st.text())
def test_the_text_reads_back_as_the_same_networks_whatever_names_and_places_hold(
    named: list[tuple[str, list[str]]], where: str
) -> None:
    lists = [PublishedList(name, read(items)[0].entries, 0, ()) for name, items in named]
    origin = Origin(where, where, NOW, shared=True)
    result = list_text(origin, lists)
    parsed = parse(result.text)
    assert parsed.ok
    expected = list(dict.fromkeys(entry.network for one in lists for entry in one.entries))
    assert [entry.network for entry in parsed.entries] == expected
    assert result.entries == len(expected)
    assert result.entries + result.repeated == sum(len(one.entries) for one in lists)
    assert all(entry.comment and entry.comment.endswith(": shared by all its customers") for entry in parsed.entries)


@given(st.lists(networks(), min_size=1, max_size=40))
def test_merging_changes_nothing_about_what_is_let_in(items: list[str]) -> None:
    lists = read(items)
    merged = written(lists, merge=True)
    assert netaddr.IPSet(merged) == netaddr.IPSet(written(lists))
    assert len(merged) <= len(set(items))


def test_merging_joins_neighbours_and_overlaps_across_lists_under_one_comment() -> None:
    lists = choose(read(GITHUB_META), ("actions", "hooks", "pages"))
    result = list_text(ORIGIN, lists, merge=True)
    assert "4.148.0.0/16\n4.149.0.0/18\n" in result.text
    assert "192.30.252.153/32" not in result.text
    assert result.text.startswith("# github hooks, pages, actions, from https://api.github.com/meta at 2026-05-01T12:")
    assert result.text.count("#") == 1


def test_a_network_in_several_lists_is_written_once_under_the_first() -> None:
    result = list_text(ORIGIN, choose(read(GITHUB_META), ("hooks", "web", "api")))
    assert result.text == (
        "# github hooks, from https://api.github.com/meta at 2026-05-01T12:00:00Z: shared by all its customers\n"
        "192.30.252.0/22\n185.199.108.0/22\n2606:50c0::/32\n"
        "\n"
        "# github web, from https://api.github.com/meta at 2026-05-01T12:00:00Z: shared by all its customers\n"
        "20.201.28.151/32\n"
    )
    assert (result.entries, result.repeated) == (4, 2)


def test_lists_of_the_same_name_are_both_taken() -> None:
    lists = read({"a.b": ["8.8.8.8"], "a": {"b": ["9.9.9.9"]}})
    assert written(choose(lists, ("a.b",))) == ["8.8.8.8/32", "9.9.9.9/32"]


@pytest.mark.parametrize("everything", [["0.0.0.0/0"], ["::/0"], ["0.0.0.0/1", "128.0.0.0/1"]])
@pytest.mark.parametrize("merge", [True, False])
def test_ranges_that_let_everybody_in_are_never_written(everything: list[str], *, merge: bool) -> None:
    with pytest.raises(InvalidInput) as caught:
        list_text(ORIGIN, read([*everything, "8.8.8.8"]), merge=merge)
    assert caught.value.code == "covers_everything"


def test_more_than_an_allow_list_may_hold_is_told() -> None:
    many = [
        f"2600::{first:x}:{second:x}:{third:x}:{fourth:x}:ffff"
        for first in range(9)
        for second in range(16, 32)
        for third in range(16, 32)
        for fourth in range(4096, 4114)
    ]
    with pytest.raises(InvalidInput) as caught:
        list_text(ORIGIN, read(many))
    assert caught.value.code == "list_too_large"
    assert "--merge" in caught.value.fix


@pytest.mark.parametrize("shared", [True, False])
def test_findings_tell_of_shared_ranges_by_the_comment_that_was_written(*, shared: bool) -> None:
    origin = Origin("github", "https://api.github.com/meta", NOW, shared=shared)
    text = list_text(origin, choose(read(GITHUB_META), ("actions",))).text
    found = findings(
        parse(f"# our CI\n{text}").entries,
        environment=Environment.LIVE,
        last_matched=None,
        now=NOW,
        settings=FindingSettings(),
    )
    assert ("shared_by_all_customers" in {finding.code for finding in found}) is shared
