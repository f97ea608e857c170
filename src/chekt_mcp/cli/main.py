"""The entry point `chekt-mcp`."""

from __future__ import annotations

import gc
import sys
from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line (default: of this process) and return the exit code."""
    arguments = sys.argv[1:] if argv is None else argv
    if "serve" in arguments:
        gc.disable()  # what is imported lives on: collecting costs start-up time; the server turns it on when it is up
    from chekt_mcp.cli.command_line import run  # noqa: PLC0415 -- only from here on is nothing collected

    return run(arguments)
