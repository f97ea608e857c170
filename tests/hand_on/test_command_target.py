from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

import pytest

from chekt_mcp.hand_on.command import CommandTarget
from chekt_mcp.hand_on.interface import HandedEvent, NotTaken, Trouble
from survivors import assert_gone, watched_pipe

pytestmark = pytest.mark.anyio
BODY = b'{"id":"evt_1","data":{"note":"caf\xc3\xa9"}}\n'
PATH = {"PATH": os.environ["PATH"]}


def event(body: bytes = BODY) -> HandedEvent:
    return HandedEvent("que_1", "shop", "evt_1", 2, {"X-CHeKT-Event-Id": "evt_1"}, body)


def shell(script: str, seconds: float = 20) -> CommandTarget:
    return CommandTarget(("sh", "-c", script), PATH, seconds)


@pytest.mark.parametrize("body", [b"", BODY, bytes(range(256)) * 4096], ids=["empty", "small", "1 MiB"])
@pytest.mark.parametrize("read", ["cat", "cat /dev/stdin"])
async def test_a_program_gets_the_body_byte_for_byte(tmp_path: Path, body: bytes, read: str) -> None:
    kept = tmp_path / "kept"
    assert await shell(f"{read} > {shlex.quote(str(kept))}").hand_on(event(body)) is None
    assert kept.read_bytes() == body


async def test_arguments_are_as_configured_and_the_environment_names_the_event(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    program = "import json,os,sys; open(sys.argv[1],'w').write(json.dumps([sys.argv, dict(os.environ)]))"
    target = CommandTarget((sys.executable, "-c", program, str(kept)), PATH, 20)
    assert await target.hand_on(event()) is None
    text = kept.read_text()
    assert "caf" not in text
    for named in (
        '"CHEKT_WEBHOOK_APP": "shop"',
        '"CHEKT_WEBHOOK_EVENT_ID": "evt_1"',
        '"CHEKT_WEBHOOK_QUEUE_ID": "que_1"',
        '"CHEKT_WEBHOOK_ATTEMPT": "2"',
    ):
        assert named in text


@pytest.mark.parametrize("body", [BODY, b"x" * 1024 * 1024])
async def test_a_program_that_needs_no_body_may_end_without_reading_it(body: bytes) -> None:
    assert await shell("exit 0").hand_on(event(body)) is None


@pytest.mark.parametrize(
    ("script", "detail"), [("exit 3", "exit code 3"), ("kill -TERM $$", "signal 15"), ("cat; exit 1", "exit code 1")]
)
async def test_any_other_ending_does_not_take_the_event(script: str, detail: str) -> None:
    assert await shell(script).hand_on(event()) == NotTaken(Trouble.ENDED_BADLY, detail)


@pytest.mark.parametrize("argv", [("/no/such/program",), ("/etc/hostname",), ("a\0b",)])
async def test_a_program_that_cannot_be_started_is_trouble_not_an_error(argv: tuple[str, ...]) -> None:
    trouble = await CommandTarget(argv, PATH, 20).hand_on(event())
    assert trouble is not None
    assert trouble.trouble is Trouble.NOT_STARTED


async def test_what_takes_too_long_is_killed_with_all_it_started(tmp_path: Path) -> None:
    with watched_pipe(tmp_path / "alive") as alive:
        script = f"exec 3> {shlex.quote(str(tmp_path / 'alive'))}; sleep 60 & sleep 60"
        assert await shell(script, 0.3).hand_on(event(b"x" * 200_000)) == NotTaken(Trouble.TIMED_OUT, "after 0.3 s")
        assert_gone(alive)


async def test_nothing_it_prints_reaches_us(capfd: pytest.CaptureFixture[str]) -> None:
    await shell("cat; cat >&2; echo loud; echo louder >&2").hand_on(event())
    assert capfd.readouterr() == ("", "")


async def test_no_descriptor_is_left_open() -> None:
    def opened() -> int:
        return len(list(Path("/dev/fd").iterdir()))

    await shell("cat").hand_on(event())
    before = opened()
    for script in ("cat", "exit 1", "exit 0"):
        await shell(script).hand_on(event(b"x" * 200_000))
    await CommandTarget(("/no/such/program",), PATH, 20).hand_on(event())
    assert opened() == before
