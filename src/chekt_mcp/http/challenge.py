"""Which scopes a call needs, told from its head or its body, for callers that are challenged over HTTP.

A client of 2026-07-28 names method and tool in `Mcp-Method` and `Mcp-Name`; the SDK holds them to the body later, so
a false one only chooses the refusal. An older client says it in the body alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from chekt_mcp.domain.scope import Grant, Scope, ToolScopes

CALL, READ = "tools/call", "resources/read"


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request asks for; `name` is the tool's, where one is called."""

    method: str
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Needed:
    """Which scope each tool needs, and which every resource does."""

    tools: ToolScopes
    resources: Scope

    def missing(self, grant: Grant, asked: Asked | None) -> frozenset[Scope]:
        """Return all scopes that a request needs, if the grant lacks any of them; else none."""
        needed = self._of(asked) if asked else None
        return frozenset() if grant.allows(needed) or needed is None else frozenset({needed})

    def _of(self, asked: Asked) -> Scope | None:
        if asked.method == READ:
            return self.resources
        return self.tools.get(asked.name) if asked.method == CALL and asked.name is not None else None


def asked_for(head: Mapping[bytes, bytes], body: bytes) -> Asked | None:
    """Return what a request asks for; None where it cannot be read: the SDK answers that."""
    if b"mcp-method" in head:
        return Asked(head[b"mcp-method"].decode("latin-1"), head.get(b"mcp-name", b"").decode("latin-1"))
    try:
        message = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(message, dict) or not isinstance(method := message.get("method"), str):
        return None
    params = message.get("params")
    name = params.get("name") if isinstance(params, dict) else None
    return Asked(method, name if isinstance(name, str) else None)
