"""A sketch may say that something is there which is not; never the other way round."""

from __future__ import annotations

import os
import subprocess
import sys

from hypothesis import given
from hypothesis import strategies as st

from chekt_mcp.storage.sqlite.sketch import (
    ANY_TEXT,
    GRAM,
    MOST_TEXT,
    column_terms,
    grams,
    holds,
    holds_other,
    may_hold,
    sketch,
    spread,
    text_terms,
)

NUMBERS = st.none() | st.integers(1, 2**40)
TEXTS = st.binary(max_size=60)


@given(st.sets(st.integers(0, 2**64), min_size=1, max_size=300))
def test_whatever_was_drawn_is_found(terms: set[int]) -> None:
    drawn = sketch(terms)
    assert may_hold(drawn, spread(terms))
    assert all(may_hold(drawn, spread([term])) for term in terms)


@given(st.lists(TEXTS, min_size=1), st.data())
def test_every_piece_of_every_text_is_found_whatever_its_case(texts: list[bytes], data: st.DataObject) -> None:
    text = data.draw(st.sampled_from(texts))
    start, end = sorted(data.draw(st.tuples(st.integers(0, len(text)), st.integers(0, len(text)))))
    piece = data.draw(st.sampled_from([text[start:end], text[start:end].upper(), text[start:end].lower()]))
    assert grams(piece) <= text_terms(texts)


def test_a_text_too_short_has_nothing_to_be_known_by() -> None:
    assert grams(b"abc"[: GRAM - 1]) == set()


def test_of_very_much_text_only_that_is_said() -> None:
    assert text_terms([bytes(MOST_TEXT + 1)]) == ANY_TEXT


@given(st.lists(NUMBERS, min_size=1), NUMBERS)
def test_another_number_is_told_from_the_only_one(numbers: list[int | None], number: int | None) -> None:
    terms = column_terms("result", numbers)
    assert (holds("result", number) in terms) == (number in numbers)
    if number in numbers:
        assert (holds_other("result", number) in terms) == (len(set(numbers)) > 1)


def test_a_sketch_of_usual_size_is_seldom_wrong() -> None:
    drawn = sketch(set(range(0, 3_000_000, 1_000)))
    assert not may_hold(drawn, spread(ANY_TEXT))
    wrong = sum(may_hold(drawn, spread([term])) for term in range(500, 3_000_500, 1_000))
    assert wrong < 3_000 * 0.25


def test_another_process_draws_the_same() -> None:
    code = (
        "from chekt_mcp.storage.sqlite.sketch import sketch, text_terms;"
        "print(sketch(text_terms(f'detail {number}'.encode() for number in range(200))).hex())"
    )
    drawn = {
        subprocess.run(
            [sys.executable, "-c", code], check=True, capture_output=True, env={**os.environ, "PYTHONHASHSEED": seed}
        ).stdout
        for seed in ("1", "2", "3")
    }

    assert len(drawn) == 1
