"""A command as a person can type it in the very shell that this one was typed in."""

from __future__ import annotations

import shlex
import shutil

from chekt_mcp.cli.client_configuration import PROGRAM, command_of
from chekt_mcp.cli.command import Command

PLACES = ("state", "secrets_dir")
"""Flags of this command that another one needs again; a variable is still set in the shell."""


def typed(command: Command, *words: str) -> str:
    """Return a command line: by name where the shell finds this program, else by its path; on the same state."""
    found = shutil.which(PROGRAM, path=command.environ.get("PATH", ""))
    given = [(name, getattr(command.args, name, None)) for name in PLACES]
    flags = [part for name, value in given if value for part in (f"--{name.replace('_', '-')}", str(value))]
    return shlex.join([PROGRAM if found else command_of(command.program), *flags, *words])
