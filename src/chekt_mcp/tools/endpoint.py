"""The one tool that reaches other people's servers."""

from __future__ import annotations

from chekt_mcp.operations.webhook import check_endpoint
from chekt_mcp.tools.answer import Answer
from chekt_mcp.tools.inputs import CheckWebhookEndpointInput
from chekt_mcp.tools.tool_call import Binding, ToolCall


async def check_webhook_endpoint(tool: ToolCall[CheckWebhookEndpointInput]) -> Answer:
    """Look at an endpoint from here, and say whether deliveries can reach it."""
    result = await check_endpoint.check_endpoint(tool.services, tool.call, tool.arguments.url)
    return Answer(result, check_endpoint.summary(result), check_endpoint.outcome(result))


BINDINGS = {
    "check_webhook_endpoint": Binding(
        CheckWebhookEndpointInput, check_endpoint.CheckWebhookEndpoint, check_webhook_endpoint
    ),
}
