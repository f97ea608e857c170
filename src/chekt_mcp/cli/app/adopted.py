"""Where adopted values come from: files, standard input, or a person who pastes them; never an argument."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from chekt_mcp.cli.command import Command
from chekt_mcp.cli.new_app import given_allow_list
from chekt_mcp.cli.terminal import Terminal
from chekt_mcp.domain.allow_list.entry import MAX_BYTES
from chekt_mcp.errors import InvalidInput
from chekt_mcp.operations.apps.adopted_values import AdoptedValues


def values_of(command: Command) -> AdoptedValues:
    """Return what was brought, its forms checked.

    Raises:
        InvalidInput: code `key_missing` or `nothing_to_adopt`, an unreadable source, or a malformed value.
    """
    args, values = command.args, _given(command)
    if values == AdoptedValues() and command.terminal.interactive:
        values = _asked(command.terminal, known=args.replace, credentials_only=args.credentials_only)
    values = replace(values, key_id=args.key_id)
    _require(values, known=args.replace)
    values.environment()
    return values


def _given(command: Command) -> AdoptedValues:
    args, terminal = command.args, command.terminal
    key = _credential(terminal, args.key_file, from_stdin=args.key_stdin)
    secret = _credential(terminal, args.signing_secret_file, from_stdin=args.signing_secret_stdin)
    return AdoptedValues(key, secret, given_allow_list(command))


def _credential(terminal: Terminal, file: str | None, *, from_stdin: bool) -> str | None:
    from chekt_mcp.secrets.file import read_key_file  # noqa: PLC0415 -- beside its use

    if file is not None:
        return read_key_file(Path(file).expanduser())
    return terminal.line().strip() if from_stdin else None


def _asked(terminal: Terminal, *, known: bool, credentials_only: bool) -> AdoptedValues:
    skip = "Enter keeps the known one" if known else "Enter leaves it out"
    key = terminal.ask_hidden(f"API key{f' ({skip})' if known else ''}: ").strip()
    secret = terminal.ask_hidden(f"Webhook signing secret ({skip}): ").strip()
    if credentials_only:
        return AdoptedValues(key or None, secret or None)
    terminal.say(f"Allow list, as the portal shows it; an empty line ends it ({skip}):")
    return AdoptedValues(key or None, secret or None, _lines(terminal) or None)


def _lines(terminal: Terminal) -> str:
    lines: list[str] = []
    size = 0
    while line := terminal.line():
        lines.append(line)
        size += len(line)
        if size > MAX_BYTES:
            raise InvalidInput(f"The allow list is longer than {MAX_BYTES:,} bytes.", code="input_too_long")
    return "\n".join(lines)


def _require(values: AdoptedValues, *, known: bool) -> None:
    if known and not values.credentials() and values.allow_list is None:
        raise InvalidInput(
            "There is nothing to take in.",
            code="nothing_to_adopt",
            fix="Give a key, a signing secret or a list: at a terminal, on standard input or in a file.",
        )
    if not known and values.api_key is None:
        raise InvalidInput(
            "The app's API key is needed.",
            field="key",
            code="key_missing",
            fix="Paste it at a terminal, or use --key-file or --key-stdin.",
        )
