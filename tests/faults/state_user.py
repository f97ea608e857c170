"""A process of its own that uses a state directory. Prints one line for each thing that was acknowledged.

    state_user.py DIRECTORY append NAME COUNT    append entries, one durable write each; print each number
    state_user.py DIRECTORY forever NAME         the same without an end
    state_user.py DIRECTORY list VERSIONS        try to add each version of the allow list
    state_user.py DIRECTORY consume COUNT        try to use each approval
    state_user.py DIRECTORY open                 open (and make) the state, append one entry

It prints "ready" and waits for a line on standard input before it begins, so that several begin at once.
"""

from __future__ import annotations

import asyncio
import itertools
import sys
from collections.abc import Iterable
from pathlib import Path

import storage_samples as sample
from chekt_mcp.errors import Conflict
from chekt_mcp.storage.sqlite import SqliteStorage, open_storage


def say(line: object) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


async def append(storage: SqliteStorage, name: str, numbers: Iterable[int]) -> None:
    for number in numbers:
        (seq,) = await storage.write(sample.work("append", [sample.entry(f"{name}-{number}")]))
        say(f"{seq} {name}-{number}")


async def add_versions(storage: SqliteStorage, count: int) -> None:
    for version in range(1, count + 1):
        try:
            await storage.write(sample.work("add_allow_list", sample.allow_list(version)))
            say(version)
        except Conflict:
            pass


async def consume(storage: SqliteStorage, count: int) -> None:
    for number in range(count):
        if await storage.write(sample.work("consume_approval", "acme", f"apr_{number}", sample.NOW)):
            say(number)


async def main(directory: Path, command: str, *arguments: str) -> None:
    say("ready")
    sys.stdin.readline()
    storage = open_storage(directory)
    match command:
        case "append":
            await append(storage, arguments[0], range(int(arguments[1])))
        case "forever":
            await append(storage, arguments[0], itertools.count())
        case "list":
            await add_versions(storage, int(arguments[0]))
        case "consume":
            await consume(storage, int(arguments[0]))
        case "open":
            await append(storage, "first", range(1))
    await storage.close()


asyncio.run(main(Path(sys.argv[1]), *sys.argv[2:]))
