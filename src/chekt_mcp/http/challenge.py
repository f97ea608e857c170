"""Which scopes a call needs, told from its head or its body, for callers that are challenged over HTTP.

A client of 2026-07-28 names method and tool in `Mcp-Method` and `Mcp-Name`; the SDK holds them to the body later, so
a false one only chooses the refusal. An older client says it in the body alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from chekt_mcp.domain.scope import Grant, Scope, ToolScopes

CALL = "tools/call"


def called_tool(head: Mapping[bytes, bytes], body: bytes) -> str | None:
    """Return the tool that a request calls; None where it calls none, or cannot be read: the SDK answers that."""
    if b"mcp-method" in head:
        named = head.get(b"mcp-name", b"").decode("latin-1")
        return named if head[b"mcp-method"] == CALL.encode() else None
    try:
        message = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(message, dict) or message.get("method") != CALL:
        return None
    params = message.get("params")
    name = params.get("name") if isinstance(params, dict) else None
    return name if isinstance(name, str) else None


def missing(grant: Grant, tools: ToolScopes, tool: str | None) -> frozenset[Scope]:
    """Return all scopes that a call of `tool` needs, if the grant lacks any of them; else none."""
    needed = tools.get(tool) if tool is not None else None
    return frozenset() if grant.allows(needed) or needed is None else frozenset({needed})
