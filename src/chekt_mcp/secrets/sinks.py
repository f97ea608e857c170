"""Finding a sink again after a crash, from what the rotation's record kept of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from chekt_mcp.errors import DeliveryFailed, InvalidInput
from chekt_mcp.secrets.command import CommandSink
from chekt_mcp.secrets.file import FileSink
from chekt_mcp.secrets.interface import Sink
from chekt_mcp.secrets.vault import VaultSink


def restore(name: str, target: str) -> Sink:
    """Return the sink that has this `name` and `target`.

    Raises:
        DeliveryFailed: no sink of ours wrote them, or its settings are no longer taken.
    """
    sink = _restored(name, target)
    if sink is None:
        raise DeliveryFailed(
            "The record of where this key should go cannot be read.",
            fix="Give that rotation up with `chekt-mcp keys discard`, and rotate again.",
        )
    return sink


def _restored(name: str, target: str) -> Sink | None:
    try:
        fields = json.loads(target)
        match name:
            case FileSink.name:
                return FileSink(**_with_paths(fields, "path"))
            case CommandSink.name:
                check = fields.pop("check")
                argv = tuple(fields.pop("argv"))
                return CommandSink(argv=argv, check=None if check is None else tuple(check), **fields)
            case VaultSink.name:
                return VaultSink(**_with_paths(fields, "token_file", "ca_file"))
    except (ValueError, LookupError, TypeError, AttributeError, InvalidInput):
        pass
    return None


def _with_paths(fields: dict[str, Any], *names: str) -> dict[str, Any]:
    return fields | {name: None if fields[name] is None else Path(fields[name]) for name in names}
