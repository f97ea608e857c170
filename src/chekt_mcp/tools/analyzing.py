"""The tool that says what is unusual in the log: a module of its own, for it brings many rules."""

from __future__ import annotations

from chekt_mcp.operations.audit.analysis.subject import Asked
from chekt_mcp.operations.audit.analyze_log import Analysis, AnalyzeAuditLog, summary
from chekt_mcp.tools.answer import Answer
from chekt_mcp.tools.inputs import AnalyzeAuditLogInput
from chekt_mcp.tools.tool_call import Binding, ToolCall


async def analyze_audit_log(tool: ToolCall[AnalyzeAuditLogInput]) -> Answer:
    """Count a window of the log, and say what in it is unusual."""
    given, grant = tool.arguments, tool.call.grant
    apps = (*grant.apps, None) if given.app is None else (tool.app(),)
    asked = Asked(grant.dealer, apps, given.since, given.until, given.baseline)
    result = await Analysis(tool.services, tool.compiled, asked, tool.call.now).run()
    return Answer(result, summary(result), f"{len(result['findings']) + result['findings_cut']} findings")


BINDINGS = {"analyze_audit_log": Binding(AnalyzeAuditLogInput, AnalyzeAuditLog, analyze_audit_log)}
