"""The tool that any caller may use, also one whose credential is refused."""

from __future__ import annotations

from chekt_mcp.auth.credential import Problem
from chekt_mcp.domain.scope import ToolScopes
from chekt_mcp.operations import whoami as operation
from chekt_mcp.tools.answer import Answer
from chekt_mcp.tools.inputs import WhoAmIInput
from chekt_mcp.tools.tool_call import Binding, ToolCall


async def whoami(tool: ToolCall[WhoAmIInput]) -> Answer:
    """Describe the caller's grant."""
    grant, scopes = tool.call.grant, tool.tool_scopes
    result = await tool.services.storage.read(lambda reader: operation.whoami(reader, grant, scopes, tool.call.now))
    return Answer(result, operation.summary(result))


def nobody(problem: Problem, scopes: ToolScopes) -> Answer:
    """Describe a caller without a grant."""
    result = operation.nobody(problem, scopes)
    return Answer(result, operation.summary(result), problem.code, denied=True)


BINDINGS = {"whoami": Binding(WhoAmIInput, operation.WhoAmI, whoami)}
