"""A result as both kinds of client need it: structured for programs, and words that carry the verdict alone."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mcp_types import CallToolResult, ResourceLink, TextContent

from chekt_mcp.domain.exposure import contains_credential, redacted


@dataclass(frozen=True, slots=True)
class Answer:
    """What a tool found out. `outcome` is a short code for the audit log, e.g. `allowed` or `approval_required`.

    `links` are made by this server alone and hold nothing that others wrote.
    """

    structured: Mapping[str, Any]
    text: str
    outcome: str = "ok"
    denied: bool = False
    links: Sequence[ResourceLink] = ()


def as_result(answer: Answer) -> CallToolResult:
    """Return the answer as MCP wants it, after a last look for anything shaped like a credential."""
    structured, text = dict(answer.structured), answer.text
    if contains_credential(f"{json.dumps(structured, ensure_ascii=False)}\n{text}"):  # one look at both: each is dear
        structured, text = _clean(structured), redacted(text)
    return CallToolResult(content=[TextContent(type="text", text=text), *answer.links], structured_content=structured)


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return redacted(value)
    if isinstance(value, Mapping):
        return {redacted(str(key)): _clean(inner) for key, inner in value.items()}
    return [_clean(inner) for inner in value] if isinstance(value, list | tuple) else value
