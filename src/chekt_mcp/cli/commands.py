"""Tables of commands: a name, the module that knows it, and what it is for. Modules are loaded when they are named."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any

from chekt_mcp.cli.arguments import add_common
from chekt_mcp.cli.command import Command

Run = Callable[[Command], int]
"""What a command's module offers as `run`: carry it out and return the exit code."""

Table = Mapping[str, tuple[str, str]]

COMMANDS: Table = {
    "init": ("chekt_mcp.cli.init", "create the state, a dealer and its first app"),
    "app": ("chekt_mcp.cli.app.group", "add, list, show, adopt and configure apps"),
    "serve": ("chekt_mcp.cli.serve", "run the MCP server, on standard input and output or over HTTP"),
    "doctor": ("chekt_mcp.cli.doctor.report", "say what is wrong and how to mend it"),
    "approvals": ("chekt_mcp.cli.decide.pending", "list what waits for a person's decision"),
    "approve": ("chekt_mcp.cli.decide.approve", "read what an assistant asked for, and allow it"),
    "deny": ("chekt_mcp.cli.decide.deny", "refuse what an assistant asked for"),
    "keys": ("chekt_mcp.cli.keys.group", "take in, deliver, reveal and identify keys"),
    "allow-list": ("chekt_mcp.cli.allow_list.group", "show, check, compare and change an app's IP allow list"),
    "audit": ("chekt_mcp.cli.audit.group", "import, search, verify, export and prune the audit log"),
    "ranges": ("chekt_mcp.cli.ranges.group", "turn the ranges that a provider publishes into allow-list entries"),
    "webhook": ("chekt_mcp.cli.webhook.group", "send a receiver a test delivery, and verify a saved one"),
    "partner": ("chekt_mcp.cli.partner.group", "add, list and remove partners that sign for apps with their own keys"),
    "auth": ("chekt_mcp.cli.auth.group", "say what a credential opens over HTTP, or why it is refused"),
    "version": ("chekt_mcp.cli.version", "print the versions of this program and what it stands on"),
}


def add_commands(parser: argparse.ArgumentParser, table: Table, named: Sequence[str] | None = None) -> None:
    """Add the commands of a table; with `named`, only those among these words get their module and arguments."""
    commands = parser.add_subparsers(metavar="COMMAND", title="commands", required=True)
    for name, (module, purpose) in table.items():
        description = f"{purpose[0].upper()}{purpose[1:]}."
        command = commands.add_parser(name, help=purpose, description=description)
        if named is None or name in named:
            _load(command, import_module(module))


def _load(parser: argparse.ArgumentParser, module: Any) -> None:
    module.configure(parser)
    add_common(parser)
    if hasattr(module, "run"):  # a group has none of its own
        parser.set_defaults(run=module.run)
