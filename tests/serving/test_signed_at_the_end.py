"""A server that ends leaves a signed checkpoint of all that it logged."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import sys
from pathlib import Path

import pytest
from mcp import Client, StdioServerParameters

from serving_child import Child, Installation


def sizes(state: Path) -> tuple[int, int]:
    """Return how many entries the log has, and how many the newest checkpoint signs."""
    connection = sqlite3.connect(state / "chekt.db")
    try:
        ((log,),) = connection.execute("SELECT size FROM logs").fetchall()
        ((signed,),) = connection.execute("SELECT coalesce(max(size), 0) FROM checkpoints").fetchall()
    finally:
        connection.close()
    return int(log), int(signed)


def test_over_http(installation: Installation, child: Child) -> None:
    async def call() -> None:
        async with child.client(installation.key) as client:
            await client.call_tool("whoami", {})

    before, _ = sizes(installation.state)
    asyncio.run(call())
    assert child.end() == 0
    after, signed = sizes(installation.state)
    assert signed == after > before


@pytest.mark.anyio
async def test_over_stdio(installation: Installation) -> None:
    before, _ = sizes(installation.state)
    environment = {"PATH": os.environ["PATH"], "CHEKT_MCP_STATE": str(installation.state)}
    server = StdioServerParameters(
        command=str(Path(sys.executable).parent / "chekt-mcp"),
        args=["serve"],
        env={**environment, "CHEKT_API_KEY": installation.key},
    )
    async with Client(server) as client:
        await client.call_tool("whoami", {})
    after, signed = sizes(installation.state)
    assert signed == after > before
