"""The tool that tells whether the log was altered."""

from __future__ import annotations

from chekt_mcp.operations.audit.prove_entries import prove_entries
from chekt_mcp.operations.audit.verify_log import LogVerifier
from chekt_mcp.operations.audit.verify_report import VerifyAuditLog, report, summary
from chekt_mcp.tools.answer import Answer
from chekt_mcp.tools.inputs import VerifyAuditLogInput
from chekt_mcp.tools.tool_call import Binding, ToolCall

NEWEST = 200_000
"""Rows looked at in one call: a few seconds. The terminal looks at all of them."""


async def verify_audit_log(tool: ToolCall[VerifyAuditLogInput]) -> Answer:
    """Verify the log of the caller's dealer, and prove requests of the caller's apps."""
    grant, asked = tool.call.grant, tool.arguments.request_ids
    verified = await LogVerifier(tool.services, grant.dealer, NEWEST).run()
    proved = await tool.services.storage.scan(
        lambda reader: prove_entries(reader, grant.dealer, grant.apps, asked, verified)
    )
    result = report(verified.with_problems(proved.problems), proved.proofs, proved.unknown)
    return Answer(result, summary(result), result["status"])


BINDINGS = {"verify_audit_log": Binding(VerifyAuditLogInput, VerifyAuditLog, verify_audit_log)}
