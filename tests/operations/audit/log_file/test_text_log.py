"""Lines of any log: plain or gzip, in whatever encoding, never more than a limit of each."""

from __future__ import annotations

import gzip
import tracemalloc
from pathlib import Path

import pytest

from chekt_mcp.errors import InvalidInput
from chekt_mcp.operations.audit.log_file.text_log import LINE_LIMIT, Line, opened_text

PLAIN = b"first\nsecond\r\n\nlast"


def lines(file: Path) -> list[Line]:
    with opened_text(file) as log:
        return list(log.lines())


def code(file: Path) -> str:
    with pytest.raises(InvalidInput) as caught:
        lines(file)
    return caught.value.code


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "access.log"


@pytest.mark.parametrize("packed", [PLAIN, gzip.compress(PLAIN), gzip.compress(PLAIN[:8]) + gzip.compress(PLAIN[8:])])
def test_lines_are_numbered_whether_packed_or_not(file: Path, packed: bytes) -> None:
    file.write_bytes(packed)
    assert [(line.number, line.text.strip()) for line in lines(file)] == [
        (1, "first"),
        (2, "second"),
        (3, ""),
        (4, "last"),
    ]


def test_an_empty_file_has_no_lines(file: Path) -> None:
    file.write_bytes(b"")
    assert lines(file) == []


def test_bytes_that_are_not_utf_8_stay_readable(file: Path) -> None:
    file.write_bytes(b"caf\xe9 \x00 req_1\n\xff\xfb")
    assert [line.text for line in lines(file)] == ["caf\\xe9 \x00 req_1\n", "\\xff\\xfb"]


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_of_a_long_line_the_beginning_is_read_and_the_next_line_is_the_next(file: Path, end: bytes) -> None:
    file.write_bytes(b"x" * (3 * LINE_LIMIT) + end + b"y" * LINE_LIMIT + end + b"z")
    long, full, short = lines(file)
    assert (long.cut, len(long.text)) == (True, LINE_LIMIT)
    assert (full.cut, full.number) == (False, 2)
    assert short == Line(3, "z", cut=False)


@pytest.mark.parametrize("kept", [0.3, 0.99])
def test_gzip_that_breaks_off_is_refused_and_not_taken_for_the_whole(file: Path, kept: float) -> None:
    packed = gzip.compress(b"".join(b"%d %d\n" % (number, number * number) for number in range(10_000)))
    file.write_bytes(packed[: int(len(packed) * kept)])
    assert code(file) == "damaged_file"


def test_gzip_with_another_byte_is_refused(file: Path) -> None:
    packed = bytearray(gzip.compress(PLAIN * 100))
    packed[-6] ^= 1
    file.write_bytes(packed)
    assert code(file) == "damaged_file"


@pytest.mark.parametrize("begins", [b"PK\x03\x04", b"\xff\xfea\x00", b"BZh9", b"\xfd7zXZ\x00"])
def test_what_is_neither_text_nor_gzip_is_said_to_be(file: Path, begins: bytes) -> None:
    file.write_bytes(begins)
    assert code(file) == "unknown_format"


@pytest.mark.parametrize("name", ["missing", ".", "a\0b"])
def test_what_cannot_be_read_is_said(tmp_path: Path, name: str) -> None:
    assert code(tmp_path / name) == "unreadable_file"


def test_a_packed_line_of_any_length_is_never_held_in_memory(file: Path) -> None:
    with gzip.open(file, "wb", compresslevel=1) as packed:
        for _ in range(64):
            packed.write(bytes(1024 * 1024))
    tracemalloc.start()
    (line,) = lines(file)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (line.cut, len(line.text)) == (True, LINE_LIMIT)
    assert peak < 4 * 1024 * 1024


def test_a_file_that_grew_meanwhile_is_said_to_have_changed(file: Path) -> None:
    file.write_bytes(PLAIN)
    with opened_text(file) as log:
        assert not log.changed()
        file.write_bytes(PLAIN + b"more\n")
        assert log.changed()
