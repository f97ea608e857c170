"""The configuration that a client needs to start this server: it points at a key file and holds no key."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from chekt_mcp.config import Settings

PROGRAM = "chekt-mcp"
HANDED_ON = (
    "CHEKT_MCP_APPROVAL_MINUTES",
    "CHEKT_MCP_GRACE_HOURS",
    "CHEKT_MCP_WEBHOOK_WINDOW",
    "CHEKT_MCP_SINK_SECONDS",
    "CHEKT_MCP_VAULT_ADDRESS",
    "CHEKT_MCP_VAULT_TOKEN_FILE",
    "CHEKT_MCP_VAULT_MOUNT",
    "CHEKT_MCP_VAULT_PATH",
    "CHEKT_MCP_VAULT_FIELD",
    "CHEKT_MCP_VAULT_NAMESPACE",
    "CHEKT_MCP_VAULT_CA_FILE",
)
"""Settings that were made for this command and that the server needs alike; none of them can hold a secret."""


def client_configuration(settings: Settings, key_file: Path, program: str, environ: Mapping[str, str]) -> str:
    """Return JSON to paste: `mcpServers`, as Claude Desktop, Claude Code and Cursor read it."""
    env = {"CHEKT_MCP_STATE": str(settings.state), "CHEKT_API_KEY_FILE": str(key_file)}
    if settings.secrets_dir != settings.state / "secrets":
        env["CHEKT_MCP_SECRETS_DIR"] = str(settings.secrets_dir)
    env |= {name: environ[name] for name in HANDED_ON if environ.get(name)}
    server = {"command": command_of(program), "args": ["serve"], "env": env}
    return json.dumps({"mcpServers": {"chekt": server}}, indent=2)


def command_of(program: str) -> str:
    """Return the program's absolute path: clients rarely have the PATH of a shell."""
    path = Path(program)
    if path.name == PROGRAM and os.access(path, os.X_OK):
        return str(path.absolute())
    return shutil.which(PROGRAM) or PROGRAM
