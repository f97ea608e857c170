from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from chekt_mcp.errors import DeliveryFailed, InvalidInput
from chekt_mcp.secrets.command import CommandSink
from survivors import assert_gone, watched_pipe

VALUE = "chekt_test_EXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLE"


def sink(script: str, *arguments: object, check: str | None = None, timeout: float = 20) -> CommandSink:
    argv = ("sh", "-c", script, "sh", *map(str, arguments))
    return CommandSink(argv, None if check is None else ("sh", "-c", check), timeout, "the test store")


def deliver(sink: CommandSink, value: str = VALUE) -> None:
    asyncio.run(sink.deliver(value))


def refusal_of(sink: CommandSink, value: str = VALUE) -> DeliveryFailed:
    with pytest.raises(DeliveryFailed) as caught:
        deliver(sink, value)
    assert "the test store" in caught.value.message
    assert value not in str(caught.value)
    assert caught.value.fix
    return caught.value


@pytest.fixture
def alive(tmp_path: Path) -> Iterator[int]:
    with watched_pipe(tmp_path / "alive") as pipe:
        yield pipe


@pytest.mark.parametrize("script", ['cat > "$1"', 'cat /dev/stdin > "$1"', 'cat - > "$1"'])
def test_the_command_reads_exactly_the_value_and_no_newline(tmp_path: Path, script: str) -> None:
    deliver(sink(script, tmp_path / "out"))
    assert (tmp_path / "out").read_text() == VALUE


def test_the_value_is_in_neither_arguments_nor_environment_and_neither_are_our_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("CHEKT_API_KEY", "CHEKT_MCP_KEK", "CHEKT_MCP_KEK_COMMAND"):
        monkeypatch.setenv(name, "our-secret")
    monkeypatch.setenv("STORE_REGION", "kept")
    deliver(sink('{ env; echo "$0 $*"; } > "$1"; cat > /dev/null', tmp_path / "out"))
    seen = (tmp_path / "out").read_text()
    assert VALUE not in seen
    assert "our-secret" not in seen
    assert "STORE_REGION=kept" in seen


def test_what_the_command_prints_goes_nowhere(capfd: pytest.CaptureFixture[str]) -> None:
    deliver(sink("tee /dev/stderr"))
    refusal_of(sink("tee /dev/stderr; exit 1"))
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ("cat > /dev/null; exit 3", "exit code 3"),
        ("cat > /dev/null; kill -TERM $$", "signal 15"),
        ("exit 0", "without reading the key"),
        ("head -c 5 > /dev/null", "without reading the key"),
    ],
)
def test_a_command_that_fails_or_does_not_read_is_a_failure(script: str, says: str) -> None:
    error = refusal_of(sink(script))
    assert says in error.message
    assert error.code == "delivery_failed"


def test_a_command_over_its_time_is_killed_with_all_it_started_and_the_outcome_called_unknown(
    tmp_path: Path, alive: int
) -> None:
    error = refusal_of(sink('exec 3> "$1"; echo > "$1"; sleep 600 & sleep 600', tmp_path / "alive", timeout=0.3))
    assert error.code == "delivery_unknown"
    assert "0.3 seconds" in error.message
    assert_gone(alive)


def test_what_a_failed_command_left_running_is_killed(tmp_path: Path, alive: int) -> None:
    refusal_of(sink('exec 3> "$1"; sleep 600 & cat > /dev/null; exit 1', tmp_path / "alive"))
    assert_gone(alive)


def test_a_cancelled_delivery_kills_the_command(tmp_path: Path, alive: int) -> None:
    async def cancelled() -> None:
        task = asyncio.create_task(sink('echo > "$1"; exec 3> "$1"; sleep 600', tmp_path / "alive").deliver(VALUE))
        started = asyncio.Event()
        asyncio.get_running_loop().add_reader(alive, started.set)
        await started.wait()
        asyncio.get_running_loop().remove_reader(alive)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancelled())
    assert_gone(alive)


def test_a_program_that_is_not_there_is_found_out_before_anything_is_minted() -> None:
    missing = CommandSink(("/nowhere/store", "put"), None, 5, "the test store")
    with pytest.raises(DeliveryFailed, match="no such program"):
        asyncio.run(missing.prove())
    assert "no such program" in refusal_of(missing).message
    unchecked = replace(sink("cat"), check=("/nowhere/check",))
    with pytest.raises(DeliveryFailed, match="no such program"):
        asyncio.run(unchecked.prove())


def test_a_program_that_cannot_run_is_a_failure(tmp_path: Path) -> None:
    broken = tmp_path / "store"
    broken.write_bytes(b"\x7fELF not really")
    broken.chmod(0o700)
    assert "cannot be started" in refusal_of(CommandSink((str(broken),), None, 5, "the test store")).message


def test_proving_runs_the_check_and_not_the_command(tmp_path: Path) -> None:
    asyncio.run(sink('touch "$1"', tmp_path / "ran", check='test -z "$(cat)"').prove())
    asyncio.run(sink('touch "$1"', tmp_path / "ran").prove())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("check", "says"), [("exit 7", "exit code 7"), ("sleep 600", "within 0.3 seconds")])
def test_a_check_that_fails_or_hangs_is_a_failure(check: str, says: str) -> None:
    with pytest.raises(DeliveryFailed, match=says):
        asyncio.run(sink("cat", check=check, timeout=0.3).prove())


def test_a_value_longer_than_a_pipe_takes_is_refused_without_waiting() -> None:
    assert "longer than a pipe" in refusal_of(sink("cat > /dev/null"), "x" * 2_000_000).message


def test_many_deliveries_leave_no_open_files() -> None:
    before = open_files()
    for _ in range(10):
        deliver(sink("cat > /dev/null"))
        refusal_of(sink("exit 0"))
    assert open_files() == before


def open_files() -> int:
    return len(list(Path("/dev/fd").iterdir()))


@pytest.mark.parametrize("argv", [(), ("",), ("store", VALUE), ("store", f"--value={VALUE}")])
def test_no_command_and_a_command_with_a_key_in_it_are_refused(argv: tuple[str, ...]) -> None:
    for command, check in ((argv, None), (("store",), argv)):
        with pytest.raises(InvalidInput) as caught:
            CommandSink(command, check, 5, "the test store")
        assert caught.value.code == "bad_setting"
        assert VALUE not in str(caught.value)
