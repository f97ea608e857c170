from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chekt_mcp.errors import InvalidInput
from chekt_mcp.secrets.file import read_key_file

KEY = "chekt_test_EXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLE"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "key"
    made.touch(mode=0o600)
    return made


def refusal(path: Path) -> InvalidInput:
    with pytest.raises(InvalidInput) as caught:
        read_key_file(path)
    assert caught.value.fix
    assert str(path) not in str(caught.value)
    return caught.value


@pytest.mark.parametrize("content", [KEY, f"{KEY}\n", f"{KEY}\r\n", f"  {KEY}\n\n", f"\ufeff{KEY}"])
def test_the_key_is_read_without_the_whitespace_around_it(path: Path, content: str) -> None:
    path.write_bytes(content.encode())
    assert read_key_file(path) == KEY


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o640])
def test_a_file_of_this_user_or_a_group_is_read(path: Path, mode: int) -> None:
    path.write_text(KEY)
    path.chmod(mode)
    assert read_key_file(path) == KEY


@pytest.mark.parametrize("mode", [0o644, 0o604, 0o602])
def test_a_file_that_everyone_may_use_is_refused(path: Path, mode: int) -> None:
    path.write_text(KEY)
    path.chmod(mode)
    assert refusal(path).code == "key_file_too_open"


def test_a_link_is_followed(path: Path, tmp_path: Path) -> None:
    path.write_text(KEY)
    (tmp_path / "link").symlink_to(path)
    assert read_key_file(tmp_path / "link") == KEY


def test_a_missing_file_is_said_to_be_missing(tmp_path: Path) -> None:
    assert refusal(tmp_path / "missing").code == "key_file_missing"


def test_a_directory_and_a_pipe_are_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    assert refusal(tmp_path).code == "key_file_unreadable"
    assert refusal(tmp_path / "pipe").code == "key_file_unreadable"


def test_a_part_of_the_path_that_is_a_file_is_refused(path: Path) -> None:
    assert refusal(path / "key").code == "key_file_unreadable"


@pytest.mark.parametrize("content", [b"", b"\n", b" \r\n\t"])
def test_an_empty_file_is_said_to_be_empty(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    assert refusal(path).code == "key_file_empty"


def test_the_longest_file_is_4_kib(path: Path) -> None:
    path.write_bytes(b"x" * 4096)
    assert len(read_key_file(path)) == 4096
    path.write_bytes(b"x" * 4097)
    assert refusal(path).code == "key_file_too_large"


@given(st.binary(max_size=5000))
def test_any_content_is_text_or_a_refusal_that_does_not_repeat_it(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "key"
        path.write_bytes(b"EXAMPLE" + content)
        path.chmod(0o600)
        outcome = text_or_refusal(path)
    if isinstance(outcome, str):
        assert outcome.startswith("EXAMPLE")
    else:
        assert outcome.code in {"key_file_unreadable", "key_file_too_large"}
        assert outcome.__context__ is None
        assert "EXAMPLE" not in repr(outcome)


def text_or_refusal(path: Path) -> str | InvalidInput:
    try:
        return read_key_file(path)
    except InvalidInput as error:
        return error
