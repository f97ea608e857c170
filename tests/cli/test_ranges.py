"""`chekt-mcp ranges fetch` of files and of what is shipped, as people run it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from range_samples import GITHUB_META, WEB_PAGE, networks_in
from terminal_child import Machine


@pytest.fixture
def meta(machine: Machine) -> Path:
    file = machine.home / "meta.json"
    file.write_bytes(GITHUB_META)
    os.utime(file, (1_777_636_800, 1_777_636_800))
    return file


def test_a_file_is_read_by_kind_as_of_its_last_change(machine: Machine, meta: Path) -> None:
    done = machine.run("ranges", "fetch", meta, "--kind", "actions_macos")
    assert done.code == 0
    assert done.out == "# meta.json actions_macos, from a file at 2026-05-01T12:00:00Z\n13.105.117.0/24\n"
    assert "add --shared" in done.err
    assert not machine.state.exists()


def test_a_list_goes_to_a_file_and_can_start_an_app(machine: Machine, meta: Path) -> None:
    out = machine.ok("ranges", "fetch", meta, "--kind", "actions", "--shared", "--output", "ci.txt")
    assert out == "ci.txt: 4 entries.\n"
    machine.ok("init", "--app", "shop", "--allow-list", "ci.txt")
    assert "4 entries" in machine.ok("app", "show", "shop")
    machine.ok("ranges", "fetch", meta, "--kind", "hooks", "--output", "ci.txt")
    assert "192.30.252.0/22" in (machine.home / "ci.txt").read_text()
    assert sorted(path.name for path in machine.home.glob("*ci.txt*")) == ["ci.txt"]


@pytest.mark.parametrize("output", [".", "none/ci.txt", "pipe"])
def test_an_output_that_is_no_file_is_refused(machine: Machine, meta: Path, output: str) -> None:
    os.mkfifo(machine.home / "pipe")
    done = machine.run("ranges", "fetch", meta, "--output", output)
    assert (done.code, done.error, done.out) == (1, "unwritable_file", "")


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "no_ranges"),
        (WEB_PAGE, "markup"),
        (GITHUB_META[:-40], "broken_json"),
        (b"\xff\xfe", "not_text"),
        (b"\x00" * 100, "no_ranges"),
        (b"::/0", "covers_everything"),
    ],
)
def test_a_file_that_is_no_list_is_an_error_in_one_line(machine: Machine, content: bytes, code: str) -> None:
    (machine.home / "list").write_bytes(content)
    done = machine.run("ranges", "fetch", "list")
    assert (done.code, done.error, done.out) == (1, code, "")
    assert done.err.count("\n") == 1


def test_a_file_that_is_too_large_is_not_read(machine: Machine) -> None:
    with (machine.home / "list").open("wb") as file:
        file.truncate(16 * 1024 * 1024 + 1)
    assert machine.run("ranges", "fetch", "list").error == "too_large"


def test_what_does_not_parse_is_told_line_by_line_and_the_rest_is_written(machine: Machine) -> None:
    (machine.home / "list").write_text("203.0.113.0/24\n10.0.0.1/8\n\x1b[2J\n198.51.100.7\n")
    done = machine.run("ranges", "fetch", "list")
    assert (done.code, networks_in(done.out)) == (0, ["203.0.113.0/24", "198.51.100.7/32"])
    assert "note: left out line 2: host_bits_set: " in done.err
    assert "Perhaps 10.0.0.0/8 was meant." in done.err
    assert "note: left out line 3: hidden_character: " in done.err
    assert "\x1b" not in done.err


def test_a_file_named_like_a_provider_is_reached_by_its_path(machine: Machine) -> None:
    (machine.home / "gitlab").write_text("203.0.113.7\n")
    assert "203.0.113.7/32" in machine.ok("ranges", "fetch", "./gitlab")
    assert "34.74.226.0/24" in machine.ok("ranges", "fetch", "gitlab")


def test_offline_and_without_a_copy_the_command_fails_in_one_line(machine: Machine) -> None:
    done = machine.run("ranges", "fetch", "https://127.0.0.1:9/meta")
    assert (done.code, done.error) == (1, "unreachable")
    assert done.err.count("\n") == 1


def test_a_list_that_is_shipped_needs_no_network_library() -> None:
    watch = (
        "import sys; from chekt_mcp.cli.main import main; main(['ranges', 'fetch', 'gitlab', '--state', '/nowhere']);"
        "print([m for m in ('httpx', 'netaddr', 'cryptography') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", watch], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("34.74.226.0/24\n[]\n")
