"""Where clients keep their MCP servers, and the entries of ours in them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from chekt_mcp.cli.doctor.surroundings import Surroundings

PROGRAM = "chekt-mcp"
LIMIT = 64 * 1024 * 1024
"""Bytes: Claude Code keeps its whole history in one of these files."""


@dataclass(frozen=True, slots=True)
class ClientEntry:
    """One configured server of ours."""

    client: str
    file: Path
    name: str
    command: str
    arguments: tuple[str, ...] = field(repr=False)
    environment: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A client's file that could not be read as JSON."""

    client: str
    file: Path


def places(here: Surroundings) -> list[tuple[str, Path]]:
    """Return the usual files of Claude Desktop, Claude Code, Cursor and VS Code."""
    settings = here.home / ("Library/Application Support" if here.system == "darwin" else ".config")
    return [
        ("Claude Desktop", settings / "Claude" / "claude_desktop_config.json"),
        ("Claude Code", here.working_directory / ".mcp.json"),
        ("Claude Code", here.home / ".claude.json"),
        ("Cursor", here.home / ".cursor" / "mcp.json"),
        ("Cursor", here.working_directory / ".cursor" / "mcp.json"),
        ("VS Code", here.working_directory / ".vscode" / "mcp.json"),
        ("VS Code", settings / "Code" / "User" / "mcp.json"),
    ]


def entries(here: Surroundings) -> Iterator[ClientEntry | Unreadable]:
    """Yield every entry of ours, and every file that is there and cannot be read."""
    for client, file in dict.fromkeys(places(here)):
        if not file.is_file():
            continue
        try:
            with file.open("rb") as stream:
                content = json.loads(stream.read(LIMIT))
        except (OSError, ValueError, RecursionError):
            yield Unreadable(client, file)
            continue
        for name, server in _servers(content):
            if (entry := _ours(client, file, name, server)) is not None:
                yield entry


def _servers(content: object) -> Iterator[tuple[str, Mapping[str, object]]]:
    """Find servers under `mcpServers`, VS Code's `servers`, and Claude Code's `mcpServers` of each project."""
    for holder in (content, *_mapping(_mapping(content).get("projects")).values()):
        for key in ("mcpServers", "servers"):
            for name, server in _mapping(_mapping(holder).get(key)).items():
                yield name, _mapping(server)


def _ours(client: str, file: Path, name: str, server: Mapping[str, object]) -> ClientEntry | None:
    command = server.get("command")
    given = server.get("args")
    arguments = tuple(one for one in given if isinstance(one, str)) if isinstance(given, list) else ()
    if not isinstance(command, str) or not any(_is_program(word) for word in (command, *arguments)):
        return None
    environment = {key: value for key, value in _mapping(server.get("env")).items() if isinstance(value, str)}
    return ClientEntry(client, file, name, command, arguments, environment)


def _is_program(word: str) -> bool:
    return Path(word).name.startswith(PROGRAM) or word == "chekt_mcp"


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}
