"""Lines made column by column are those that one entry after the other would give, whatever the entries hold."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chekt_mcp.domain.formula import defused
from chekt_mcp.operations.audit.export_csv import CsvEncoder
from chekt_mcp.operations.audit.export_json import JsonLinesEncoder
from chekt_mcp.operations.audit.export_text import FIELDS, details_text, json_string, moment_text
from export_samples import block_of

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FIRST, LAST = -62_135_596_800_000_000, 253_402_300_799_999_999
"""The moments that a row can have: the years 1 to 9999."""

PLAIN = "req_7f3a"
ODD = ["", "=1+1", "'", " -1", "\t", "a,b", 'a"b', "a\\b", "a\r\nb", "\nb", "a\nb", "a\0b", "\u2028", "\ud800"]
TEXTS = st.sampled_from([PLAIN, *ODD]) | st.text(st.characters(), max_size=8)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**80), 2**80) | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=5,
)
DETAILS = st.none() | TEXTS | st.builds(json.dumps, JSON, ensure_ascii=st.booleans(), indent=st.sampled_from([None, 1]))
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "seq": st.integers(1, 2**40 - 1),
    "timestamp": st.integers(FIRST, LAST),
    "request_id": TEXTS,
    "details": DETAILS,
}
ROWS = st.lists(st.tuples(*(VALUES.get(field, st.none() | TEXTS) for field in FIELDS)), min_size=1, max_size=5)
CHOSEN = st.lists(st.sampled_from(FIELDS), min_size=1, unique=True).map(
    lambda chosen: tuple(field for field in FIELDS if field in chosen)
)
ALIKE = [(at, at, *[PLAIN] * 11, None) for at in (1, 2)]
LONG = [(1, 1, *["x" * 600] * 11, json.dumps({"x": "y" * 600}))] * 2


def moment(at: int) -> str:
    return moment_text(EPOCH + timedelta(microseconds=at))


def member(field: str, value: Any) -> str:
    match field:
        case "seq":
            return str(value)
        case "timestamp":
            return f'"{moment(value)}"'
        case "details":
            return details_text(value)
        case _:
            return "null" if value is None else json_string(value)


def cell(field: str, value: Any) -> str:
    match field:
        case "seq":
            return str(value)
        case "timestamp":
            return moment(value)
        case "details":
            return details_text(value)
        case _:
            return "" if value is None else defused(value)


@given(ROWS, CHOSEN)
@example(ALIKE, FIELDS)
@example(LONG, FIELDS)
def test_lines_of_json_are_those_of_one_entry_after_the_other(
    rows: list[tuple[Any, ...]], fields: tuple[str, ...]
) -> None:
    named = [dict(zip(FIELDS, row, strict=True)) for row in rows]
    objects = (",".join(f'"{field}":{member(field, row[field])}' for field in fields) for row in named)
    expected = "".join(f"{{{members}}}\n" for members in objects).encode("utf-8", "backslashreplace")
    encoder = JsonLinesEncoder(fields)
    assert encoder.block(block_of(rows)) == encoder.block(block_of(rows)) == expected


@given(ROWS, CHOSEN)
@example(ALIKE, FIELDS)
@example(LONG, FIELDS)
@example([(1, 1, *[None] * 6, "", *[None] * 5)], ("request_id",))
@example([(1, 1, *[None] * 6, "", *[None] * 5)], ("app",))
def test_rows_of_csv_are_those_that_pythons_own_writer_makes(
    rows: list[tuple[Any, ...]], fields: tuple[str, ...]
) -> None:
    page = io.StringIO(newline="")
    writer = csv.writer(page, lineterminator="\r\n")
    writer.writerow(fields)
    for row in rows:
        named = dict(zip(FIELDS, row, strict=True))
        writer.writerow([cell(field, named[field]) for field in fields])
    expected = page.getvalue().replace("\0", "\ufffd").encode("utf-8", "backslashreplace")
    encoder = CsvEncoder(fields)
    assert encoder.head() + encoder.block(block_of(rows)) + encoder.tail() == expected


@pytest.mark.parametrize("text", ODD)
def test_a_single_odd_text_is_seen_among_plain_ones(text: str) -> None:
    rows = [(1, 1, *[PLAIN] * 6, one, *[PLAIN] * 4, None) for one in (PLAIN, text, PLAIN)]
    written = JsonLinesEncoder(FIELDS).block(block_of(rows)).decode()
    assert [json.loads(line)["request_id"] for line in written.splitlines()] == [PLAIN, text, PLAIN]
    cells = CsvEncoder(("request_id", "app")).block(block_of(rows)).decode()
    read = list(csv.reader(io.StringIO(cells, newline="")))
    expected = defused(text).replace("\0", "\ufffd").encode("utf-8", "backslashreplace").decode()
    assert read == [[PLAIN, PLAIN], [expected, PLAIN], [PLAIN, PLAIN]]


@pytest.mark.parametrize("at", [FIRST, -1, 0, 59_999_999, 60_000_000, 86_399_999_999, 86_400_000_000, LAST])
def test_moments_keep_every_digit_at_the_seams_of_days_and_minutes(at: int) -> None:
    rows = [(1, at, *[PLAIN] * 11, None)]
    assert json.loads(JsonLinesEncoder(FIELDS).block(block_of(rows)))["timestamp"] == moment(at)
