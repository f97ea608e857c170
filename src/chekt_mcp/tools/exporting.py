"""The tool that writes an export and answers with a link to it."""

from __future__ import annotations

from mcp_types import ResourceLink

from chekt_mcp.auth.gate import choose_apps
from chekt_mcp.domain.log_filter import FILTERS
from chekt_mcp.operations.audit.export_audit import ExportRequest
from chekt_mcp.operations.audit.export_for_tool import ExportAuditLog, export_for_tool, summary
from chekt_mcp.operations.audit.export_format import ExportFormat
from chekt_mcp.tools.answer import Answer
from chekt_mcp.tools.inputs import ExportAuditLogInput
from chekt_mcp.tools.tool_call import Binding, ToolCall


async def export_audit_log(tool: ToolCall[ExportAuditLogInput]) -> Answer:
    """Export a window and link to it."""
    given = tool.arguments
    apps, dealer_wide = choose_apps(tool.call.grant, given.app)
    request = ExportRequest(
        apps=apps,
        dealer_wide=dealer_wide,
        since=given.since,
        until=given.until,
        filters={name: value for name in FILTERS if (value := getattr(given, name)) is not None},
        fields=given.fields,
        form=ExportFormat(given.format),
    )
    result = await export_for_tool(tool.services, tool.call, request)
    return Answer(result, summary(result), f"exported {result['rows']}", links=(_link(result),))


def _link(result: ExportAuditLog) -> ResourceLink:
    form = ExportFormat(result["format"])
    return ResourceLink(
        uri=result["uri"],
        name=f"audit-log.{form.value}",
        title=f"Audit log, {result['rows']:,} entries",
        mime_type=form.media_type,
        size=result["bytes"],
    )


BINDINGS = {"export_audit_log": Binding(ExportAuditLogInput, ExportAuditLog, export_audit_log)}
