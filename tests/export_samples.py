"""Entries to export, and the operator who exports them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from chekt_mcp.domain.audit import Kind, NewEntry, Result
from chekt_mcp.domain.log_block import LogBlock
from chekt_mcp.domain.scope import Grant, Scope
from chekt_mcp.operations.audit.export_text import FIELDS
from chekt_mcp.operations.services import Call
from world import World


def operator(world: World) -> Call:
    grant = Grant("acme", "terminal:root", "none", None, ("shop",), frozenset(Scope))
    return Call(grant, "req_export", world.clock(), "terminal")


def entry(world: World, number: int, **changes: Any) -> NewEntry:
    """Return a call of the API, one minute older for each number; every third was denied."""
    made = NewEntry(
        dealer="acme",
        timestamp=world.clock() - timedelta(minutes=number),
        actor="app:shop",
        kind=Kind.API_CALL,
        action="devices.list",
        result=Result.OK if number % 3 else Result.DENIED,
        request_id=f"req_{number}",
        app="shop",
        source_ip=f"203.0.113.{number % 250}",
    )
    return replace(made, **changes)


class Itself(dict[Any, Any]):
    """What stands for itself: texts in the place of the numbers that a block has for them."""

    def __missing__(self, text: Any) -> Any:
        """Return it."""
        return text


def block_of(rows: Sequence[tuple[Any, ...]]) -> LogBlock:
    """Return a block of these rows, in the order of its columns."""
    columns: list[Any] = list(zip(*rows, strict=True)) or [()] * len(FIELDS)
    return LogBlock(Itself(), Itself(), *columns)
