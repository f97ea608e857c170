"""Kills a process (SIGKILL) at every step of a delivery to a file, then at random moments; prints what was found.

Run as a script with a directory: forking is for a process that has no threads.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from chekt_mcp.secrets.file import FileSink

OLD, NEW = "old-EXAMPLE", "new-EXAMPLE-longer"
STEPS = ("open", "mkdir", "fchmod", "write", "fsync", "rename", "unlink", "close", "rmdir")
ROUNDS = 100


def in_child(work: Callable[[], object]) -> int:
    """Run `work` in a forked process and return how that ended: 0, or minus the signal."""
    process = os.fork()
    if process == 0:
        work()
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def kill_at(step: int) -> None:
    """Make this process kill itself just before its `step`-th call that changes a file; writes go byte by byte."""
    count = 0

    def watched(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            nonlocal count
            count += 1
            if count == step:
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*arguments, **named)

        return call

    write = os.write
    for name in STEPS:
        setattr(os, name, watched(getattr(os, name)))
    os.write = watched(lambda handle, content: write(handle, content[:1]))


def deliver(path: Path, value: str) -> None:
    asyncio.run(FileSink(path, "the test file").deliver(value))


def kill_at_every_step(path: Path) -> dict[str, Any]:
    contents, step, ending = [], 0, -signal.SIGKILL
    while ending == -signal.SIGKILL:
        step += 1
        deliver(path, OLD)

        def work(step: int = step) -> None:
            kill_at(step)
            deliver(path, NEW)

        ending = in_child(work)
        contents.append(path.read_text())
        asyncio.run(FileSink(path, "the test file").prove())
        contents.extend(f"leftover {one.name}" for one in path.parent.iterdir() if one != path)
    return {"steps": step, "ending": ending, "contents": sorted(set(contents)), "last": contents[-1]}


def kill_at_random(path: Path) -> dict[str, Any]:
    contents, deliveries, chance = [], 0, random.Random(5)  # noqa: S311 -- a repeatable test, nothing secret
    for _ in range(ROUNDS):
        reader, writer = os.pipe()
        process = os.fork()
        if process == 0:
            while True:
                for value in (OLD, NEW):
                    deliver(path, value)
                    os.write(writer, b".")
        wanted = chance.randrange(1, 12)
        for _ in range(wanted):
            os.read(reader, 1)
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)
        os.close(reader)
        os.close(writer)
        deliveries += wanted
        contents.append(path.read_text())
    return {"rounds": ROUNDS, "deliveries": deliveries, "contents": sorted(set(contents))}


if __name__ == "__main__":
    directory = Path(sys.argv[1])
    found = {
        "step": kill_at_every_step(directory / "a" / "key"),
        "random": kill_at_random(directory / "b" / "key"),
    }
    print(json.dumps(found))  # noqa: T201 -- read by the test
