"""A packed log is read as it was before it was packed; what is damaged gives what was whole, and a bomb nothing."""

from __future__ import annotations

import gzip
import json
import os
import tempfile
from pathlib import Path

import pytest

from chekt_mcp.errors import InvalidInput
from chekt_mcp.operations.audit.log_file import unpacked
from chekt_mcp.operations.audit.log_file.opened import opened
from chekt_mcp.operations.audit.log_file.row import FileCode, RawRow, RowProblem

HEADER = "timestamp,action,result,request_id\n"
LINES = [f"2026-06-01T00:00:{number:02}Z,GET /,ok,req_{number}\n" for number in range(60)]
TEXT = HEADER + "".join(LINES)


def rows(directory: Path, data: bytes, name: str = "log.csv.gz") -> list[RawRow | RowProblem]:
    file = directory / name
    file.write_bytes(data)
    with opened(file) as log:
        found = list(log.rows())
        assert log.position == log.size
        assert not log.is_other()
    return found


def plain(directory: Path) -> list[RawRow | RowProblem]:
    return rows(directory, TEXT.encode(), "log.csv")


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_a_packed_log_is_the_log(tmp_path: Path, mark: bytes) -> None:
    assert rows(tmp_path, gzip.compress(mark + TEXT.encode())) == plain(tmp_path)


def test_members_one_after_the_other_are_one_log(tmp_path: Path) -> None:
    middle = len(TEXT) // 2  # in the middle of a row
    members = gzip.compress(TEXT[:middle].encode()) + gzip.compress(TEXT[middle:].encode()) + b"\0" * 512
    assert rows(tmp_path, members) == plain(tmp_path)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-16-le"])
@pytest.mark.parametrize("packed", [True, False])
def test_utf_16_is_read_as_well(tmp_path: Path, encoding: str, *, packed: bool) -> None:
    data = (TEXT if encoding == "utf-16" else "\ufeff" + TEXT).encode(encoding)
    assert rows(tmp_path, gzip.compress(data) if packed else data, "log.csv") == plain(tmp_path)


def test_a_lone_surrogate_in_utf_16_costs_its_own_row_only(tmp_path: Path) -> None:
    data = ("\ufeff" + TEXT.replace("req_7\n", "\ud800\n")).encode("utf-16-le", "surrogatepass")
    found = rows(tmp_path, data, "log.csv")
    assert [one.code for one in found if isinstance(one, RowProblem)] == [FileCode.BAD_ENCODING]
    assert len(found) == 60


def test_json_lines_are_known_by_the_name_before_it_was_packed(tmp_path: Path) -> None:
    line = json.dumps({"entries": [1]}) + "\n"
    assert rows(tmp_path, gzip.compress(line.encode() * 2), "log.JSONL.gz") == [
        RawRow(number, {"entries": [1]}) for number in (1, 2)
    ]


@pytest.mark.parametrize("cut", [8, 40, 200])
def test_of_a_file_that_breaks_off_whole_rows_are_taken_and_the_rest_is_said(tmp_path: Path, cut: int) -> None:
    stored = gzip.compress(TEXT.encode(), compresslevel=0)  # nothing is packed, so that a byte lost is a byte lost
    *whole, last = rows(tmp_path, stored[:-cut])
    assert isinstance(last, RowProblem)
    assert (last.code, last.line) == (FileCode.BROKEN_FILE, len(whole) + 2)
    assert whole == plain(tmp_path)[: len(whole)]
    assert len(whole) >= 60 - cut // len(LINES[0]) - 1


def test_what_follows_the_packed_text_is_said_and_the_text_is_taken(tmp_path: Path) -> None:
    *whole, last = rows(tmp_path, gzip.compress(TEXT.encode()) + b"something else")
    assert whole == plain(tmp_path)
    assert isinstance(last, RowProblem)


def test_a_bomb_is_refused_before_it_fills_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpacked, "UNCHECKED", 1_000_000)
    bomb = gzip.compress((HEADER + LINES[0]).encode() + b"\n" * 3_000_000)
    with pytest.raises(InvalidInput) as refusal:
        rows(tmp_path, bomb)
    assert refusal.value.code == "unpacked_too_large"


def test_a_full_disk_is_said_as_what_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    full = open("/dev/full", "r+b", buffering=0)  # noqa: SIM115, PTH123 -- closed by the code that is tried
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda: full)
    with pytest.raises(InvalidInput) as refusal:
        rows(tmp_path, gzip.compress(TEXT.encode()))
    assert refusal.value.code == "no_room"


def test_a_log_packed_twice_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput) as refusal:
        rows(tmp_path, gzip.compress(gzip.compress(TEXT.encode())))
    assert refusal.value.code == "unknown_format"


def test_a_file_with_other_bytes_of_the_same_size_and_time_is_another_one(tmp_path: Path) -> None:

    file = tmp_path / "log.csv"
    file.write_text(TEXT)
    state = file.stat()
    with opened(file) as log:
        file.write_text(TEXT.replace("req_7", "req_8"))
        os.utime(file, ns=(state.st_atime_ns, state.st_mtime_ns))
        assert (log.changed(), log.is_other()) == (False, True)
