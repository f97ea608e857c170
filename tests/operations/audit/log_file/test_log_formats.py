"""Every format yields its good rows whatever stands between them, in constant memory and without an exception."""

from __future__ import annotations

import io
import json
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chekt_mcp.errors import InvalidInput
from chekt_mcp.operations.audit.log_file.format import read_rows
from chekt_mcp.operations.audit.log_file.row import MAX_ROW, RawRow, RowProblem


def short(value: object) -> str | None:
    """Name a case by the beginning of its value."""
    return ascii(value)[:24] if isinstance(value, str | bytes) else None


HEADER = "timestamp,action,result,request_id,note"
GOOD = {"timestamp": "2026-06-30T23:59:00Z", "action": "login", "result": "ok", "request_id": "req_1", "note": "x"}
GOOD_CSV = ",".join(GOOD.values())
GOOD_JSON = json.dumps(GOOD)


def rows(data: bytes | str, name: str = "log") -> list[RawRow | RowProblem]:
    raw = data.encode() if isinstance(data, str) else data
    return list(read_rows(io.BytesIO(raw), name))


def seen(data: bytes | str, name: str = "log") -> list[tuple[int, str]]:
    """Return lines, each with the request id of a row or the code of a problem."""
    return [
        (row.line, str(row.fields.get("request_id"))) if isinstance(row, RawRow) else (row.line, row.code.value)
        for row in rows(data, name)
    ]


def csv_of(*lines: str | bytes) -> bytes:
    return b"".join((line.encode() if isinstance(line, str) else line) + b"\n" for line in (HEADER, *lines))


GOOD_ROW = RawRow(2, GOOD)


class TestFormat:
    @pytest.mark.parametrize("mark", ["", "\ufeff"])
    @pytest.mark.parametrize("end", ["\n", "\r\n"])
    def test_csv_with_any_line_end_and_byte_order_mark(self, mark: str, end: str) -> None:
        assert rows(mark + HEADER + end + GOOD_CSV + end) == [GOOD_ROW]

    @pytest.mark.parametrize("mark", ["", "\ufeff"])
    @pytest.mark.parametrize("end", ["\n", "\r\n"])
    @pytest.mark.parametrize(
        "text", ["[{}]", "[ {} ] ", '{{"entries": [{}]}}', '{{"a":{{"b":[1]}}, "entries" :[{}], "next":null}}']
    )
    def test_json_arrays_and_objects_with_entries(self, mark: str, end: str, text: str) -> None:
        filled = (
            text.replace("{{", "<")
            .replace("}}", ">")
            .replace("{}", end + GOOD_JSON)
            .replace("<", "{")
            .replace(">", "}")
        )
        assert rows(mark + filled + end) == [GOOD_ROW]

    @pytest.mark.parametrize("mark", ["", "\ufeff"])
    @pytest.mark.parametrize("end", ["\n", "\r\n"])
    def test_json_lines_with_blank_lines_between(self, mark: str, end: str) -> None:
        assert rows(mark + end + GOOD_JSON + end + end) == [GOOD_ROW]

    def test_a_json_line_that_has_entries_of_its_own_is_told_by_the_name(self) -> None:
        line = json.dumps({"entries": [1], **GOOD})
        assert [type(row) for row in rows(f"{line}\n{line}\n", "log.JSONL")] == [RawRow, RawRow]

    @pytest.mark.parametrize("data", [b"", b"\n\r\n", b"\xef\xbb\xbf", HEADER.encode(), b"[]", b'{"entries": []}'])
    def test_a_file_without_rows_has_none(self, data: bytes) -> None:
        assert rows(data) == []

    @pytest.mark.parametrize("start", [b"\x1f\x8b\x08", b"PK\x03\x04", b"\x28\xb5\x2f\xfd", b"SQLite format 3\0"])
    def test_what_is_packed_or_no_text_is_refused_as_a_whole(self, start: bytes) -> None:
        with pytest.raises(InvalidInput) as refusal:
            rows(start)
        assert refusal.value.code == "unknown_format"

    @pytest.mark.parametrize(
        "header",
        [
            *("timestamp,action,result", "", "a,b\n", GOOD_CSV, HEADER + ",note", '"timestamp', "x" * MAX_ROW + "\n"),
            *(HEADER + ",\0", "t\0i\0"),
        ],
        ids=short,
    )
    def test_csv_without_the_names_of_the_columns_is_refused_as_a_whole(self, header: str) -> None:
        with pytest.raises(InvalidInput) as refusal:
            rows(f"{header or 'hello'}\n{GOOD_CSV}\n")
        assert refusal.value.code == "bad_header"


class TestCsv:
    def test_quoted_fields_may_hold_commas_quotes_and_line_breaks(self) -> None:
        quoted = GOOD_CSV[:-1] + '"a, ""b""\r\nc"'
        found = rows(csv_of(quoted, GOOD_CSV))
        assert found == [RawRow(2, {**GOOD, "note": 'a, "b"\r\nc'}), RawRow(4, GOOD)]

    def test_a_row_in_a_quoted_value_stays_text(self) -> None:
        forged = GOOD_CSV.replace("req_1", "req_forged")
        found = rows(csv_of(GOOD_CSV[:-1] + f'"\n{forged}\n{forged}\n"', GOOD_CSV))
        assert [row.fields["request_id"] for row in found if isinstance(row, RawRow)] == ["req_1", "req_1"]

    @pytest.mark.parametrize("bytes_more", [MAX_ROW, 20 * MAX_ROW])
    @pytest.mark.parametrize("line", ["y", "y" * 99 + "\n", '""', "forged,forged,ok,forged,x\n"])
    def test_a_row_in_a_quoted_value_that_is_too_long_stays_text(self, bytes_more: int, line: str) -> None:
        long = GOOD_CSV[:-1] + '"' + line * (bytes_more // len(line)) + '"'
        assert [what for _, what in seen(csv_of(long, GOOD_CSV))] == ["row_too_long", "req_1"]

    def test_a_row_of_very_many_lines_is_too_long(self) -> None:
        assert [what for _, what in seen(csv_of(GOOD_CSV[:-1] + '"' + "\n" * 100 + '"', GOOD_CSV))] == [
            "row_too_long",
            "req_1",
        ]

    @pytest.mark.parametrize("broken", ['a,"b', 'a,"b"c,d', f'{GOOD_CSV}"y,"', 'a,"' + "b" * MAX_ROW], ids=short)
    @pytest.mark.parametrize(
        "good", [GOOD_CSV, GOOD_CSV[:-1] + '"q"', GOOD_CSV[:-1] + '"a, ""b"""', GOOD_CSV.replace("login", '"a,b"')]
    )
    @pytest.mark.parametrize("count", [3, 5000])
    def test_a_quote_that_is_not_closed_costs_its_own_row_only(self, broken: str, good: str, count: int) -> None:
        found = seen(csv_of(good, broken, *[good] * count, broken, good))
        assert [line for line, what in found if what != "req_1"] == [3, 4 + count]
        assert sum(what == "req_1" for _, what in found) == count + 2

    @pytest.mark.parametrize("quote", ['"', '"""', 'a,"'])
    def test_two_quotes_that_close_each_other_cost_no_row_between_them(self, quote: str) -> None:
        found = seen(csv_of(GOOD_CSV, quote, *[GOOD_CSV] * 90, quote, GOOD_CSV))
        assert [line for line, what in found if what != "req_1"] == [3, 94]
        assert len(found) == 94

    def test_a_stray_quote_in_plain_text_is_text(self) -> None:
        found = rows(csv_of(GOOD_CSV + '" screen', GOOD_CSV))
        assert found == [RawRow(2, {**GOOD, "note": 'x" screen'}), RawRow(3, GOOD)]

    @pytest.mark.parametrize(
        ("line", "code"),
        [
            (b"a\0" + GOOD_CSV.encode(), "nul_character"),
            (GOOD_CSV.encode() + b"\xff", "bad_encoding"),
            (GOOD_CSV.encode()[:-1] + b'"\xff\n\xfe"', "bad_encoding"),
            (b"a" * 10_000_000, "row_too_long"),
            (b"\0" * 10_000_000, "row_too_long"),
            (GOOD_CSV.encode() + b",more", "wrong_width"),
            (b"a,b", "wrong_width"),
            (b"a\rb", "bad_csv"),
        ],
        ids=short,
    )
    def test_a_bad_line_costs_itself_only(self, line: bytes, code: str) -> None:
        found = seen(csv_of(GOOD_CSV, line, GOOD_CSV))
        assert [what for _, what in found] == ["req_1", code, "req_1"]
        assert [number for number, _ in found][:2] == [2, 3]

    def test_a_file_that_ends_within_a_row_loses_that_row_only(self) -> None:
        whole = csv_of(GOOD_CSV, GOOD_CSV[:-1] + '"x y"')
        assert seen(whole[:-3]) == [(2, "req_1"), (3, "bad_csv")]
        assert seen(whole[:-10]) == [(2, "req_1"), (3, "wrong_width")]

    def test_quotes_that_mislead_at_every_line_take_no_quadratic_time(self) -> None:
        assert len(seen(csv_of(*['a",b,"'] * 2000))) == 2000

    @given(st.lists(st.text(st.characters(blacklist_characters='"\n\r', blacklist_categories=["Cs"])), max_size=20))
    def test_lines_without_quotes_are_judged_one_by_one(self, lines: list[str]) -> None:
        found = seen(csv_of(GOOD_CSV, *lines, GOOD_CSV))
        assert (found[0], found[-1]) == ((2, "req_1"), (len(lines) + 3, "req_1"))

    @given(st.binary(max_size=300))
    def test_no_bytes_raise(self, data: bytes) -> None:
        found = rows(csv_of(GOOD_CSV, data))
        assert found[0] == GOOD_ROW
        assert [row.line for row in found] == sorted(row.line for row in found)


BROKEN_JSON = [
    *('{"a": }', '{"a": "b" "c"}', '{"a": NaN}', '{"a": "\t"}', '{"a": ' + "1" * 5000 + "}", '{"a": tru}', "{'a': 1}"),
    *('{"a": "' + "b" * MAX_ROW + '"}', '{"a": ' + "[" * 50_000 + "]" * 50_000 + "}", '{"a": "\\x }, {"}', "nul", "@"),
]
NO_OBJECT = ["1", '"text"', "null", "[]", "[{}]", "true", "1.5e3"]


class TestJsonArray:
    @pytest.mark.parametrize("between", [",", ",\n", "\n ,\r\n "])
    @pytest.mark.parametrize("bad", [*BROKEN_JSON, *NO_OBJECT], ids=short)
    @pytest.mark.parametrize("shape", ["[{}]", '{"entries":[{}],"n":[1]}'])
    def test_a_bad_element_costs_itself_only(self, bad: str, between: str, shape: str) -> None:
        found = seen(shape.replace("{}", between.join([GOOD_JSON, bad, GOOD_JSON])))
        code = "not_an_object" if bad in NO_OBJECT else "row_too_long" if len(bad) > MAX_ROW else "bad_json"
        assert [what for _, what in found] == ["req_1", code, "req_1"]

    def test_a_string_that_is_not_closed_costs_at_most_its_own_line(self) -> None:
        lines = ",\n".join([GOOD_JSON, GOOD_JSON[:-3] + "}", GOOD_JSON, GOOD_JSON])
        assert seen(f"[\n{lines}\n]") == [(2, "req_1"), (3, "bad_json"), (4, "req_1"), (5, "req_1")]

    def test_what_looks_like_a_row_within_the_text_of_a_bad_element_stays_text(self) -> None:
        forged = json.dumps({"note": f"}}, {GOOD_JSON}, " + "x" * MAX_ROW + f", {GOOD_JSON}"})
        assert [what for _, what in seen(f"[{forged}, {GOOD_JSON}]")] == ["row_too_long", "req_1"]

    @pytest.mark.parametrize("length", range(1, len(GOOD_JSON) + 2))
    def test_a_text_that_ends_too_early_keeps_what_was_whole(self, length: int) -> None:
        whole = f"[{GOOD_JSON},{GOOD_JSON}]"
        found = seen(whole[: -len(GOOD_JSON) - 2 + length])
        assert found == [(1, "req_1"), *([(1, "req_1")] if length == len(GOOD_JSON) + 1 else []), (1, "truncated")]

    def test_a_bad_byte_costs_its_own_element_only(self) -> None:
        bad = GOOD_JSON.encode().replace(b"login", b"log\xff\xfein")
        found = seen(b"[" + b",\n".join([GOOD_JSON.encode(), bad, GOOD_JSON.encode()]) + b"]")
        assert found == [(1, "req_1"), (2, "bad_encoding"), (3, "req_1")]

    def test_escaped_surrogates_are_not_bad_bytes(self) -> None:
        assert rows('[{"a": "\\ud800 \\udc80"}]') == [RawRow(1, {"a": "\ud800 \udc80"})]

    @pytest.mark.parametrize("more", ["x", "[]", "{}", f"[{GOOD_JSON}]"])
    def test_what_follows_the_end_is_reported(self, more: str) -> None:
        assert seen(f"[{GOOD_JSON}]\n{more}") == [(1, "req_1"), (2, "trailing_data")]

    def test_pretty_printed_elements_are_found_by_their_first_line(self) -> None:
        assert [line for line, _ in seen(json.dumps([GOOD, GOOD], indent=2))] == [2, 9]

    @pytest.mark.parametrize("shift", range(40))
    def test_elements_and_letters_may_lie_across_any_boundary(self, shift: int) -> None:
        note = "\u00e9\u20ac\U0001f600" * 20
        data = " " * shift + json.dumps([{**GOOD, "note": note}] * 2000, ensure_ascii=False)
        found = rows(data)
        assert len(found) == 2000
        assert all(isinstance(row, RawRow) and row.fields["note"] == note for row in found)

    @given(st.binary(max_size=200), st.booleans())
    @example(b"]", True)  # noqa: FBT003 -- drawn by name otherwise
    @example(b'{"a":"\\', True)  # noqa: FBT003 -- same
    def test_no_bytes_raise_or_hang(self, data: bytes, before: bool) -> None:  # noqa: FBT001 -- hypothesis draws it
        start = b"[" + GOOD_JSON.encode() + b"," if before else b'{"entries":['
        found = rows(start + data)
        assert [row.line for row in found] == sorted(row.line for row in found)


class TestJsonLines:
    @pytest.mark.parametrize("bad", [*BROKEN_JSON, *NO_OBJECT, GOOD_JSON[:-3]], ids=short)
    def test_a_bad_line_costs_itself_only(self, bad: str) -> None:
        found = seen(f"{GOOD_JSON}\n{bad}\n{GOOD_JSON}")
        code = "not_an_object" if bad in NO_OBJECT else "row_too_long" if len(bad) > MAX_ROW else "bad_json"
        assert found == [(1, "req_1"), (2, code), (3, "req_1")]

    @pytest.mark.parametrize(
        ("bad", "code"),
        [(b"\0", "nul_character"), (b"{\xff}", "bad_encoding"), (b"x" * 10_000_000, "row_too_long")],
        ids=short,
    )
    def test_bad_bytes_cost_their_line_only(self, bad: bytes, code: str) -> None:
        found = seen(b"\n".join([GOOD_JSON.encode(), bad, GOOD_JSON.encode()]))
        assert found == [(1, "req_1"), (2, code), (3, "req_1")]

    def test_a_last_line_that_is_not_whole_is_truncated(self) -> None:
        assert seen(f"{GOOD_JSON}\n{GOOD_JSON[:-1]}") == [(1, "req_1"), (2, "truncated")]

    @given(st.lists(st.binary(max_size=60), max_size=10))
    def test_no_lines_raise(self, lines: list[bytes]) -> None:
        found = seen(b"\n".join([GOOD_JSON.encode(), *lines, GOOD_JSON.encode()]), "log.jsonl")
        assert (found[0], found[-1][1]) == ((1, "req_1"), "req_1")


def repeated(kind: str, count: int) -> Iterator[bytes]:
    if kind == "csv":
        yield HEADER.encode() + b"\n"
        yield from (GOOD_CSV.encode() + b"\n" for _ in range(count))
    elif kind == "jsonl":
        yield from (GOOD_JSON.encode() + b"\n" for _ in range(count))
    else:
        yield b"["
        yield from (GOOD_JSON.encode() + b"," for _ in range(count - 1))
        yield GOOD_JSON.encode() + b"]"


@pytest.mark.parametrize("kind", ["csv", "jsonl", "json"])
def test_memory_does_not_grow_with_the_file(kind: str, tmp_path: Path) -> None:
    file = tmp_path / f"log.{kind}"
    with file.open("wb") as out:
        out.writelines(repeated(kind, 70_000))
    assert file.stat().st_size > 2_500_000
    with file.open("rb") as stream:
        tracemalloc.start()
        assert sum(isinstance(row, RawRow) for row in read_rows(stream, file.name)) == 70_000
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 1_000_000
