from __future__ import annotations

from chekt_mcp.domain.allow_list import CommentChange, ListDiff, diff, parse


def difference(old: str, new: str) -> ListDiff:
    return diff(parse(old).entries, parse(new).entries)


def test_networks_are_compared_in_canonical_form() -> None:
    changed = difference("203.0.113.9\n2001:db8::/32\n10.0.0.0/8", "192.0.2.1, 2001:0DB8::/32, ::ffff:203.0.113.9")

    assert changed.added == ("192.0.2.1/32",)
    assert changed.removed == ("10.0.0.0/8",)
    assert changed.unchanged == ("2001:db8::/32", "203.0.113.9/32")
    assert not changed.is_empty


def test_each_network_is_named_once() -> None:
    assert difference("", "203.0.113.9\n203.0.113.9/32").added == ("203.0.113.9/32",)
    assert difference("203.0.113.9\n203.0.113.9/32", "203.0.113.9").is_empty


def test_order_alone_changes_nothing() -> None:
    assert difference("203.0.113.9\n10.0.0.0/8", "10.0.0.0/8\n203.0.113.9").is_empty


def test_changed_comments_are_told_apart_from_changed_networks() -> None:
    changed = difference("203.0.113.9 # office\n10.0.0.1", "203.0.113.9 # data centre\n10.0.0.1 # new")

    assert changed.is_empty
    assert changed.comments == (
        CommentChange("203.0.113.9/32", "office", "data centre"),
        CommentChange("10.0.0.1/32", None, "new"),
    )


def test_merged_neighbours_are_a_change_of_entries() -> None:
    changed = difference("203.0.113.0/25\n203.0.113.128/25", "203.0.113.0/24")

    assert (changed.added, changed.removed) == (("203.0.113.0/24",), ("203.0.113.0/25", "203.0.113.128/25"))
