"""A command as the anchor, with real programs."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from chekt_mcp.anchors.command import MOST_OUTPUT, CommandAnchor
from chekt_mcp.errors import Unavailable

pytestmark = pytest.mark.anyio
NOTE = "chekt-mcp/acme\n1\nroot\n\n— chekt-mcp/acme sig\n"


def python(code: str, *arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-c", code, *arguments)


def keeping(folder: Path) -> CommandAnchor:
    keep = "import sys; open(sys.argv[1], 'w').write(sys.stdin.read()); print('kept \\x1b[31m as 7')"
    ask = "import sys; print(open(sys.argv[1]).read(), end='')"
    file = f"{folder}/{{dealer}}.checkpoint"
    return CommandAnchor(python(keep, file), python(ask, file), {"PYTHONUTF8": "1"})


async def test_what_was_kept_is_printed_again_and_the_receipt_is_escaped(tmp_path: Path) -> None:
    anchor = keeping(tmp_path)
    assert await anchor.keep("acme", NOTE) == "kept \\u{1b}[31m as 7\\u{a}"
    assert (tmp_path / "acme.checkpoint").read_text("utf-8") == NOTE
    assert await anchor.newest("acme") == NOTE


async def test_without_a_command_to_ask_nothing_is_known() -> None:
    assert await CommandAnchor(python("pass"), None, {}).newest("acme") is None
    assert await CommandAnchor(python("pass"), python("pass"), {}).newest("acme") is None, "it printed nothing"


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (python("raise SystemExit(3)"), "exit code 3"),
        (python("import os; os.kill(os.getpid(), 9)"), "signal 9"),
        (("/nowhere/such-a-program",), "cannot be run"),
        (python(f"print('x' * {MOST_OUTPUT + 1})"), "more than"),
        (python("import sys; sys.stdout.buffer.write(b'\\xff')"), "no text"),
    ],
)
async def test_a_command_that_fails_says_how(argv: tuple[str, ...], said: str) -> None:
    with pytest.raises(Unavailable, match=said) as failed:
        await CommandAnchor(python("pass"), argv, {}).newest("acme")
    assert failed.value.code == "anchor_failed"


async def test_a_command_that_hangs_is_killed_with_its_children() -> None:
    hanging = python("import subprocess, sys; subprocess.run([sys.executable, '-c', 'import time; time.sleep(60)'])")
    with pytest.raises(Unavailable, match="was killed"):
        await CommandAnchor(hanging, None, {}, seconds=0.2).keep("acme", NOTE)


async def test_a_command_need_not_read_what_it_is_given() -> None:
    assert await CommandAnchor(python("pass"), None, {}).keep("acme", NOTE * 10_000) == ""


def test_the_name_holds_no_argument() -> None:
    assert CommandAnchor(("/usr/bin/curl", "-H", "token"), None, {}).name == "command curl"
