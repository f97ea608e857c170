"""Over stdio, against an SDK server with one empty tool: spawn to `tools/list`, and one audited `check_ip`.

    python benchmarks/serve.py [PAIRS]

Alternating pairs in one run; the median of the ratios is what counts. Targets: <= 1.15 and <= 1.5.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

HERE = Path(__file__).parent
PAIRS = 21
CALLS = 300
BIN = Path(sys.executable).parent


class Wire:
    """A client as thin as possible, so that what is measured is the server."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._in: IO[bytes] = process.stdin
        self._out: IO[bytes] = process.stdout
        self._last = 0

    def notify(self, method: str) -> None:
        """Send a notification."""
        self._send({"jsonrpc": "2.0", "method": method})

    def ask(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        """Send a request and wait for its answer."""
        self._last += 1
        self._send({"jsonrpc": "2.0", "id": self._last, "method": method, "params": params})
        while True:
            message: dict[str, Any] = json.loads(self._out.readline())
            if message.get("id") == self._last:
                return message

    def _send(self, message: dict[str, Any]) -> None:
        self._in.write(json.dumps(message).encode() + b"\n")
        self._in.flush()


@contextmanager
def serving(command: list[str], environment: dict[str, str]) -> Iterator[Wire]:
    """Run a server as a child process until the block ends, past its initialisation."""
    process = subprocess.Popen(
        command,
        env={**os.environ, **environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    try:
        wire = Wire(process)
        client = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "bench", "version": "1"}}
        wire.ask("initialize", client)
        wire.notify("notifications/initialized")
        yield wire
    finally:
        process.kill()
        process.wait()


def make_state(directory: Path) -> dict[str, str]:
    """Create a state with one app and an allow list; return the environment that serves it."""
    allowed = directory / "list.txt"
    allowed.write_text("203.0.113.0/24\n2001:db8::/32\n")
    state = directory / "state"
    command = [str(BIN / "chekt-mcp"), "--state", str(state), "init", "--app", "bench", "--allow-list", str(allowed)]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    key_file = next(state.rglob("*.api_key"))
    return {"CHEKT_MCP_STATE": str(state), "CHEKT_API_KEY_FILE": str(key_file)}


def spawn_seconds(command: list[str], environment: dict[str, str]) -> float:
    """Time from spawning the process to the answer of `tools/list`."""
    start = time.perf_counter()
    with serving(command, environment) as wire:
        assert wire.ask("tools/list", {})["result"]["tools"]
        return time.perf_counter() - start


def call_seconds(wire: Wire, call: dict[str, Any]) -> float:
    """Time of one call."""
    start = time.perf_counter()
    answer = wire.ask("tools/call", call)
    took = time.perf_counter() - start
    assert not answer["result"].get("isError"), answer
    return took


def alternate(ours: Callable[[], float], peer: Callable[[], float], pairs: int) -> tuple[list[float], list[float]]:
    """Measure in turn, so that what the machine does meanwhile hits both."""
    measured = [(ours(), peer()) for _ in range(pairs)]
    return [one for one, _ in measured], [other for _, other in measured]


def report(what: str, ours: list[float], peer: list[float], target: float) -> None:
    """Print medians and the median of the pairwise ratios."""
    ratio = statistics.median(one / other for one, other in zip(ours, peer, strict=True))
    verdict = "ok" if ratio <= target else "MISSED"
    mine, other = statistics.median(ours) * 1000, statistics.median(peer) * 1000
    print(
        f"{what:<24} ours {mine:8.2f} ms  empty SDK {other:8.2f} ms  ratio {ratio:.3f}  target <= {target}  {verdict}"
    )


def main(pairs: int = PAIRS) -> None:
    """Run both measurements."""
    peer_command = [sys.executable, str(HERE / "empty_server.py")]
    our_command = [str(BIN / "chekt-mcp"), "serve"]
    with tempfile.TemporaryDirectory() as directory:
        environment = make_state(Path(directory))
        ours, peer = alternate(
            lambda: spawn_seconds(our_command, environment), lambda: spawn_seconds(peer_command, {}), pairs
        )
        report("spawn to tools/list", ours, peer, 1.15)
        check = {"name": "check_ip", "arguments": {"addresses": ["203.0.113.7"]}}
        with serving(our_command, environment) as mine, serving(peer_command, {}) as theirs:
            empty = {"name": "empty", "arguments": {}}
            ours, peer = alternate(lambda: call_seconds(mine, check), lambda: call_seconds(theirs, empty), CALLS)
        report("check_ip, audited", ours[20:], peer[20:], 1.5)


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:2]))
