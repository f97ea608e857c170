"""The key on stdio is the one in the file now; what is wrong with the file is said, and no old key is used instead."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from chekt_mcp.auth.credential import NO_KEY, KeySource, Problem
from chekt_mcp.secrets.file import read_key_file

KEY = "chekt_test_" + "EXAMPLE0" * 4
OTHER = "chekt_test_" + "EXAMPLE1" * 4


class Counted:
    """Reads key files as the program does, and counts how often."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self, path: Path) -> str:
        self.times += 1
        return read_key_file(path)


def key_file(directory: Path, content: str = KEY + "\n", mode: int = 0o600) -> Path:
    path = directory / "key"
    path.write_text(content, "utf-8")
    path.chmod(mode)
    return path


def source(file: Path | None, value: str | None = None) -> KeySource:
    return KeySource(file=file, value=value, read_file=read_key_file)


def problem(keys: KeySource) -> str:
    found = keys.current()
    assert isinstance(found, Problem)
    assert found.message
    assert found.fix
    assert "EXAMPLE" not in found.message + found.fix
    return found.code


def test_a_key_given_as_a_value_is_used_as_it_is() -> None:
    assert source(None, KEY).current() == KEY
    assert source(None, KEY + "\n").current() == KEY + "\n"


@pytest.mark.parametrize("value", [None, ""])
def test_without_a_key_the_problem_says_how_to_give_one(value: str | None) -> None:
    assert source(None, value).current() == NO_KEY
    assert "CHEKT_API_KEY_FILE" in NO_KEY.fix


def test_a_file_wins_over_a_value_even_when_it_cannot_be_read(tmp_path: Path) -> None:
    assert source(key_file(tmp_path, OTHER), KEY).current() == OTHER
    assert problem(source(tmp_path / "none", KEY)) == "key_file_missing"


def test_an_unchanged_file_is_read_once(tmp_path: Path) -> None:
    reads = Counted()
    keys = KeySource(file=key_file(tmp_path), value=None, read_file=reads)
    assert [keys.current() for _ in range(5)] == [KEY] * 5
    assert reads.times == 1


def test_a_replaced_file_is_read_again_so_a_rotation_reaches_the_session(tmp_path: Path) -> None:
    path = key_file(tmp_path)
    keys = source(path)
    assert keys.current() == KEY
    fresh = tmp_path / "new"
    fresh.write_text(OTHER, "utf-8")
    fresh.chmod(0o600)
    os.utime(fresh, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns))
    fresh.replace(path)
    assert keys.current() == OTHER


FIELDS = ("st_ino", "st_mode", "st_size", "st_mtime_ns", "st_ctime_ns")


class FileWith:
    """A file of which a test says what `stat` reports, and whether it is there."""

    def __init__(self) -> None:
        self.status = dict.fromkeys(FIELDS, 1)
        self.there = True

    def stat(self) -> SimpleNamespace:
        if not self.there:
            raise FileNotFoundError
        return SimpleNamespace(**self.status)


@pytest.mark.parametrize("field", FIELDS)
def test_any_sign_of_a_change_has_the_file_read_again(field: str) -> None:
    file, contents = FileWith(), iter([KEY, OTHER])
    keys = KeySource(file=cast("Path", file), value=None, read_file=lambda _: next(contents))
    assert [keys.current(), keys.current()] == [KEY, KEY]
    file.status[field] += 1
    assert [keys.current(), keys.current()] == [OTHER, OTHER]


def test_a_file_that_was_gone_is_read_again_even_when_it_looks_the_same() -> None:
    file, contents = FileWith(), iter([KEY, OTHER])
    keys = KeySource(file=cast("Path", file), value=None, read_file=lambda _: next(contents))
    assert keys.current() == KEY
    file.there = False
    assert problem(keys) == "key_file_missing"
    file.there = True
    assert keys.current() == OTHER


def test_a_file_that_is_opened_to_everybody_is_refused_from_then_on(tmp_path: Path) -> None:
    path = key_file(tmp_path)
    keys = source(path)
    assert keys.current() == KEY
    path.chmod(0o644)
    assert problem(keys) == "key_file_too_open"
    path.chmod(0o600)
    assert keys.current() == KEY


def test_a_file_that_goes_and_comes_back_is_followed(tmp_path: Path) -> None:
    path = key_file(tmp_path)
    keys = source(path)
    assert keys.current() == KEY
    path.unlink()
    assert problem(keys) == "key_file_missing"
    key_file(tmp_path, OTHER)
    assert keys.current() == OTHER


def test_a_directory_in_place_of_the_file_is_unreadable(tmp_path: Path) -> None:
    assert problem(source(tmp_path)) == "key_file_unreadable"


def test_a_path_through_a_file_is_unreadable(tmp_path: Path) -> None:
    assert problem(source(key_file(tmp_path) / "key")) == "key_file_unreadable"


def test_a_link_in_a_circle_is_unreadable(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    assert problem(source(tmp_path / "loop")) == "key_file_unreadable"


def test_a_file_that_may_not_be_read_is_unreadable(tmp_path: Path) -> None:
    def refused(_: Path) -> str:
        raise PermissionError(13, "Permission denied")

    assert problem(KeySource(file=key_file(tmp_path), value=None, read_file=refused)) == "key_file_unreadable"


@pytest.mark.parametrize(
    ("content", "code"), [("", "key_file_empty"), (" \n", "key_file_empty"), ("x" * 5000, "key_file_too_large")]
)
def test_what_is_wrong_with_the_content_is_said(tmp_path: Path, content: str, code: str) -> None:
    assert problem(source(key_file(tmp_path, content))) == code


def test_an_unreadable_file_does_not_bring_back_the_key_it_held_before(tmp_path: Path) -> None:
    path = key_file(tmp_path)
    keys = source(path)
    assert keys.current() == KEY
    path.write_bytes(b"\xff\xfe")
    assert problem(keys) == "key_file_unreadable"
    assert problem(keys) == "key_file_unreadable"


def test_a_key_source_does_not_show_its_key() -> None:
    assert "EXAMPLE" not in repr(source(None, KEY))
