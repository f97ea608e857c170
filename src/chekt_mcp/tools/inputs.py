"""What each tool takes. Strict: no coercion, no unknown names; every text and list has a stated limit."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from chekt_mcp.tools.arguments import Arguments

MIB = 1024 * 1024
KeyKindName = Literal["api_key", "signing_secret"]
AppName = Annotated[str, Field(max_length=48, description="App name; may be left out when you cover one app")]
Moment = Annotated[str, Field(max_length=40)]
IdempotencyKey = Annotated[
    str, Field(min_length=1, max_length=128, description="Repeat with the same key: same answer")
]
ApprovalId = Annotated[str, Field(max_length=40, description="From an earlier approval_required answer")]


class WhoAmIInput(Arguments):
    """No arguments."""


class CheckIpInput(Arguments):
    """Arguments of `check_ip`."""

    addresses: Annotated[
        list[Annotated[str, Field(max_length=100)]],
        Field(min_length=1, max_length=1000, description="IPv4 or IPv6 addresses"),
    ]
    app: AppName | None = None


class GetAllowListInput(Arguments):
    """Arguments of `get_allow_list`."""

    app: AppName | None = None


class PreviewAllowListInput(Arguments):
    """Arguments of `preview_allow_list`."""

    entries: Annotated[str, Field(max_length=MIB, description="The whole new list, as update_allow_list takes it")]
    app: AppName | None = None
    lookback: Annotated[Moment, Field(description="Traffic to hold it against: 24h, 90d or since RFC 3339")] = "7d"


class UpdateAllowListInput(Arguments):
    """Arguments of `update_allow_list`."""

    entries: Annotated[
        str | None, Field(max_length=MIB, description="The whole new list: addresses and CIDRs, # comments")
    ] = None
    disable: Annotated[bool, Field(description="Turn the layer off instead")] = False
    app: AppName | None = None
    reason: Annotated[str, Field(min_length=1, max_length=500, description="Shown to the person who decides")]
    expected_version: Annotated[int | None, Field(ge=0, description="Refuse if another version is in force")] = None
    idempotency_key: IdempotencyKey | None = None
    approval_id: ApprovalId | None = None


class VerifyWebhookInput(Arguments):
    """Arguments of `verify_webhook`."""

    headers: Annotated[
        dict[Annotated[str, Field(max_length=200)], Annotated[str, Field(max_length=8192)]],
        Field(max_length=100, description="The request's headers, any case"),
    ]
    body: Annotated[str | None, Field(max_length=MIB, description="Raw body as text, byte for byte")] = None
    body_base64: Annotated[str | None, Field(max_length=MIB * 3 // 2, description="Or the raw bytes in base64")] = None
    app: AppName | None = None
    received_at: Annotated[Moment | None, Field(description="When it arrived, RFC 3339, if not now")] = None


class CheckWebhookEndpointInput(Arguments):
    """Arguments of `check_webhook_endpoint`."""

    url: Annotated[str, Field(min_length=1, max_length=2048, description="As registered with CHeKT, https://…")]


class KeyStatusInput(Arguments):
    """Arguments of `get_key_status`."""

    app: AppName | None = None
    kind: KeyKindName = "api_key"


class RotateKeyInput(Arguments):
    """Arguments of `rotate_key`."""

    app: AppName | None = None
    kind: KeyKindName = "api_key"
    reason: Literal["scheduled", "team_change", "suspected_compromise", "other"]
    revoke_previous_now: Annotated[bool, Field(description="No 24 h grace: the old one stops at once")] = False
    force: Annotated[bool, Field(description="Also during the grace of an earlier rotation")] = False
    idempotency_key: IdempotencyKey | None = None
    approval_id: ApprovalId | None = None


class RevokePreviousKeyInput(Arguments):
    """Arguments of `revoke_previous_key`."""

    app: AppName | None = None
    kind: KeyKindName = "api_key"
    idempotency_key: IdempotencyKey | None = None
    approval_id: ApprovalId | None = None


class LogFilters(Arguments):
    """The filters of the audit log (`domain.log_filter`), as every tool takes them that reads it."""

    app: Annotated[str | None, Field(max_length=1000, description="Default: every app you cover")] = None
    actor: Annotated[
        str | None,
        Field(max_length=1000, description="Every filter: a; a,b; !a,b for none of these; \\, is a plain comma"),
    ] = None
    action: Annotated[str | None, Field(max_length=1000)] = None
    kind: Annotated[
        str | None, Field(max_length=100, description="api_call, webhook_delivery, operator_action, tool_call")
    ] = None
    scope: Annotated[str | None, Field(max_length=1000)] = None
    result: Annotated[str | None, Field(max_length=100, description="ok, denied, error")] = None
    request_id: Annotated[str | None, Field(max_length=1000)] = None
    source_ip: Annotated[str | None, Field(max_length=1000, description="Addresses or CIDRs")] = None
    key_id: Annotated[str | None, Field(max_length=1000)] = None
    text: Annotated[str | None, Field(max_length=1000, description="In action, actor or details")] = None


class SearchAuditLogInput(LogFilters):
    """Arguments of `search_audit_log`."""

    since: Annotated[Moment, Field(description="RFC 3339 or 15m, 24h, 90d")] = "24h"
    until: Moment | None = None
    limit: Annotated[int, Field(ge=1, le=200)] = 20
    cursor: Annotated[str | None, Field(max_length=300, description="next_cursor of the same query")] = None
    fields: Annotated[list[Annotated[str, Field(max_length=20)]] | None, Field(max_length=20)] = None


class ExportAuditLogInput(LogFilters):
    """Arguments of `export_audit_log`."""

    since: Annotated[Moment, Field(description="RFC 3339 or 15m, 24h, 90d")] = "90d"
    until: Moment | None = None
    format: Literal["csv", "json", "jsonl"] = "csv"
    fields: Annotated[list[Annotated[str, Field(max_length=20)]] | None, Field(max_length=20)] = None


class VerifyAuditLogInput(Arguments):
    """Arguments of `verify_audit_log`."""

    request_ids: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=100)]],
        Field(default_factory=list, max_length=50, description="Requests whose entries are to be proved"),
    ]


class AnalyzeAuditLogInput(Arguments):
    """Arguments of `analyze_audit_log`."""

    app: Annotated[str | None, Field(max_length=48, description="Default: every app you cover")] = None
    since: Annotated[Moment, Field(description="RFC 3339 or 15m, 24h, 90d")] = "24h"
    until: Moment | None = None
    baseline: Annotated[Moment, Field(description="What came before, to hold it against: 7d, 30d, or RFC 3339")] = "30d"


class CorrelateRequestsInput(Arguments):
    """Arguments of `correlate_requests`."""

    request_ids: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=100)]],
        Field(min_length=1, max_length=1000, description="As your log has them, e.g. from X-Request-Id"),
    ]
    since: Annotated[Moment, Field(description="RFC 3339 or 15m, 24h, 90d")] = "90d"
