from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chekt_mcp.domain.allow_list import MAX_BYTES, MAX_ENTRIES, MAX_ERRORS, ParseCode, ParsedList, parse

RTL, ZERO_WIDTH, NO_BREAK_SPACE, SURROGATE = "\u202e", "\u200b", "\u00a0", "\ud800"


def networks(parsed: ParsedList) -> list[str]:
    assert parsed.ok, parsed.errors
    return [entry.network for entry in parsed.entries]


def only_error(text: str) -> tuple[str, str | None]:
    (error,) = parse(text).errors
    return error.code, error.suggestion


@pytest.mark.parametrize(
    ("text", "code", "suggestion"),
    [
        ("203.0.113.5/24", "host_bits_set", "203.0.113.0/24"),
        ("2001:db8::1/32", "host_bits_set", "2001:db8::/32"),
        ("::ffff:203.0.113.9/120", "host_bits_set", "203.0.113.0/24"),
        ("::ffff:203.0.113.9/64", "host_bits_set", None),
        ("203.0.113.5/0", "host_bits_set", None),
        ("203.0.113.5/7", "host_bits_set", None),
        ("2001:db8::1/15", "host_bits_set", None),
        ("203.0.113.010", "leading_zeros", None),
        ("::ffff:203.0.113.010", "leading_zeros", None),
        ("203.0.113.0/024", "leading_zeros", "203.0.113.0/24"),
        ("203.0.113.5/024", "leading_zeros", "203.0.113.0/24"),
        ("203.0.113.0/00", "leading_zeros", None),
        ("203.0.113.0/33", "prefix_too_long", None),
        ("2001:db8::/129", "prefix_too_long", None),
        ("::ffff:203.0.113.9/129", "prefix_too_long", None),
        ("203.0.113.0/" + "9" * 50, "prefix_too_long", None),
        ("203.0.113.9/255.255.255.0", "netmask", "203.0.113.0/24"),
        ("203.0.113.9/255.255.255.255", "netmask", "203.0.113.9/32"),
        ("203.0.113.9/0.0.0.0", "netmask", None),
        ("2001:db8::/ffff:ffff::", "netmask", "2001:db8::/32"),
        ("203.0.113.0/0.0.0.255", "hostmask", None),
        ("203.0.113.0/255.0.255.0", "bad_prefix", None),
        ("203.0.113.0/2001:db8::", "bad_prefix", None),
        ("203.0.113.0/", "bad_prefix", None),
        ("203.0.113.0/24/24", "bad_prefix", None),
        ("203.0.113.0/-1", "bad_prefix", None),
        ("203.0.113.0/+24", "bad_prefix", None),
        ("203.0.113.0/２４", "bad_prefix", None),  # noqa: RUF001 -- digits that only look like ours
        ("203.0.113.0/ 24", "bad_prefix", None),
        ("fe80::1%eth0", "zone_id", None),
        ("fe80::1%eth0/64", "zone_id", None),
        ("203.0.113.9%eth0", "zone_id", None),
        ("203.0.113.10 - 203.0.113.11", "dash_range", "203.0.113.10/31"),
        ("203.0.113.10-11", "dash_range", "203.0.113.10/31"),
        ("203.0.113.10\u2013203.0.113.11", "dash_range", "203.0.113.10/31"),
        ("2001:db8::-2001:db8::ff", "dash_range", "2001:db8::/120"),
        ("203.0.113.20-203.0.113.10", "dash_range", None),
        ("0.0.0.0-255.255.255.255", "dash_range", None),
        ("10.0.0.1-10.255.255.254", "dash_range", None),
        ("203.0.113.10-2001:db8::", "not_an_address", None),
        ("203.0.113.10-ten", "not_an_address", None),
        ("203.0.113.*", "wildcard", "203.0.113.0/24"),
        ("203.0.*.*", "wildcard", "203.0.0.0/16"),
        ("203.*", "wildcard", "203.0.0.0/8"),
        ("*", "wildcard", None),
        ("*.*.*.*", "wildcard", None),
        ("300.*", "wildcard", None),
        ("[2001:db8::1]", "brackets_or_port", "2001:db8::1/128"),
        ("[2001:db8::1]:443", "brackets_or_port", "2001:db8::1/128"),
        ("203.0.113.9:443", "brackets_or_port", "203.0.113.9/32"),
        ("[host]:443", "not_an_address", None),
        ("203.0.113.9 203.0.113.10", "wrong_separator", "203.0.113.9/32, 203.0.113.10/32"),
        ("203.0.113.9;203.0.113.10/32;", "wrong_separator", "203.0.113.9/32, 203.0.113.10/32"),
        ("203.0.113.9\t203.0.113.10", "wrong_separator", "203.0.113.9/32, 203.0.113.10/32"),
        ("203.0.113.9 " * 17, "wrong_separator", None),
        ("203.0.113.9 office", "not_an_address", None),
        (";", "not_an_address", None),
        ("-", "not_an_address", None),
        ("/24", "not_an_address", None),
        ("ci.example.com", "not_an_address", None),
        ("https://ci.example.com/", "not_an_address", None),
        ("203.0.113", "not_an_address", None),
        ("203.0.113.256", "not_an_address", None),
        ("3405803785", "not_an_address", None),
        ("0xcb.0.113.9", "not_an_address", None),
        ("2001:db8:::1", "not_an_address", None),
        ("2001:db8::00001", "not_an_address", None),
        ("1:2:3:4:5:6:7:8:9", "not_an_address", None),
        ("1" * 200, "not_an_address", None),
        (f"203.0.113.9{ZERO_WIDTH}", "hidden_character", "203.0.113.9/32"),
        (f"{RTL}203.0.113.9", "hidden_character", "203.0.113.9/32"),
        (f"{NO_BREAK_SPACE}203.0.113.0/24{NO_BREAK_SPACE}", "hidden_character", "203.0.113.0/24"),
        (f"203.0.113.1{ZERO_WIDTH}2", "hidden_character", None),
        (f"203.0.113.1{NO_BREAK_SPACE}2", "hidden_character", None),
        ("203.0.113.9\0", "hidden_character", "203.0.113.9/32"),
        (f"203.0.113.9{SURROGATE}", "hidden_character", "203.0.113.9/32"),
        ("203.0.113.1\r203.0.113.2", "hidden_character", None),
        ("203.0.113.1\u2028203.0.113.2", "hidden_character", None),
        ("203.0.113.1\x85203.0.113.2", "hidden_character", None),
    ],
)
def test_each_mistake_has_its_code_and_only_certain_suggestions(text: str, code: str, suggestion: str | None) -> None:
    assert only_error(text) == (code, suggestion)


def test_every_suggestion_is_itself_a_correct_list() -> None:
    for text in ("203.0.113.10-203.0.113.20", "203.0.113.9/255.255.255.0", "203.0.*.*", "203.0.113.9;203.0.113.10"):
        suggestion = only_error(text)[1]
        assert suggestion is not None
        assert parse(suggestion).ok


def test_entry_tells_range_and_place() -> None:
    (entry,) = parse("\n  198.51.100.0/24").entries

    assert (entry.version, entry.prefix, entry.line, entry.column) == (4, 24, 2, 3)
    assert (entry.first, entry.last) == (0xC6336400, 0xC63364FF)


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("2001:0DB8:0:0::1", "2001:db8::1/128"),
        ("2001:db8:0:1:0:0:0:0/64", "2001:db8:0:1::/64"),
        ("::ffff:203.0.113.0/120", "203.0.113.0/24"),
        ("::FFFF:cb00:7109", "203.0.113.9/32"),
        ("::ffff:0:0/96", "0.0.0.0/0"),
        ("::203.0.113.9", "::cb00:7109/128"),
        ("::/96", "::/96"),
        ("::1.2", None),
        ("0.0.0.0/0", "0.0.0.0/0"),
    ],
)
def test_every_spelling_becomes_one(written: str, canonical: str | None) -> None:
    assert [entry.network for entry in parse(written).entries] == ([canonical] if canonical else [])


def test_all_errors_are_told_at_once_with_their_places() -> None:
    parsed = parse("x, 203.0.113.1 ,10.0.0.1/8 # both wrong\n\n203.0.113.2\n\t y")

    assert [(error.line, error.column, error.text) for error in parsed.errors] == [
        (1, 1, "x"),
        (1, 17, "10.0.0.1/8"),
        (4, 3, "y"),
    ]
    assert len(parsed.entries) == 2
    assert not parsed.ok


def test_error_quotes_hidden_characters_escaped_and_cut() -> None:
    (error,) = parse(f"203{RTL}" + "x" * 100).errors

    assert error.text.startswith("203\\u{202e}xxx")
    assert error.text.endswith("…")
    assert len(error.text) == 60


def test_messages_hold_nothing_of_the_text() -> None:
    for text in ("SECRETS", "SECRETS/24", "203.0.113.9/SECRETS", "fe80::1%SECRETS", f"SECRETS{RTL}"):
        (error,) = parse(text).errors
        assert "SECRETS" not in error.message


def test_comment_on_the_line_belongs_to_each_entry_of_the_line() -> None:
    parsed = parse("203.0.113.9, 203.0.113.10# office, 3rd floor")

    assert {entry.comment for entry in parsed.entries} == {"office, 3rd floor"}


def test_comment_lines_above_belong_to_the_block_below_them() -> None:
    parsed = parse("# Office\n#\n# 3rd floor\n203.0.113.1\n203.0.113.2 # printer\n203.0.113.3 #\n\n203.0.113.4")

    assert [entry.comment for entry in parsed.entries] == [
        "Office 3rd floor",
        "printer",
        "Office 3rd floor",
        None,
    ]


def test_new_comment_line_replaces_the_one_above() -> None:
    parsed = parse("# one\n203.0.113.1\n# two\n203.0.113.2\n\n# alone\n\n203.0.113.3")

    assert [entry.comment for entry in parsed.entries] == ["one", "two", None]


def test_comment_is_escaped_and_cut() -> None:
    hostile, long = parse(f"203.0.113.1 # a{RTL}{SURROGATE}b\n203.0.113.2 # {'é' * 600}").entries

    assert hostile.comment == "a\\u{202e}\\u{d800}b"
    assert long.comment is not None
    assert len(long.comment) == 500


def test_comment_of_many_lines_is_cut_too() -> None:
    (entry,) = parse("# word word word\n" * 200 + "203.0.113.1").entries

    assert entry.comment is not None
    assert len(entry.comment) == 500


@pytest.mark.parametrize("hidden", ["\r", "\v", "\f", "\x1c", "\x85", "\u2028", "\u2029", "\0"])
def test_line_end_hidden_in_a_comment_is_refused(hidden: str) -> None:
    parsed = parse(f"203.0.113.1\n203.0.113.2 # ok{hidden}0.0.0.0/0\r\n203.0.113.3 # fine\r\n")

    assert [(error.code, error.line, error.column) for error in parsed.errors] == [(ParseCode.HIDDEN_LINE_BREAK, 2, 17)]


def test_windows_text_with_byte_order_mark_is_read() -> None:
    assert networks(parse("\ufeff203.0.113.1\r\n203.0.113.2\r")) == ["203.0.113.1/32", "203.0.113.2/32"]


def test_byte_order_mark_anywhere_else_is_refused() -> None:
    assert only_error("203.0.113.1\n\ufeff203.0.113.2") == ("hidden_character", "203.0.113.2/32")


@pytest.mark.parametrize("text", ["", "\n\n", ", ,\t,", "# nothing\n#", "#"])
def test_text_without_entries_is_an_empty_list(text: str) -> None:
    assert parse(text) == ParsedList((), ())


def test_a_list_of_the_largest_size_is_read() -> None:
    text = "\n".join(f"1.{n >> 16}.{n >> 8 & 255}.{n & 255}" for n in range(MAX_ENTRIES))
    entry_text = text[:MAX_BYTES].rpartition("\n")[0]
    full = entry_text + "#" + "x" * (MAX_BYTES - len(entry_text) - 1)

    assert len(full) == MAX_BYTES
    assert len(networks(parse(full))) == entry_text.count("\n") + 1
    assert parse("1.1.1.1," * MAX_ENTRIES).ok


def test_one_byte_too_many_is_one_clear_error() -> None:
    assert only_error("#" + "x" * MAX_BYTES) == ("too_large", None)
    assert only_error("#" + "é" * (MAX_BYTES // 2)) == ("too_large", None)
    assert only_error("#" + SURROGATE * (MAX_BYTES // 3 + 1)) == ("too_large", None)


def test_one_entry_too_many_is_one_clear_error_at_its_place() -> None:
    parsed = parse("1.1.1.1,x," * (MAX_ENTRIES // 2) + "\n 1.1.1.1, 1.1.1.1")

    assert parsed.entries == ()
    assert [(error.code, error.line, error.column) for error in parsed.errors] == [("too_many_entries", 2, 2)]


def test_a_hundred_thousand_malformed_lines_give_a_short_answer_that_counts_the_rest() -> None:
    errors = parse("1.0.0.1/8\n" * MAX_ENTRIES).errors

    assert len(errors) == MAX_ERRORS + 1
    assert (errors[-1].code, errors[-1].line, errors[-1].column) == ("more_errors", MAX_ERRORS + 1, 1)
    assert "99,900 more errors" in errors[-1].message


@given(st.text(st.characters(), max_size=300))
def test_no_text_whatever_makes_it_raise(text: str) -> None:
    parsed = parse(text)

    assert parsed.ok is not bool(parsed.errors)
    for entry in parsed.entries:
        assert parse(entry.network).entries[0].network == entry.network
        assert (entry.comment or "").isprintable()
    for error in parsed.errors:
        error.text.encode("utf-8")
        assert error.message.isascii()


PIECES = [
    "203.0.113.",
    "2001:db8:",
    ":",
    "/",
    "24",
    "-",
    "*",
    "%",
    "#",
    ",",
    "\n",
    " ",
    "[",
    "]",
    ";",
    "0",
    "::ffff:",
    RTL,
]


@given(st.lists(st.sampled_from(PIECES), max_size=20).map("".join))
def test_near_misses_are_refused_or_read_but_never_raise_and_suggest_only_correct_lists(text: str) -> None:
    for error in parse(text).errors:
        assert error.suggestion is None or parse(error.suggestion).ok
