"""Reading what a new app is to be, off the arguments."""

from __future__ import annotations

from pathlib import Path

from chekt_mcp.cli.command import Command
from chekt_mcp.cli.terminal import decoded
from chekt_mcp.domain.allow_list.entry import MAX_BYTES
from chekt_mcp.domain.app import Authority, ConfirmBy, Environment, check_name
from chekt_mcp.domain.scope import SERVER_SCOPES, parse_scopes
from chekt_mcp.errors import InvalidInput
from chekt_mcp.operations.allow_list.first_allow_list import check_allow_list
from chekt_mcp.operations.apps.app_plan import AppPlan

STDIN = "-"


def plan_of(command: Command, dealer: str, environment: Environment, allow_list: str | None) -> AppPlan:
    """Return the plan for the app that the arguments name.

    Raises:
        InvalidInput: code `bad_name` or `unknown_scope`.
    """
    args = command.args
    return AppPlan(
        dealer=dealer,
        name=check_name(args.app),
        environment=environment,
        scopes=parse_scopes(args.scopes) if args.scopes is not None else frozenset(SERVER_SCOPES),
        covers=tuple(dict.fromkeys(check_name(name, field="covers") for name in args.covers.replace(",", " ").split())),
        confirm=ConfirmBy(args.confirm) if args.confirm else None,
        allow_list=allow_list,
    )


def given_allow_list(command: Command) -> str | None:
    """Return the text of `--allow-list`, from its file or standard input; None when it was not given.

    Raises:
        InvalidInput: code `unreadable_file`, `input_too_long` or `input_not_text`.
    """
    given: str | None = command.args.allow_list
    if given is None:
        return None
    return command.terminal.rest(MAX_BYTES) if given == STDIN else read_text(Path(given), MAX_BYTES, "allow_list")


def checked_allow_list(command: Command, authority: Authority) -> str | None:
    """Return the text of `--allow-list` once it is known to be a list.

    Raises:
        InvalidInput: see `given_allow_list` and `check_allow_list`.
    """
    text = given_allow_list(command)
    if text is not None:
        check_allow_list(text, authority)
    return text


def read_text(path: Path, limit: int, field: str) -> str:
    """Return a file's text of at most `limit` bytes.

    Raises:
        InvalidInput: see `given_allow_list`.
    """
    raw = read_bytes(path, limit + 1, field)
    if len(raw) > limit:
        raise InvalidInput(f"The file is longer than {limit:,} bytes.", field=field, code="input_too_long")
    return decoded(raw)


def read_bytes(path: Path, limit: int, field: str) -> bytes:
    """Return the first `limit` bytes of a file.

    Raises:
        InvalidInput: code `unreadable_file`.
    """
    try:
        with path.expanduser().open("rb") as file:
            return file.read(limit)
    except OSError as error:
        raise InvalidInput(
            "The file cannot be read.", field=field, code="unreadable_file", fix=f"{error.strerror}: check its path."
        ) from error
