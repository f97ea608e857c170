from __future__ import annotations

import asyncio
import errno
import fcntl
import json
import os
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from chekt_mcp.errors import DeliveryFailed
from chekt_mcp.secrets.file import FileSink

OLD = "chekt_test_EXAMPLEOLDOLDOLDOLDOLDOLDOLDOLDOLDOLD"
NEW = "chekt_test_EXAMPLENEWNEWNEWNEWNEWNEWNEWNEWNEWNEW"
NOBODY = 65534
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to another user")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "secrets" / "front-desk.api_key"


@pytest.fixture
def old(path: Path) -> Path:
    path.parent.mkdir(mode=0o700)
    path.write_text(OLD + "\n")
    return path


@contextmanager
def unprivileged_directory() -> Iterator[Path]:
    """A directory of an ordinary user, and that user's rights: root may write anywhere."""
    with tempfile.TemporaryDirectory() as name:
        user = os.geteuid()
        if user == 0:
            os.chown(name, NOBODY, NOBODY)
            os.seteuid(NOBODY)
        try:
            yield Path(name)
        finally:
            os.seteuid(user)


def sink(path: Path) -> FileSink:
    return FileSink(path, "acme/front-desk.api_key in the secrets directory")


def deliver(path: Path, value: str = NEW) -> None:
    asyncio.run(sink(path).deliver(value))


def prove(path: Path) -> None:
    asyncio.run(sink(path).prove())


def assert_refused(path: Path, says: str) -> None:
    """Both proving and delivering are refused, name the reference and no path, and leave everything as it was."""
    before = listing(path)
    for attempt in (prove, deliver):
        with pytest.raises(DeliveryFailed, match=says) as caught:
            attempt(path)
        assert "acme/front-desk.api_key" in caught.value.message
        assert str(path.parent) not in str(caught.value)
        assert NEW not in str(caught.value)
        assert caught.value.fix
        assert caught.value.code == "delivery_failed"
    assert listing(path) == before


def listing(path: Path) -> list[tuple[str, bytes | None]]:
    found = sorted(path.parent.parent.rglob("*"))
    return [(str(one), one.read_bytes() if one.is_file() else None) for one in found]


def test_the_file_holds_the_value_and_a_newline_for_this_user_only(path: Path) -> None:
    deliver(path)
    assert path.read_text() == NEW + "\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(path.parent.iterdir()) == [path]


def test_missing_directories_are_made_for_this_user_only(path: Path) -> None:
    deliver(path.parent / "acme" / "key")
    for made in (path.parent, path.parent / "acme"):
        assert stat.S_IMODE(made.stat().st_mode) == 0o700


@pytest.mark.parametrize("umask", [0o000, 0o077, 0o377])
def test_the_umask_changes_nothing(old: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        deliver(old)
    finally:
        os.umask(before)
    assert stat.S_IMODE(old.stat().st_mode) == 0o600


def test_an_old_file_that_was_open_to_others_is_replaced_by_a_private_one(old: Path) -> None:
    old.chmod(0o644)
    deliver(old)
    assert stat.S_IMODE(old.stat().st_mode) == 0o600


def test_proving_leaves_nothing_behind_and_the_old_value_in_place(old: Path) -> None:
    before = listing(old)
    prove(old)
    prove(old.parent / "acme" / "deeper" / "key")
    assert listing(old) == before


def test_delivering_twice_is_harmless(path: Path) -> None:
    deliver(path)
    deliver(path)
    assert path.read_text() == NEW + "\n"


class TestLinks:
    def test_a_link_of_this_user_is_followed_and_stays_a_link(self, old: Path, tmp_path: Path) -> None:
        link, second = tmp_path / "link", tmp_path / "second"
        link.symlink_to(old)
        second.symlink_to("link")
        prove(second)
        deliver(second)
        assert second.is_symlink()
        assert link.is_symlink()
        assert old.read_text() == NEW + "\n"

    def test_a_link_to_nowhere_is_refused(self, old: Path) -> None:
        link = old.parent / "link"
        link.symlink_to(old.parent / "missing")
        assert_refused(link, "link to nowhere")

    def test_a_link_in_a_circle_is_refused(self, old: Path) -> None:
        link = old.parent / "link"
        link.symlink_to(link)
        assert_refused(link, "link to nowhere")

    def test_a_link_to_a_directory_is_refused(self, old: Path) -> None:
        link = old.parent / "link"
        (old.parent / "directory").mkdir()
        link.symlink_to(old.parent / "directory")
        assert_refused(link, "something else than a file")

    @needs_root
    @pytest.mark.parametrize("foreign", ["link", "file"])
    def test_a_link_or_file_of_another_user_is_refused(self, old: Path, foreign: str) -> None:
        link = old.parent / "link"
        link.symlink_to(old)
        os.chown(link if foreign == "link" else old, NOBODY, NOBODY, follow_symlinks=False)
        assert_refused(link, "not this user's")


class TestWhatIsThere:
    def test_a_directory_in_its_place_is_refused(self, old: Path) -> None:
        directory = old.parent / "directory"
        directory.mkdir()
        assert_refused(directory, "something else than a file")

    def test_a_pipe_in_its_place_is_refused_without_waiting(self, old: Path) -> None:
        os.mkfifo(old.parent / "pipe")
        assert_refused(old.parent / "pipe", "something else than a file")

    def test_a_file_that_holds_more_than_a_key_is_left_alone(self, old: Path) -> None:
        old.write_text("x" * 4097)
        assert_refused(old, "more than a key")

    def test_a_file_where_a_directory_should_be_is_refused(self, old: Path) -> None:
        assert_refused(old / "key", "not a directory")

    def test_a_name_that_is_too_long_is_refused(self, old: Path) -> None:
        assert_refused(old.parent / ("x" * 300), "ENAMETOOLONG")

    @pytest.mark.parametrize("mode", [0o770, 0o707, 0o1777])
    def test_a_directory_that_others_may_write_is_refused(self, old: Path, mode: int) -> None:
        old.parent.chmod(mode)
        assert_refused(old, "others may write in its directory")

    @needs_root
    def test_a_directory_of_another_user_is_refused(self, old: Path) -> None:
        os.chown(old.parent, NOBODY, NOBODY)
        assert_refused(old, "belongs to another user")


class TestRefusedByTheSystem:
    def test_a_read_only_directory_leaves_the_old_file_intact(self) -> None:
        with unprivileged_directory() as directory:
            old = directory / "secrets" / "key"
            old.parent.mkdir()
            old.write_text(OLD)
            old.parent.chmod(0o500)
            assert_refused(old, "may not write there")
            old.parent.chmod(0o700)

    def test_a_directory_that_cannot_be_made_leaves_nothing_half_made(self) -> None:
        with unprivileged_directory() as directory:
            directory.chmod(0o500)
            assert_refused(directory / "secrets" / "key", "may not write there")
            directory.chmod(0o700)

    @pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
    def test_a_disk_that_fills_up_halfway_leaves_the_old_file_intact(
        self, old: Path, monkeypatch: pytest.MonkeyPatch, code: int
    ) -> None:
        write = os.write

        def fills_up(handle: int, content: bytes) -> int:
            if len(content) < 40:
                raise OSError(code, os.strerror(code))
            return write(handle, content[:10])

        monkeypatch.setattr(os, "write", fills_up)
        assert_refused(old, "disk is full|quota")

    def test_a_real_file_size_limit_leaves_the_old_file_intact(self, old: Path) -> None:
        script = (
            "import asyncio, resource, sys; from pathlib import Path\n"
            "from chekt_mcp.secrets.file import FileSink; from chekt_mcp.errors import DeliveryFailed\n"
            "resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))\n"
            "sink = FileSink(Path(sys.argv[1]), 'the file')\n"
            "for work in (sink.prove(), sink.deliver('x' * 40)):\n"
            "    try: asyncio.run(work); print('done')\n"
            "    except DeliveryFailed as error: print(error.message)\n"
        )
        before = listing(old)
        done = subprocess.run(
            [sys.executable, "-c", script, old], capture_output=True, text=True, check=True, timeout=30
        )
        assert (
            done.stdout.splitlines()
            == ["The new key could not be put into the file: no file may grow that long here."] * 2
        )
        assert listing(old) == before

    @pytest.mark.parametrize("code", [errno.EROFS, errno.EBUSY, errno.EIO])
    def test_a_rename_that_is_refused_leaves_the_old_file_intact(
        self, old: Path, monkeypatch: pytest.MonkeyPatch, code: int
    ) -> None:
        def refuses(*_: object, **__: object) -> None:
            raise OSError(code, os.strerror(code))

        before = listing(old)
        monkeypatch.setattr(os, "rename", refuses)
        with pytest.raises(DeliveryFailed):
            deliver(old)
        assert listing(old) == before

    def test_a_file_system_without_modes_is_refused(self, old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        chmod = os.fchmod
        monkeypatch.setattr(os, "fchmod", lambda handle, _: chmod(handle, 0o644))
        assert_refused(old, "cannot keep a file private")

    @pytest.mark.parametrize("existed", [True, False])
    def test_a_directory_that_cannot_be_flushed_brings_the_old_state_back(
        self,
        old: Path,
        monkeypatch: pytest.MonkeyPatch,
        existed: bool,  # noqa: FBT001 -- a test's parameter
    ) -> None:
        if not existed:
            old.unlink()
        before = listing(old)
        fail_to_flush_directories(monkeypatch)
        with pytest.raises(DeliveryFailed) as caught:
            deliver(old)
        assert caught.value.code == "delivery_failed"
        assert listing(old) == before

    def test_when_even_that_fails_the_outcome_is_called_unknown(
        self, old: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        fail_to_flush_directories(monkeypatch)
        rename, calls = os.rename, iter(range(9))

        def once(source: str, target: str, **directories: int) -> None:
            if next(calls):
                raise OSError(errno.EIO, "")
            rename(source, target, src_dir_fd=directories["src_dir_fd"], dst_dir_fd=directories["dst_dir_fd"])

        monkeypatch.setattr(os, "rename", once)
        with pytest.raises(DeliveryFailed) as caught:
            deliver(old)
        assert caught.value.code == "delivery_unknown"


def fail_to_flush_directories(monkeypatch: pytest.MonkeyPatch) -> None:
    fsync: Callable[[int], None] = os.fsync

    def refuses(handle: int) -> None:
        if stat.S_ISDIR(os.fstat(handle).st_mode):
            raise OSError(errno.EIO, "")
        fsync(handle)

    monkeypatch.setattr(os, "fsync", refuses)


class TestLeftovers:
    def test_what_a_killed_process_left_is_removed(self, old: Path) -> None:
        (old.parent / f".{old.name}.0123456789abcdef.new").write_text(OLD)
        prove(old)
        assert list(old.parent.iterdir()) == [old]

    def test_what_a_living_process_is_writing_is_left_alone(self, old: Path) -> None:
        busy = old.parent / f".{old.name}.0123456789abcdef.new"
        with busy.open("w") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            deliver(old)
            assert busy.exists()

    def test_files_of_other_targets_are_left_alone(self, old: Path) -> None:
        others = [old.parent / name for name in (".other.0123456789abcdef.new", f".{old.name}.swp", f"{old.name}.new")]
        for other in others:
            other.write_text("theirs")
        deliver(old)
        assert all(other.exists() for other in others)


def test_a_cancelled_delivery_ends_in_the_old_value_or_the_new(old: Path) -> None:
    async def cancelled() -> None:
        task = asyncio.create_task(sink(old).deliver(NEW))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])

    asyncio.run(cancelled())
    assert old.read_text() in {OLD + "\n", NEW + "\n"}
    prove(old)
    assert list(old.parent.iterdir()) == [old]


def test_a_process_killed_while_delivering_leaves_the_old_value_or_the_new_and_no_more(tmp_path: Path) -> None:
    script = Path(__file__).parent / "kill_while_delivering.py"
    done = subprocess.run([sys.executable, script, tmp_path], capture_output=True, text=True, check=True, timeout=120)
    found = json.loads(done.stdout)
    whole = ["new-EXAMPLE-longer\n", "old-EXAMPLE\n"]
    assert found["step"]["contents"] == whole
    assert found["step"]["last"] == whole[0]
    assert found["step"]["ending"] == 0
    assert found["step"]["steps"] > len(found["step"]["contents"][0])
    assert found["random"]["contents"] == whole


def test_several_processes_delivering_at_once_leave_one_whole_value(path: Path) -> None:
    script = (
        "import asyncio, sys; from pathlib import Path; from chekt_mcp.secrets.file import FileSink\n"
        "for _ in range(50): asyncio.run(FileSink(Path(sys.argv[1]), 'x').deliver(sys.argv[2] * 40))\n"
    )
    path.parent.mkdir(mode=0o700)
    running = [subprocess.Popen([sys.executable, "-c", script, path, letter]) for letter in "abc"]
    assert [one.wait(60) for one in running] == [0, 0, 0]
    assert path.read_text() in {letter * 40 + "\n" for letter in "abc"}
    assert list(path.parent.iterdir()) == [path]
