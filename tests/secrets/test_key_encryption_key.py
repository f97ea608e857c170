from __future__ import annotations

import base64
import errno
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from chekt_mcp.errors import SecretUnreadable
from chekt_mcp.secrets import key_encryption_key
from chekt_mcp.secrets.key_encryption_key import create_file, load
from survivors import assert_gone, watched_pipe

KEY, OTHER, THIRD = b"k" * 32, b"o" * 32, b"t" * 32


def encoded(key: bytes) -> str:
    return base64.b64encode(key).decode()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "kek"
    made.touch(mode=0o600)
    made.write_text(encoded(KEY) + "\n")
    return made


def refusal(file: Path, *, text: str | None = None, command: tuple[str, ...] | None = None) -> SecretUnreadable:
    with pytest.raises(SecretUnreadable) as caught:
        load(file=file, encoded=text, command=command)
    assert caught.value.fix
    assert encoded(KEY)[:20] not in str(caught.value)
    return caught.value


def test_the_environment_wins_over_the_command_and_the_command_over_the_file(file: Path) -> None:
    command = ("echo", encoded(OTHER))
    assert load(file=file, encoded=None, command=None) == KEY
    assert load(file=file, encoded=None, command=command) == OTHER
    assert load(file=file, encoded=f" {encoded(THIRD)}\n", command=command) == THIRD


@pytest.mark.parametrize(
    "text",
    ["", "short", encoded(b"k" * 31), encoded(b"k" * 33), encoded(KEY)[:-1], "?" + encoded(KEY), encoded(KEY) * 2],
)
def test_anything_but_32_bytes_in_base64_is_refused_and_not_repeated(file: Path, text: str) -> None:
    error = refusal(file, text=text)
    assert "CHEKT_MCP_KEK" in error.message
    assert error.__context__ is None
    refusal(file, command=("printf", "%s", text))
    file.write_text(text)
    refusal(file)


def test_a_bad_key_never_falls_back_to_the_next_source(file: Path) -> None:
    refusal(file, text="bad", command=("echo", encoded(OTHER)))
    refusal(file, command=("false",))


@pytest.mark.parametrize(
    "command",
    [("/nowhere/kms",), ("false",), ("sh", "-c", f"echo {encoded(KEY)}; exit 1"), ("sh", "-c", "kill -9 $$")],
)
def test_a_command_that_fails_is_refused_whatever_it_printed(
    file: Path, command: tuple[str, ...], capfd: pytest.CaptureFixture[str]
) -> None:
    assert "CHEKT_MCP_KEK_COMMAND" in refusal(file, command=command).fix
    assert capfd.readouterr() == ("", "")


def test_a_command_that_hangs_is_killed_with_all_it_started(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_encryption_key, "COMMAND_TIMEOUT", 0.3)
    with watched_pipe(tmp_path / "alive") as alive:
        refusal(file, command=("sh", "-c", 'exec 3> "$0"; sleep 600 & sleep 600', str(tmp_path / "alive")))
        assert_gone(alive)


def test_the_command_does_not_get_our_secrets(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHEKT_API_KEY", "our-secret")
    monkeypatch.setenv("KMS_REPLY", encoded(OTHER))
    command = ("sh", "-c", 'test -z "$CHEKT_API_KEY" && echo "$KMS_REPLY"')
    assert load(file=file, encoded=None, command=command) == OTHER


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o644, 0o601])
def test_a_file_open_to_others_is_refused(file: Path, mode: int) -> None:
    file.chmod(mode)
    assert "chmod 600" in refusal(file).fix


def test_a_missing_file_says_what_is_lost(tmp_path: Path) -> None:
    assert "backup" in refusal(tmp_path / "kek").fix


def test_a_directory_in_its_place_is_refused(tmp_path: Path) -> None:
    refusal(tmp_path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to another user")
def test_a_file_of_another_user_is_refused(file: Path) -> None:
    os.chown(file, 65534, 65534)
    refusal(file)


def test_a_new_file_holds_the_key_for_this_user_only(tmp_path: Path) -> None:
    file = tmp_path / "kek"
    assert create_file(file, lambda length: b"k" * length) == KEY
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert load(file=file, encoded=None, command=None) == KEY
    assert list(tmp_path.iterdir()) == [file]


def test_a_file_that_stands_is_never_replaced(file: Path) -> None:
    assert create_file(file, lambda length: b"o" * length) == KEY


def test_a_file_that_stands_and_cannot_be_used_is_left_as_it_is(file: Path) -> None:
    file.write_text("damaged")
    with pytest.raises(SecretUnreadable):
        create_file(file, lambda length: b"o" * length)
    assert file.read_text() == "damaged"


def test_a_full_disk_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(SecretUnreadable, match="cannot be written"):
        create_file(tmp_path / "kek", lambda length: b"k" * length)
    assert list(tmp_path.iterdir()) == []


def test_processes_that_create_it_at_once_agree_on_one_key(tmp_path: Path) -> None:
    script = (
        "import os, sys; from pathlib import Path; from chekt_mcp.secrets.key_encryption_key import create_file\n"
        "sys.stdin.read(); print(create_file(Path(sys.argv[1]), os.urandom).hex())\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "kek")]
    running = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(6)]
    for one in running:
        assert one.stdin is not None
        one.stdin.close()
        one.stdin = None
    printed = {one.communicate(timeout=60)[0] for one in running}
    assert printed == {load(file=tmp_path / "kek", encoded=None, command=None).hex() + "\n"}
    assert list(tmp_path.iterdir()) == [tmp_path / "kek"]
