"""What a tool's function is given: one validated call with everything it may touch."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from mcp.server.mcpserver import Context
from mcp_types import InputRequiredResult

from chekt_mcp.auth.gate import choose_app
from chekt_mcp.domain.scope import ToolScopes
from chekt_mcp.operations.allow_list.compiled_lists import CompiledLists
from chekt_mcp.operations.services import Call, Services
from chekt_mcp.tools.answer import Answer
from chekt_mcp.tools.arguments import Arguments

A = TypeVar("A", bound=Arguments)


@dataclass(frozen=True, slots=True)
class ToolCall(Generic[A]):
    """A call past the gate. `app()` resolves the app it is about, within the grant."""

    services: Services = field(repr=False)
    call: Call
    arguments: A
    context: Context[Any, Any] = field(repr=False)
    compiled: CompiledLists = field(repr=False)
    tool_scopes: ToolScopes
    ask_timeout: float = 50.0

    def app(self) -> str:
        """Return the app this call is about; refuses one the grant does not cover."""
        return choose_app(self.call.grant, getattr(self.arguments, "app", None))


Run = Callable[[ToolCall[Any]], Awaitable[Answer | InputRequiredResult]]


@dataclass(frozen=True, slots=True)
class Binding:
    """What a tool takes (a model), gives (a TypedDict), and runs."""

    takes: type[Arguments]
    gives: type
    run: Run
