"""Find the command, run it, and say in one line what went wrong. 0 done, 1 refused or failed, 2 usage.

A command whose 1 is a finding (`no_answer` among its defaults) ends with 2 when anything went wrong.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence

from chekt_mcp.cli.arguments import FAILED, Parser, add_common
from chekt_mcp.cli.command import Command
from chekt_mcp.cli.commands import COMMANDS, add_commands
from chekt_mcp.cli.terminal import Terminal
from chekt_mcp.domain.exposure import contains_credential, redacted
from chekt_mcp.errors import ChektError, NotPermitted


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code; nothing that goes wrong is left unexplained."""
    return _explained(lambda: _run(list(arguments), os.environ), FAILED)


def _explained(work: Callable[[], int], failed: int) -> int:
    """Return the exit code of some work, `failed` where something went wrong."""
    try:
        return work()
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else failed
    except ChektError as error:
        _tell(error.code, str(error))
    except KeyboardInterrupt:
        _tell("interrupted", "Stopped by you. What was not reported as done may not have been done.")
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # nobody reads any more; the interpreter must not try to flush
    except Exception as error:  # noqa: BLE001 -- the last line: a person gets a sentence, never a traceback
        _tell_unexpected(error)
    return failed


def _run(arguments: list[str], environ: Mapping[str, str]) -> int:
    for stream in (sys.stdout, sys.stderr):
        if stream is not None and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # a terminal of another encoding still gets every line
    _refuse_credentials(arguments)
    args = _parser(arguments).parse_args(arguments)
    command = Command(args, environ, Terminal(), sys.argv[0])
    return _explained(lambda: args.run(command), getattr(args, "no_answer", FAILED))


def _parser(arguments: Sequence[str]) -> Parser:
    parser = Parser(prog="chekt-mcp", description="MCP server for CHeKT app security, with a person in control.")
    parser.add_argument("--version", action="version", version=_version())
    add_common(parser)
    add_commands(parser, COMMANDS, arguments)
    return parser


def _version() -> str:
    from chekt_mcp import __version__  # noqa: PLC0415 -- beside its use

    return f"chekt-mcp {__version__}"


def _refuse_credentials(arguments: Sequence[str]) -> None:
    if any(contains_credential(argument) for argument in arguments):
        raise NotPermitted(
            "An argument looks like a key or secret. It is in your shell's history now: rotate it.",
            code="key_in_arguments",
            fix="Give keys at the prompt, on standard input or in a file; see `chekt-mcp app adopt --help`.",
        )


def _tell(code: str, text: str) -> None:
    if sys.stderr is not None:
        print(redacted(f"error: {code}: {text}"), file=sys.stderr)  # noqa: T201 -- errors go to a person


def _tell_unexpected(error: Exception) -> None:
    if os.environ.get("CHEKT_MCP_DEBUG") == "1":
        import traceback  # noqa: PLC0415 -- only when something went wrong

        print(redacted("".join(traceback.format_exception(error))), file=sys.stderr)  # noqa: T201 -- asked for
    _tell(
        "internal_error",
        f"Something unexpected happened ({type(error).__name__}). Please report it; "
        "with CHEKT_MCP_DEBUG=1 the details are printed.",
    )
