"""The peer over HTTP: an SDK server with one empty async tool, on the event loop and parser that ours uses."""

from __future__ import annotations

import sys

import uvicorn
from mcp.server import MCPServer

server = MCPServer("empty", log_level="WARNING")


@server.tool()
async def empty() -> str:
    """Do nothing."""
    return ""


if __name__ == "__main__":
    app = server.streamable_http_app(json_response=True)
    uvicorn.run(app, port=int(sys.argv[1]), access_log=False, log_level="critical")
