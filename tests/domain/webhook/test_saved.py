"""Saved deliveries: whatever shape the file has, the body is its very bytes and the headers are as they came."""

from __future__ import annotations

import contextlib
import json
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chekt_mcp.domain.webhook.saved import CHUNKED, LINE_FEEDS, Pairs, SavedDelivery, read_dump, read_headers
from chekt_mcp.errors import InvalidInput

PAIRS: Pairs = [("X-CHeKT-Signature", "ab" * 32), ("x-chekt-timestamp", "1771200000")]
NAMES = st.text(string.ascii_letters + string.digits + "-_!#$%&'*+.^`|~", min_size=1, max_size=40)
VALUES = st.text(st.characters(codec="latin-1", exclude_characters="\r\n"), max_size=60).map(
    lambda text: text.strip(" \t")
)
PLAIN_VALUES = VALUES.filter(lambda text: not text.endswith("\r"))
HEADS = st.lists(st.tuples(NAMES, PLAIN_VALUES), min_size=1, max_size=8)
START_LINES = st.sampled_from(
    [b"POST /chekt?x=1 HTTP/1.1", b"POST /chekt HTTP/2", b"HTTP/1.1 200 OK", b"HTTP/2 200 ", b"HTTP/1.0 404", b""]
)


def head(pairs: Pairs, end: bytes, start: bytes = b"") -> bytes:
    lines = [start] if start else []
    lines += [f"{name}: {value}".encode("latin-1") for name, value in pairs]
    return end.join(lines) + end


@given(START_LINES, HEADS, st.binary(max_size=200), st.sampled_from([b"\r\n", b"\n"]))
def test_a_dump_of_any_shape_gives_back_headers_and_the_bodys_very_bytes(
    start: bytes, pairs: Pairs, body: bytes, end: bytes
) -> None:
    saved = read_dump(head(pairs, end, start) + end + body)
    assert (saved.headers, saved.body) == (pairs, body)


@given(HEADS, st.sampled_from([b"\r\n", b"\n"]))
def test_a_file_of_lines_gives_back_the_headers(pairs: Pairs, end: bytes) -> None:
    assert read_headers(head(pairs, end)) == pairs


@given(st.lists(st.tuples(NAMES, st.text(st.characters(exclude_categories=["Cs"]))), min_size=1, max_size=8))
def test_a_json_object_gives_back_the_headers_repeated_names_too(pairs: Pairs) -> None:
    members = ",".join(f"{json.dumps(name)}:{json.dumps(value)}" for name, value in pairs)
    assert read_headers(f" {{{members}}}\n".encode()) == pairs


@given(st.binary(max_size=300))
def test_whatever_the_file_holds_it_is_read_or_refused(data: bytes) -> None:
    for read in (read_headers, read_dump):
        with contextlib.suppress(InvalidInput):
            read(data)


def test_a_list_in_json_is_a_name_that_came_several_times() -> None:
    assert read_headers(b'{"A": ["1", "2"], "B": "3"}') == [("A", "1"), ("A", "2"), ("B", "3")]


@pytest.mark.parametrize(
    "text",
    [
        b"[]",
        b'["a", "b"]',
        b"{",
        b'{"A": 1}',
        b'{"A": null}',
        b'{"A": {"B": "1"}}',
        b'{"A": [{"B": "1"}]}',
        b"[" * 9999,
    ],
)
def test_json_that_is_no_object_of_texts_is_refused(text: bytes) -> None:
    with pytest.raises(InvalidInput) as refused:
        read_headers(text)
    assert refused.value.code == "bad_headers"


@pytest.mark.parametrize(
    ("line", "number"),
    [(b"no header", 2), (b"Name : SENT", 2), (b"\xc3\xa9: SENT", 2), (b"", 2), (b" SENT", 2), (b": SENT", 2)],
)
def test_a_line_that_is_no_header_is_named_by_its_number_and_not_echoed(line: bytes, number: int) -> None:
    with pytest.raises(InvalidInput, match=f"Line {number} ") as refused:
        read_headers(b"A: 1\n" + line + b"\nB: 2")
    assert "SENT" not in str(refused.value)


@pytest.mark.parametrize("data", [b"", b"POST / HTTP/1.1\r\nA: 1\r\n", b"A: 1\n" * 50_000 + b"\n"])
def test_a_dump_without_an_end_of_its_head_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidInput) as refused:
        read_dump(data)
    assert refused.value.code == "bad_dump"


def test_headers_beyond_64_kib_are_refused() -> None:
    with pytest.raises(InvalidInput, match="64 KiB"):
        read_headers(b"A: 1\n" * 20_000)


def test_interim_answers_before_the_real_one_are_passed_over() -> None:
    dump = (
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
        + head(PAIRS, b"\r\n")
        + b"\r\n{}"
    )
    assert read_dump(dump) == SavedDelivery(PAIRS, b"{}")


def test_a_body_that_looks_like_a_head_or_ends_in_line_ends_stays_as_it_is() -> None:
    body = b"\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n{}\n\n"
    assert read_dump(head(PAIRS, b"\r\n") + b"\r\n" + body).body == body


def test_the_mark_an_editor_puts_first_is_left_out() -> None:
    assert read_headers(b"\xef\xbb\xbf" + head(PAIRS, b"\n")) == PAIRS
    assert read_dump(b"\xef\xbb\xbf" + head(PAIRS, b"\r\n") + b"\r\n\xef\xbb\xbf{}").body == b"\xef\xbb\xbf{}"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be"])
def test_utf_16_is_refused_with_where_it_comes_from(encoding: str) -> None:
    data = ("\ufeff" if encoding == "utf-16-be" else "") + "A: 1\n\n{}"
    for read in (read_headers, read_dump):
        with pytest.raises(InvalidInput, match="PowerShell"):
            read(data.encode(encoding))


def test_a_chunked_body_is_not_decoded_and_that_is_said() -> None:
    body = b"2\r\n{}\r\n0\r\n\r\n"
    saved = read_dump(b"Transfer-Encoding: gzip, Chunked\r\nContent-Length: 2\r\n\r\n" + body)
    assert (saved.body, saved.notes) == (body, (CHUNKED,))


@pytest.mark.parametrize(("length", "body"), [(b"2", b"{}\n"), (b"1000000", b"{}")])
def test_a_length_that_does_not_fit_is_said_and_nothing_is_cut(length: bytes, body: bytes) -> None:
    saved = read_dump(b"Content-Length: " + length + b"\r\n\r\n" + body)
    assert saved.body == body
    assert f"{int(length):,} bytes" in saved.notes[0]
    assert f"has {len(body)}." in saved.notes[0]


@pytest.mark.parametrize("length", [b"2", b"x", b"-1", b"9" * 5000])
def test_a_length_that_fits_or_is_none_gives_no_note(length: bytes) -> None:
    assert read_dump(b"Content-Length: " + length + b"\r\n\r\n{}").notes == ()


def test_line_feeds_alone_are_said() -> None:
    assert read_dump(b"A: 1\nB: 2\n\n{}").notes == (LINE_FEEDS,)
