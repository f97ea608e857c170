"""What is shown of a refused row never holds a credential, whole or in part."""

from __future__ import annotations

import pytest

from chekt_mcp.domain.exposure import MARK
from chekt_mcp.operations.audit.row_excerpt import LOOKED_AT, SHOWN, Excerpts

FAKE_KEY = "chekt_test_" + "EXAMPLE" * 5


@pytest.mark.parametrize("before", [0, SHOWN - 20, SHOWN - 12])
def test_a_credential_is_replaced_before_the_excerpt_is_cut(before: int) -> None:
    shown = Excerpts().of("x" * before + FAKE_KEY + ",rest")
    assert "EXAMPLE" not in shown
    assert len(shown) <= SHOWN


@pytest.mark.parametrize("raw", [FAKE_KEY.encode(), {"key": FAKE_KEY}, ["a", FAKE_KEY], {FAKE_KEY: 1}])
def test_whatever_the_row_was_read_as(raw: object) -> None:
    assert "EXAMPLE" not in Excerpts().of(raw)
    assert MARK in Excerpts().of(raw)


def test_a_private_key_over_several_rows_is_not_shown_at_all() -> None:
    excerpts = Excerpts()
    lines = ["a", "-----BEGIN PRIVATE KEY-----", "RVhBTVBMRQ", "RVhBTVBMRQ", "-----END PRIVATE KEY-----", "b"]
    assert [excerpts.of(line) for line in lines] == ["a", MARK, MARK, MARK, MARK, "b"]


@pytest.mark.parametrize(
    "raw", ["RVhBTVBMRQ" * 6, b"RVhBTVBMRQ" * 6, ["RVhBTVBMRQ" * 6], "  " + "RVhBTVBMRQ" * 6 + "=="]
)
def test_the_middle_of_a_private_key_is_not_shown_where_its_first_line_was_a_row_that_was_taken(raw: object) -> None:
    assert Excerpts().of(raw) == MARK


def test_the_end_of_a_private_key_is_not_shown_where_its_first_line_was_a_row_that_was_taken() -> None:
    excerpts = Excerpts()
    assert excerpts.of("RVhBTVBMRQ==-----END PRIVATE KEY-----") == MARK
    assert excerpts.of("after it") == "after it"


def test_a_row_cannot_leave_its_line_or_hide_anything() -> None:
    assert Excerpts().of(b"a\x1b[2J\nb\xff") == "a\\u{1b}[2J\\u{a}b\\xff"


def test_what_cannot_be_written_has_no_excerpt_and_what_is_long_is_cut() -> None:
    nested: list[object] = []
    nested.append(nested)
    assert [Excerpts().of(raw) for raw in (None, nested)] == ["", ""]
    assert len(Excerpts().of("x." * LOOKED_AT)) == SHOWN
