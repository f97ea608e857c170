"""`chekt-mcp version`."""

from __future__ import annotations

import platform
import sqlite3
from importlib.metadata import version

from chekt_mcp import __version__
from chekt_mcp.cli.arguments import Parser
from chekt_mcp.cli.command import Command

STANDS_ON = ("mcp", "cryptography")


def configure(_parser: Parser) -> None:
    """Describe the arguments: there are none of its own."""


def run(command: Command) -> int:
    """Print one line for the program and one for what it stands on."""
    command.terminal.say(f"chekt-mcp {__version__}")
    packages = ", ".join(f"{name} {version(name)}" for name in STANDS_ON)
    command.terminal.say(f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {packages}")
    return 0
