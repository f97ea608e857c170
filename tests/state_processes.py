"""Child processes that use one state directory at the same time."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

TESTS = Path(__file__).parent
SCRIPT = TESTS / "faults" / "state_user.py"
PATHS = os.pathsep.join([str(TESTS.parent / "src"), str(TESTS)])

Child = subprocess.Popen[str]


@contextmanager
def children(directory: Path, *commands: list[str], script: Path = SCRIPT) -> Iterator[list[Child]]:
    """Start a process of `script` for each command, and let all of them begin together."""
    started = [_start(script, directory, command) for command in commands]
    try:
        for child in started:
            assert child.stdout is not None
            assert child.stdout.readline() == "ready\n"
        for child in started:
            assert child.stdin is not None
            child.stdin.write("go\n")
            child.stdin.flush()
        yield started
    finally:
        for child in started:
            child.kill()
            child.communicate()


def lines(child: Child) -> list[str]:
    """Wait for a process to end well; return what it printed."""
    printed, _ = child.communicate(timeout=120)
    assert child.returncode == 0
    return printed.splitlines()


def _start(script: Path, directory: Path, command: list[str]) -> Child:
    return subprocess.Popen(
        [sys.executable, str(script), str(directory), *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": PATHS},
    )
