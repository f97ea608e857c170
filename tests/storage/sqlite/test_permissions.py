from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from chekt_mcp.storage.sqlite import open_storage, permissions_problems
from chekt_mcp.storage.sqlite.database_file import DATABASE


@pytest.fixture
def state(tmp_path: Path) -> Path:
    directory = tmp_path / "state"
    directory.mkdir(mode=0o700)
    asyncio.run(open_storage(directory).close())
    return directory


def test_a_state_for_its_owner_alone_has_no_problem(state: Path) -> None:
    assert permissions_problems(state) == []


@pytest.mark.parametrize("mode", [0o750, 0o705, 0o701, 0o777])
def test_a_directory_open_to_others_is_told_with_its_remedy(state: Path, mode: int) -> None:
    state.chmod(mode)
    (problem,) = permissions_problems(state)
    assert (problem.path, problem.fix) == (state, f"chmod 700 {state}")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_database_open_to_others_is_told_with_its_remedy(state: Path, mode: int) -> None:
    (state / DATABASE).chmod(mode)
    (state / f"{DATABASE}-wal").touch(mode=0o600)
    (problem,) = permissions_problems(state)
    assert problem.fix == f"chmod 600 {state / DATABASE}"


def test_somebody_elses_state_is_told(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    owner = state.stat().st_uid
    monkeypatch.setattr("os.geteuid", lambda: owner + 1)
    assert {problem.problem for problem in permissions_problems(state)} == {"It belongs to another user."}


@pytest.mark.parametrize(("name", "mode"), [(".", 0o500), (DATABASE, 0o400)])
def test_what_its_owner_cannot_write_is_told_with_its_remedy(
    state: Path, monkeypatch: pytest.MonkeyPatch, name: str, mode: int
) -> None:
    closed = state / name
    closed.chmod(mode)
    monkeypatch.setattr("os.access", lambda path, _mode: path != closed)  # as for anybody but root
    (problem,) = permissions_problems(state)
    assert (problem.path, problem.problem) == (closed, "This user cannot read and write it.")
    assert problem.fix == f"chmod {'700' if name == '.' else '600'} {closed}"


def test_a_state_that_is_not_there_has_no_permissions(tmp_path: Path) -> None:
    assert permissions_problems(tmp_path / "nothing") == []
