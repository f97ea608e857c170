from __future__ import annotations

import asyncio
import os
import sqlite3
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import storage_samples as sample
from chekt_mcp.errors import StateUnusable
from chekt_mcp.storage.sqlite import open_storage
from chekt_mcp.storage.sqlite.database_file import APPLICATION_ID, DATABASE, SCHEMA_VERSION

NOBODY = 65534


def contents(directory: Path) -> dict[str, tuple[int, bytes]]:
    return {path.name: (path.stat().st_mtime_ns, path.read_bytes()) for path in directory.iterdir() if path.is_file()}


def make_state(directory: Path) -> Path:
    """Make a state with something in it, and close it, so that all of it is in the one file."""

    async def fill() -> None:
        storage = open_storage(directory)
        await sample.furnish(storage)
        await storage.write(lambda writer: writer.append([sample.entry(str(number)) for number in range(100)]))
        await storage.close()

    asyncio.run(fill())
    assert [path.name for path in directory.iterdir()] == [DATABASE]
    return directory / DATABASE


def run(path: Path, statements: str) -> None:
    connection = sqlite3.connect(path)
    connection.executescript(statements)
    connection.close()


def look(path: Path, statement: str) -> Any:
    connection = sqlite3.connect(path)
    value = connection.execute(statement).fetchone()[0]
    connection.close()
    return value


def refusal(directory: Path) -> StateUnusable:
    before = contents(directory)
    with pytest.raises(StateUnusable) as refused:
        open_storage(directory)
    assert contents(directory) == before
    assert refused.value.message.endswith(".")
    assert refused.value.fix
    return refused.value


def unopened_refusal(directory: Path) -> StateUnusable:
    """Refused by the file's first bytes: SQLite makes files beside a database as soon as it opens it."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("chekt_mcp.storage.sqlite.engine.connect", lambda _path: pytest.fail("it was opened"))
        return refusal(directory)


def test_a_new_directory_gets_a_database_for_its_owner_alone(tmp_path: Path) -> None:
    previous = os.umask(0)
    try:
        storage = open_storage(tmp_path)
    finally:
        os.umask(previous)
    asyncio.run(sample.furnish(storage))
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert modes == {DATABASE: 0o600, f"{DATABASE}-wal": 0o600, f"{DATABASE}-shm": 0o600}
    asyncio.run(storage.close())


def test_opening_tightens_no_permissions(tmp_path: Path) -> None:
    path = make_state(tmp_path)
    path.chmod(0o644)
    tmp_path.chmod(0o755)
    asyncio.run(open_storage(tmp_path).close())
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755


def test_the_database_says_whose_it_is_and_is_durable(tmp_path: Path) -> None:
    path = make_state(tmp_path)
    pragmas = ("application_id", "user_version", "journal_mode", "integrity_check")
    assert [look(path, f"PRAGMA {pragma}") for pragma in pragmas] == [APPLICATION_ID, SCHEMA_VERSION, "wal", "ok"]


@pytest.mark.parametrize("pragma", ["synchronous", "foreign_keys", "recursive_triggers"])
def test_every_connection_keeps_its_promises(tmp_path: Path, pragma: str) -> None:
    from chekt_mcp.storage.sqlite.connection import connect  # noqa: PLC0415 -- the one test that looks inside

    connection = connect(make_state(tmp_path))
    expected = {"synchronous": 2}.get(pragma, 1)
    assert connection.execute(f"PRAGMA {pragma}").fetchone()[0] == expected
    connection.close()


def test_a_newer_state_is_refused_and_left_untouched(tmp_path: Path) -> None:
    run(make_state(tmp_path), f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    assert unopened_refusal(tmp_path).code == "state_newer"


def test_a_state_that_is_just_becoming_newer_is_refused(tmp_path: Path) -> None:
    path = make_state(tmp_path)
    newer = sqlite3.connect(path)
    newer.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")  # in the WAL so far, not in the file itself
    with pytest.raises(StateUnusable) as refused:
        open_storage(tmp_path)
    assert refused.value.code == "state_newer"
    newer.close()


@pytest.mark.parametrize("application_id", [0, 0x0F055112])
def test_another_programs_database_is_refused_and_left_untouched(tmp_path: Path, application_id: int) -> None:
    run(tmp_path / DATABASE, f"PRAGMA application_id = {application_id}; CREATE TABLE theirs (a)")
    assert unopened_refusal(tmp_path).code == "state_not_ours"


def test_another_programs_database_is_not_mistaken_for_a_new_one_behind_a_journal(tmp_path: Path) -> None:
    run(tmp_path / DATABASE, "CREATE TABLE theirs (a)")
    (tmp_path / f"{DATABASE}-journal").write_bytes(b"\0" * 512)
    with pytest.raises(StateUnusable) as refused:
        open_storage(tmp_path)
    assert refused.value.code == "state_not_ours"


def cut_in_half(content: bytes) -> bytes:
    return content[: len(content) // 2]


def cut_in_header(content: bytes) -> bytes:
    return content[:50]


def not_a_database(_content: bytes) -> bytes:
    return b"These are my notes.\n" * 100


@pytest.mark.parametrize("damage", [cut_in_half, cut_in_header, not_a_database])
def test_a_damaged_database_is_refused_and_left_untouched(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    path = make_state(tmp_path)
    path.write_bytes(damage(path.read_bytes()))
    assert unopened_refusal(tmp_path).code == "state_corrupt"


def test_a_database_with_a_damaged_schema_is_refused_and_left_untouched(tmp_path: Path) -> None:
    path = make_state(tmp_path)
    content = path.read_bytes()
    path.write_bytes(content[:100] + b"\xa5" * 3_996 + content[4_096:])
    assert refusal(tmp_path).code == "state_corrupt"


def test_damage_found_later_is_told_as_such(tmp_path: Path) -> None:
    path = make_state(tmp_path)
    content = path.read_bytes()
    page = look(path, "SELECT rootpage FROM sqlite_master WHERE name = 'entries'")
    path.write_bytes(content[: (page - 1) * 4_096] + b"\xa5" * 4_096 + content[page * 4_096 :])
    storage = open_storage(tmp_path)
    with pytest.raises(StateUnusable) as refused:
        asyncio.run(sample.search(storage))
    assert refused.value.code == "state_corrupt"
    asyncio.run(storage.close())


def test_no_directory_no_state(tmp_path: Path) -> None:
    with pytest.raises(StateUnusable) as refused:
        open_storage(tmp_path / "nothing")
    assert refused.value.code == "state_missing"
    assert not (tmp_path / "nothing").exists()


@pytest.mark.parametrize("content", [None, b""])
def test_only_who_means_to_make_a_state_gets_a_new_one(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / DATABASE).write_bytes(content)
    with pytest.raises(StateUnusable) as refused:
        open_storage(tmp_path, make=False)
    assert refused.value.code == "state_missing"
    assert [file.read_bytes() for file in tmp_path.iterdir()] == ([] if content is None else [content])
    asyncio.run(open_storage(tmp_path).close())


@pytest.mark.parametrize("make", [True, False])
def test_a_log_whose_database_is_gone_is_kept(tmp_path: Path, *, make: bool) -> None:
    log = tmp_path / f"{DATABASE}-wal"
    log.write_bytes(b"what was committed last")
    with pytest.raises(StateUnusable) as refused:
        open_storage(tmp_path, make=make)
    assert refused.value.code == "state_corrupt"
    assert [(file.name, file.read_bytes()) for file in tmp_path.iterdir()] == [(log.name, b"what was committed last")]


def test_a_directory_in_the_databases_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / DATABASE).mkdir()
    assert refusal(tmp_path).code == "state_unwritable"


@contextmanager
def as_an_ordinary_user() -> Iterator[None]:
    """Nothing is unwritable to root."""
    if os.geteuid() != 0:
        yield
        return
    os.setresuid(NOBODY, NOBODY, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)


@pytest.mark.parametrize("unwritable", ["directory", "file"])
def test_what_cannot_be_written_is_refused_and_left_untouched(unwritable: str) -> None:
    with tempfile.TemporaryDirectory() as name:  # not below tmp_path, which only its owner may enter
        directory = Path(name)
        make_state(directory).chmod(0o666 if unwritable == "directory" else 0o444)
        directory.chmod(0o555 if unwritable == "directory" else 0o777)
        with as_an_ordinary_user():
            assert refusal(directory).code == "state_unwritable"
        directory.chmod(0o700)


def test_a_database_locked_for_good_is_reported_as_busy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make_state(tmp_path)
    run(path, "PRAGMA journal_mode = DELETE")
    monkeypatch.setattr("chekt_mcp.storage.sqlite.connection.BUSY_TIMEOUT", 0.01)
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StateUnusable) as refused:
        open_storage(tmp_path)
    assert refused.value.code == "state_busy"
    holder.close()
    asyncio.run(open_storage(tmp_path).close())


def test_a_network_file_system_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    mounts = f"36 35 98:0 / {tmp_path} rw,noatime master:1 - nfs4 server:/export rw\n"
    with pytest.raises(StateUnusable) as refused:
        open_storage(tmp_path, mounts=lambda: mounts)
    assert refused.value.code == "state_network_filesystem"
    assert list(tmp_path.iterdir()) == []


def test_a_database_removed_under_a_running_store_is_not_written_to_any_more(tmp_path: Path) -> None:
    storage = open_storage(tmp_path)
    asyncio.run(sample.furnish(storage))
    for path in tmp_path.iterdir():
        path.unlink()
    for _ in range(2):
        with pytest.raises(StateUnusable) as refused:
            asyncio.run(storage.write(sample.work("append", [sample.entry()])))
        assert refused.value.code in {"state_replaced", "state_unwritable"}
    assert list(tmp_path.iterdir()) == []
    asyncio.run(storage.close())


def test_a_database_put_in_the_place_of_an_open_one_is_not_written_to(tmp_path: Path) -> None:
    path = make_state(tmp_path)
    storage = open_storage(tmp_path)
    other = tmp_path / "other"
    other.mkdir()
    make_state(other).replace(path)
    for _ in range(2):
        with pytest.raises(StateUnusable) as refused:
            asyncio.run(storage.write(sample.work("append", [sample.entry()])))
        assert refused.value.code == "state_replaced"
    asyncio.run(storage.close())
