"""Whenever a rotation is killed, another process ends it: as nothing, or with the new key in its place and in force."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from state_processes import PATHS, TESTS
from terminal_child import Machine

SCRIPT = TESTS / "faults" / "rotation_until_killed.py"


@pytest.mark.parametrize("sink", ["file", "command"])
def test_a_rotation_killed_at_any_step_ends_as_nothing_or_as_done(tmp_path: Path, sink: str) -> None:
    Machine(tmp_path, {"CHEKT_MCP_STATE": str(tmp_path / "template")}).ok("init", "--app", "shop")
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(tmp_path), sink],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": PATHS},
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    for part in ("rotation", "recovery"):
        assert report[part]["ended"] == 0
        assert set(report[part]["found"]) <= {"nothing happened", "rotated and delivered"}, report
    assert report["rotation"]["found"]["nothing happened"] > 5
    assert report["rotation"]["found"]["rotated and delivered"] > 5
    assert set(report["recovery"]["found"]) == {"rotated and delivered"}
