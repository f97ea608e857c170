"""Other people's text is shown on one line, within its limit, with nothing hidden in it."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chekt_mcp.domain.foreign_text import ALSO_INVISIBLE, VISIBLE_LIMIT, escaped

ANY_TEXT = st.text(st.characters())  # lone surrogates and unassigned code points included
LIMITS = st.integers(2, 300)


@given(ANY_TEXT, LIMITS)
def test_output_is_printable_single_line_and_within_the_limit(text: str, limit: int) -> None:
    shown = escaped(text, limit)
    assert shown.isprintable()
    assert len(shown) <= limit
    assert not ALSO_INVISIBLE.search(shown)
    assert len(shown.splitlines()) <= 1


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=VISIBLE_LIMIT))
def test_plain_text_is_left_alone(text: str) -> None:
    assert escaped(text) == text


@given(ANY_TEXT, LIMITS)
def test_a_cut_is_always_marked(text: str, limit: int) -> None:
    whole = escaped(text, 20 * len(text) + 2)
    shown = escaped(text, limit)
    assert shown == whole or (shown.endswith("…") and whole.startswith(shown[:-1]))


@pytest.mark.parametrize("text", ["Zürich", "東京 alarm", "ключ", "emoji 🔑", "a\u0301"])
def test_letters_of_every_script_stay_readable(text: str) -> None:
    assert escaped(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\nb", "a\\u{a}b"),
        ("a\r\x1b[2Jb", "a\\u{d}\\u{1b}[2Jb"),
        ("a\0b", "a\\u{0}b"),
        ("\u202egnp.exe", "\\u{202e}gnp.exe"),
        ("front\u200bdesk", "front\\u{200b}desk"),
        ("a\u00a0b", "a\\u{a0}b"),
        ("a\u3000b", "a\\u{3000}b"),
        ("a\u2028b", "a\\u{2028}b"),
        ("\ud800", "\\u{d800}"),
        ("\U000e0041", "\\u{e0041}"),
        ("\ufe01", "\\u{fe01}"),
        ("x\U000e0155", "x\\u{e0155}"),
        ("\u3164", "\\u{3164}"),
    ],
)
def test_what_could_hide_or_reorder_is_spelled_out(text: str, shown: str) -> None:
    assert escaped(text) == shown


def test_no_character_of_unicode_renders_as_nothing() -> None:
    ignorable = [
        0x34F,
        *range(0x17B4, 0x17B6),
        *range(0x180B, 0x1810),
        *range(0xFE00, 0xFE10),
        *range(0xE0000, 0xE1000),
    ]
    assert all(escaped(chr(code)) == f"\\u{{{code:x}}}" for code in ignorable)
    assert all(escaped(chr(code)).isprintable() for code in range(sys.maxunicode + 1))


def test_a_long_text_costs_no_more_than_its_limit() -> None:
    assert escaped("\u202e" * 1_000_000, 100).startswith("\\u{202e}")
    assert len(escaped("é" * 1_000_000)) == VISIBLE_LIMIT
