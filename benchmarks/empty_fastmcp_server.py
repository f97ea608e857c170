"""The other peer: FastMCP with one empty async tool. Runs under the interpreter that has it (FASTMCP_PYTHON)."""

from __future__ import annotations

import sys

import uvicorn
from fastmcp import FastMCP  # type: ignore[import-not-found]  # lives in an environment of its own

server = FastMCP("empty")


@server.tool  # type: ignore[untyped-decorator]  # as above
async def empty() -> str:
    """Do nothing."""
    return ""


if __name__ == "__main__":
    app = server.http_app(json_response=True)
    uvicorn.run(app, port=int(sys.argv[1]), access_log=False, log_level="critical")
