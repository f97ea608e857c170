"""Prune and say how many entries are gone: a child process that its parent kills. Arguments: state, entries a batch."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from chekt_mcp.operations.audit.prune_audit import prune_log
from chekt_mcp.operations.operator import Operator
from world import World


async def tell(gone: int) -> None:
    sys.stdout.write(f"{gone}\n")
    sys.stdout.flush()


async def run(state: Path, batch: int) -> None:
    await prune_log(World(state).services(), Operator("terminal:killed", "req_killed"), "acme", tell, batch)


asyncio.run(run(Path(sys.argv[1]), int(sys.argv[2])))
