"""Which pieces of a line count as request ids, whoever wrote the line."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chekt_mcp.domain.request_pattern import RequestPattern, request_pattern
from chekt_mcp.errors import InvalidInput

CHEKT_ID = "req_8f2k1m9x"

LINES = [
    (f'203.0.113.7 - - [01/Jul/2026:12:00:00 +0000] "GET / HTTP/1.1" 200 5 "-" "curl/8" {CHEKT_ID}', [CHEKT_ID]),
    (f'{{"level": "info", "request_id": "{CHEKT_ID}"}}', [CHEKT_ID]),
    ('{"request_id": "a-1"}', ["a-1"]),
    ('{"requestId":"a-1"}', ["a-1"]),
    ('{"x-request-id" : "a-1"}', ["a-1"]),
    ('{"http": {"headers": {"X-Request-Id": "a-1"}}}', ["a-1"]),
    (f'{{"request_id": "own-7", "upstream": "{CHEKT_ID}"}}', ["own-7", CHEKT_ID]),
    (f"{CHEKT_ID} {CHEKT_ID} req_otherone", [CHEKT_ID, "req_otherone"]),
    ('{"request_id": "a\\u002d1"}', ["a-1"]),
    ('{"request_id": "\\ud800"}', ["\ud800"]),
    ('{"request_id": "a\\q"}', ["a\\q"]),
    ('{"request_id": "cut off', []),
    ('{"request_id": 17, "request_id_of": "x"}', []),
    ('{"message": "{\\"request_id\\": \\"made-up\\"}"}', []),
    ("req_short req_", []),
    ("", []),
]


@pytest.mark.parametrize(("line", "expected"), LINES)
def test_without_a_pattern_chekts_ids_and_the_json_fields_are_found(line: str, expected: list[str]) -> None:
    assert RequestPattern().ids_in(line) == expected


@pytest.mark.parametrize(
    ("pattern", "line", "expected"),
    [
        (r"[0-9a-f]{8}", "id=0123abcd, then 4567cdef", ["0123abcd", "4567cdef"]),
        (r"rid=(\w+)", "rid=a rid=b rid=a", ["a", "b"]),
        (r"rid=(\w+)|id:(\w+)", "id:b", ["b"]),
        (r"x*", "yy", []),
        (r"(x)?y", "y", []),
        (r"rid=(\w+)", f"{CHEKT_ID} without one", []),
    ],
)
def test_a_pattern_of_ones_own_gives_its_group_or_the_whole(pattern: str, line: str, expected: list[str]) -> None:
    assert request_pattern(pattern).ids_in(line) == expected


@pytest.mark.parametrize("pattern", ["(", "[", "*", "a{2,1}", "(?P<x", "\\", "a" * 501, "(" * 400])
def test_what_is_no_pattern_is_refused_without_an_echo(pattern: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        request_pattern(pattern)
    assert (caught.value.code, caught.value.field) == ("bad_pattern", "pattern")
    assert len(str(caught.value)) < 200


def test_a_pattern_that_a_later_python_may_read_otherwise_is_taken_quietly() -> None:
    assert request_pattern("[[a]").ids_in("a") == ["a"]


@given(st.text())
def test_the_field_of_any_json_line_is_found_exactly(value: str) -> None:
    line = json.dumps({"message": value, "request_id": "a-1"})
    assert "a-1" in RequestPattern().ids_in(line)


@given(st.text(min_size=1, max_size=30).filter(lambda text: len(json.dumps(text)) < 150))
def test_any_value_of_a_field_comes_back_as_it_was_written(value: str) -> None:
    assert RequestPattern().ids_in(json.dumps({"requestId": value}))[0] == value


def test_a_long_line_of_beginnings_takes_no_time_that_grows_with_its_square() -> None:
    assert RequestPattern().ids_in('"request_id": "' + '"request_id":\\' * 5_000) == []
