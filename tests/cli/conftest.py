"""A machine with nothing on it, and machines where `init` has been run: once each, then copied."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from terminal_child import PASSPHRASE, Machine


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    home = tmp_path / "home"
    home.mkdir()
    return Machine(home)


@pytest.fixture(scope="session")
def with_test_app(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = Machine(tmp_path_factory.mktemp("with_test_app"))
    made.ok("init", "--app", "shop")
    return made.state


@pytest.fixture(scope="session")
def with_live_app(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = Machine(tmp_path_factory.mktemp("with_live_app"))
    made.ok("init", "--app", "shop", "--env", "live", "--passphrase-stdin", typed=f"{PASSPHRASE}\n")
    return made.state


@pytest.fixture
def ready(machine: Machine, with_test_app: Path) -> Machine:
    """A test app `shop`, and no passphrase."""
    shutil.copytree(with_test_app, machine.state)
    return machine


@pytest.fixture
def live(machine: Machine, with_live_app: Path) -> Machine:
    """A live app `shop`, and the passphrase."""
    shutil.copytree(with_live_app, machine.state)
    return machine
