"""Import a file and say how far it is: a child process that its parent kills. Arguments: state, file, batches.

One batch after that it waits, so that it is killed on its way and never when it is through.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from chekt_mcp.operations.audit.import_audit import import_log
from chekt_mcp.operations.audit.import_tally import ImportProgress
from world import Randomness, World

told: list[ImportProgress] = []


def tell(progress: ImportProgress) -> None:
    told.append(progress)
    sys.stdout.write(f"{progress.rows}\n")
    sys.stdout.flush()
    if len(told) > int(sys.argv[3]):
        sys.stdin.read()


async def run(state: Path, file: Path) -> None:
    services = World(state, random=Randomness("killed")).services()
    await import_log(services, dealer="acme", file=file, imported_by="terminal:killed", progress=tell, batch=500)


asyncio.run(run(Path(sys.argv[1]), Path(sys.argv[2])))
