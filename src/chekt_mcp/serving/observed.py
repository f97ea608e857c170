"""What is told of each call and each refusal: a line in the log, a span, the counters. Names only, no values."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from opentelemetry import trace

from chekt_mcp.domain.audit import NewEntry, Result
from chekt_mcp.domain.exposure import redacted
from chekt_mcp.domain.foreign_text import escaped
from chekt_mcp.http.metrics import Labels, Metrics
from chekt_mcp.http.visit import Visit
from chekt_mcp.tools.catalog import CATALOG

UNKNOWN_TOOL = "unknown_tool"
LABELS = Labels(
    tools=(*CATALOG, UNKNOWN_TOOL),
    results=tuple(Result),
    codes=(
        "invalid_api_key",
        "ip_not_allowed",
        "rate_limited",
        "permission_denied",
        "unavailable",
        "internal_error",
        "client_address_unknown",
        "wrong_host",
        "wrong_origin",
        "ambiguous_request",
        "payload_too_large",
        "headers_too_large",
        "unsupported_media_type",
        "request_timeout",
    ),
)
SHOWN = 200
_LOG = logging.getLogger("chekt_mcp.calls")


@dataclass(frozen=True, slots=True)
class Observer:
    """Tells of calls and refusals. `metrics` is None where they were not asked for."""

    metrics: Metrics | None = None

    def call(self, entry: NewEntry, seconds: float) -> None:
        """Tell of a tool call that was answered; its entry is durable."""
        fields = {
            "event": "tool_call",
            "request_id": entry.request_id,
            "dealer": entry.dealer,
            "principal": redacted(escaped(entry.actor, SHOWN)),
            "source_ip": entry.source_ip,
            "tool": entry.action,
            "arguments": str(entry.details.get("arguments", "")).split(",") if "arguments" in entry.details else [],
            "result": entry.result,
            "outcome": entry.details.get("outcome"),
            "ms": round(1000 * seconds, 3),
        }
        _LOG.info("tool_call", extra={"fields": fields})
        _name_span(entry)
        if self.metrics:
            self.metrics.count_call(entry.action, entry.result, seconds)

    def refusal(self, visit: Visit, code: str, logged: str, *, tell: bool) -> None:
        """Tell of a request that the edge refused; with `tell` in the log too, where floods are only counted."""
        if self.metrics:
            self.metrics.count_refusal(code)
        if tell:
            caller = visit.caller
            fields = {
                "event": "refused",
                "request_id": visit.request_id,
                "dealer": caller.dealer if caller else None,
                "principal": redacted(escaped(caller.actor, SHOWN)) if caller else None,
                "source_ip": visit.source_ip,
                "code": code,
                "outcome": logged,
            }
            _LOG.info("refused", extra={"fields": fields})

    def response(self, visit: Visit) -> None:
        """Tell of an answer."""
        if self.metrics and visit.status:
            self.metrics.count_response(visit.status)


def _name_span(entry: NewEntry) -> None:
    """Say in the SDK's span how the call ended. A name that is no tool's is the client's text, and leaves the span."""
    span = trace.get_current_span()
    if not span.is_recording():
        return
    span.set_attributes(
        {
            "chekt_mcp.request_id": entry.request_id,
            "chekt_mcp.result": entry.result.value,
            "chekt_mcp.outcome": str(entry.details.get("outcome")),
        }
    )
    if entry.action == UNKNOWN_TOOL:
        span.update_name(f"tools/call {UNKNOWN_TOOL}")
        span.set_attribute("gen_ai.tool.name", UNKNOWN_TOOL)
