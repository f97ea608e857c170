"""Kills a process (SIGKILL) at every step of a rotation, lets others recover, and prints what was found as JSON.

    rotation_until_killed.py DIRECTORY file|command

DIRECTORY/template is a state with an app `shop`. Run as a script: forking is for a process that has no threads.
Between the two kills of a round lies a lease, for which the clock of the recovering process is set forward.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import shutil
import signal
import sqlite3
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from chekt_mcp.config import CommandSetting, from_environment
from chekt_mcp.domain.api_key import KeyKind
from chekt_mcp.domain.rotation import Reason
from chekt_mcp.domain.scope import SERVER_SCOPES, Grant
from chekt_mcp.operations.approvals import Decider
from chekt_mcp.operations.change import Ask, Request, advance, answered
from chekt_mcp.operations.keys.recovery import recover
from chekt_mcp.operations.keys.rotate_key import Rotate
from chekt_mcp.operations.services import Call, Services
from chekt_mcp.wiring import open_services, system_clock

STEPS = ("open", "mkdir", "fchmod", "write", "fsync", "rename", "unlink", "close", "rmdir", "pipe")
STORES = "import sys; value = sys.stdin.read(); open(sys.argv[1], 'w').write(value + chr(10))"
LATER = timedelta(minutes=3)

LOGGED = (
    "SELECT count(*) FROM entries JOIN names ON names.id = action WHERE text IN ('key.rotate', 'key.rotate.recover')"
)

Step = Callable[[], None]


def in_child(work: Callable[[], object]) -> int:
    """Run `work` in a forked process; return its id."""
    process = os.fork()
    if process == 0:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123 -- for the rest of a short life
        work()
        os._exit(0)
    return process


def ending(process: int) -> int:
    """Wait for a child; return 0, or minus the signal that ended it."""
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def killer(step: int) -> Step:
    """Return what kills this process the `step`-th time it is called."""
    count = 0

    def tick() -> None:
        nonlocal count
        count += 1
        if count == step:
            os.kill(os.getpid(), signal.SIGKILL)

    return tick


class Watched:
    """A storage that ticks before and after each of its transactions."""

    def __init__(self, real: Any, tick: Step) -> None:
        self._real, self._tick = real, tick

    def __getattr__(self, name: str) -> Any:
        verb = getattr(self._real, name)

        async def call(*arguments: Any) -> Any:
            self._tick()
            try:
                return await verb(*arguments)
            finally:
                self._tick()

        return call


def watch_files(tick: Step) -> None:
    """Tick before every call that changes a file."""

    def watched(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            tick()
            return real(*arguments, **named)

        return call

    for name in STEPS:
        setattr(os, name, watched(getattr(os, name)))


def opened(state: Path, sink: str, tick: Step, ahead: timedelta = timedelta(0)) -> Services:
    """Open the state as another process does."""
    settings = from_environment({"CHEKT_MCP_STATE": str(state)})
    if sink == "command":
        place = str(state / "secrets" / "main" / "shop.api_key")
        settings = replace(settings, sink=CommandSetting((sys.executable, "-c", STORES, place), None, 30))
    services = open_services(settings, clock=lambda: system_clock() + ahead, one_caller=True)
    return replace(services, storage=Watched(services.storage, tick))


async def rotate(state: Path, sink: str, step: int) -> None:
    """Rotate the key of `shop`, confirmed; be killed at a step."""
    tick = killer(step)
    services = opened(state, sink, tick)
    grant = Grant("main", "app:shop", "api_key", "shop", ("shop",), frozenset(SERVER_SCOPES))
    call = Call(grant, "req_rotate", services.clock(), "stdio")
    change = Rotate(services, Request(call, "rotate_key", "shop", {"reason": "other"}), KeyKind.API_KEY, Reason.OTHER)
    asked = await advance(services, change)
    assert isinstance(asked, Ask)
    watch_files(tick)
    await answered(services, change, asked.approval, Decider("terminal:maria", "terminal"), {"app": "shop"})


async def take_up(state: Path, sink: str, step: int, ahead: timedelta) -> None:
    """Recover; be killed at a step."""
    tick = killer(step)
    services = opened(state, sink, tick, ahead)
    watch_files(tick)
    await recover(services)


def found(state: Path) -> str:
    """Say how it ended; anything else than nothing or a completed rotation is spelt out."""
    with closing(sqlite3.connect(state / "chekt.db")) as database:
        states = [row[0] for row in database.execute("SELECT state FROM rotations")]
        current = database.execute(
            "SELECT value_hash FROM keys WHERE state = 'current' AND kind = 'api_key'"
        ).fetchall()
        logged = database.execute(LOGGED).fetchone()[0]
        pending = database.execute("SELECT count(*) FROM keys WHERE state = 'pending'").fetchone()[0]
    held = (state / "secrets" / "main" / "shop.api_key").read_text().strip()
    if current != [(hashlib.sha256(held.encode()).digest(),)]:
        return f"the key in force is held by nobody ({states})"
    old = hashlib.sha256(
        (state.parent / "template" / "secrets/main/shop.api_key").read_text().strip().encode()
    ).digest()
    if states == [] and pending == 0 and current == [(old,)]:
        return "nothing happened"
    done = states == ["completed"] and pending == 0 and logged == 1
    return "rotated and delivered" if done else f"left over: {states}, {pending} pending, {logged} in the log"


def round_of(directory: Path, sink: str, step: int, second: int, *, together: int = 1) -> tuple[list[int], str]:
    """Rotate and be killed, recover and be killed, recover (several at once); say how each ended and what is left."""
    state = directory / "state"
    shutil.rmtree(state, ignore_errors=True)
    shutil.copytree(directory / "template", state)
    endings = [ending(in_child(lambda: asyncio.run(rotate(state, sink, step))))]
    if second:
        endings.append(ending(in_child(lambda: asyncio.run(take_up(state, sink, second, LATER)))))
    last = [in_child(lambda: asyncio.run(take_up(state, sink, 0, 2 * LATER))) for _ in range(together)]
    assert [ending(process) for process in last] == [0] * together
    return endings, found(state)


def every_step(directory: Path, sink: str) -> dict[str, Any]:
    """Kill the rotation at each of its steps; `recorded` is the first one after which it is taken up again."""
    seen: Counter[str] = Counter()
    step, recorded, killed = 0, sys.maxsize, -signal.SIGKILL
    while killed == -signal.SIGKILL:
        step += 1
        (killed, *_), left = round_of(directory, sink, step, 0, together=1 + step % 2)
        seen[left] += 1
        if left == "rotated and delivered":
            recorded = min(recorded, step)
    return {"steps": step, "found": seen, "ended": killed, "recorded": recorded}


def every_step_of_recovery(directory: Path, sink: str, rotation_step: int) -> dict[str, Any]:
    """Kill the recovery too, at each of its steps, after a rotation that was killed in the middle."""
    seen: Counter[str] = Counter()
    step, killed = 0, -signal.SIGKILL
    while killed == -signal.SIGKILL:
        step += 1
        (_, killed), left = round_of(directory, sink, rotation_step, step)
        seen[left] += 1
    return {"steps": step, "found": seen, "ended": killed}


if __name__ == "__main__":
    where, kind = Path(sys.argv[1]), sys.argv[2]
    rotation = every_step(where, kind)
    recovery = every_step_of_recovery(where, kind, rotation["recorded"])
    print(json.dumps({"rotation": rotation, "recovery": recovery}))  # noqa: T201 -- read by the test
