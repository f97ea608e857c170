"""No cell of an export is run as a formula, and every cell can be turned back into what it was."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chekt_mcp.domain.formula import defused, restored

BLANKS = "\t\r\n \u00a0\u2000\u3000\u200b\u200e\u202e\ufeff\u00ad\u115f\ufe0f\0\x1b"
SIGNS = "=+-@＝＋－＠﹦﹢﹣﹫⁼⁺⁻"  # noqa: RUF001 -- the confusable ones are the point


@pytest.mark.parametrize("sign", SIGNS)
@pytest.mark.parametrize("before", ["", " ", "\t", "\r", "\n", "\u3000", "\u200b \u202e"])
def test_what_a_spreadsheet_would_run_gets_an_apostrophe(sign: str, before: str) -> None:
    assert defused(f"{before}{sign}cmd|' /C calc'!A0") == f"'{before}{sign}cmd|' /C calc'!A0"


@pytest.mark.parametrize("cell", ["\tx", "\rx", "'", "'=1", "\t", "-5", "+49 30", "@home"])
def test_a_cell_that_begins_as_one_could_is_marked_too(cell: str) -> None:
    assert defused(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", ["", "alice", "10.0.0.1", "a=b", '{"a":"=1"}', "Ä=1", " x", "req_1-2", "\u3000x"])
def test_what_no_spreadsheet_runs_stays_as_it_is(cell: str) -> None:
    assert defused(cell) == cell


@given(st.text() | st.text(alphabet=BLANKS + SIGNS + "'a1", max_size=6))
def test_every_text_comes_back_and_none_is_left_that_would_run(text: str) -> None:
    cell = defused(text)
    assert restored(cell) == text
    assert (
        cell.startswith("'")
        or not cell.lstrip(BLANKS)[:1]
        or unicodedata.normalize("NFKC", cell.lstrip(BLANKS)[0])[:1] not in set("=+-@")
    )
