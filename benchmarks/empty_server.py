"""The peer: an SDK server with a single empty tool, as bare as it gets."""

from __future__ import annotations

from mcp.server import MCPServer

server = MCPServer("empty")


@server.tool()
async def empty() -> str:
    """Do nothing."""
    return ""


if __name__ == "__main__":
    server.run("stdio")
