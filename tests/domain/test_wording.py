from __future__ import annotations

import pytest

from chekt_mcp.domain.wording import counted, sentence


@pytest.mark.parametrize(
    ("number", "words"), [(0, "0 entries"), (1, "1 entry"), (2, "2 entries"), (184_577_757, "184,577,757 entries")]
)
def test_a_count_agrees_with_its_noun_and_is_grouped_by_thousands(number: int, words: str) -> None:
    assert counted(number, "entry", "entries") == words


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("outside 192.0.2.0/24 by 3 addresses", "Outside 192.0.2.0/24 by 3 addresses."),
        ("An IPv4 address has four numbers.", "An IPv4 address has four numbers."),
        ("", ""),
    ],
)
def test_a_sentence_has_a_capital_and_one_full_stop(text: str, whole: str) -> None:
    assert sentence(text) == whole
