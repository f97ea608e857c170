"""The tools that only look."""

from __future__ import annotations

import base64
import binascii

from chekt_mcp.auth.gate import choose_apps
from chekt_mcp.domain.api_key import KeyKind
from chekt_mcp.domain.log_filter import FILTERS
from chekt_mcp.domain.timespan import parse_moment
from chekt_mcp.errors import InvalidInput
from chekt_mcp.operations.allow_list import check_address, preview_words, read_allow_list
from chekt_mcp.operations.allow_list import preview_allow_list as preview
from chekt_mcp.operations.audit import correlate_requests as correlate
from chekt_mcp.operations.audit import search_audit
from chekt_mcp.operations.keys import key_status
from chekt_mcp.operations.webhook import verify_delivery
from chekt_mcp.tools.answer import Answer
from chekt_mcp.tools.inputs import (
    CheckIpInput,
    CorrelateRequestsInput,
    GetAllowListInput,
    KeyStatusInput,
    PreviewAllowListInput,
    SearchAuditLogInput,
    VerifyWebhookInput,
)
from chekt_mcp.tools.tool_call import Binding, ToolCall

BODY_LIMIT = 1024 * 1024


async def check_ip(tool: ToolCall[CheckIpInput]) -> Answer:
    """Say of each address whether the list in force lets it in, and by which entry."""
    app, addresses, dealer = tool.app(), tool.arguments.addresses, tool.call.grant.dealer
    result = await tool.services.storage.read(
        lambda reader: check_address.check_addresses(reader, tool.compiled, dealer, app, addresses)
    )
    return Answer(result, check_address.summary(result), " ".join(sorted(result["counts"])))


async def get_allow_list(tool: ToolCall[GetAllowListInput]) -> Answer:
    """Return the list in force with findings."""
    app = tool.app()
    result = await tool.services.storage.scan(lambda reader: read_allow_list.get_allow_list(reader, tool.call, app))
    return Answer(result, read_allow_list.summary(result))


async def preview_allow_list(tool: ToolCall[PreviewAllowListInput]) -> Answer:
    """Say what a proposed list would change and refuse."""
    app, given = tool.app(), tool.arguments
    result = await tool.services.storage.scan(
        lambda reader: preview.preview_allow_list(reader, tool.call, app, given.entries, given.lookback)
    )
    return Answer(result, preview_words.summary(result), "valid" if result["valid"] else "not_valid")


async def verify_webhook(tool: ToolCall[VerifyWebhookInput]) -> Answer:
    """Verify one delivery, and say why when it fails."""
    given = tool.arguments
    received = parse_moment(given.received_at, tool.call.now, field="received_at") if given.received_at else None
    delivery = verify_delivery.Delivery(given.headers, body_bytes(given.body, given.body_base64), received)
    result = await verify_delivery.verify_delivery(tool.services, tool.call, tool.app(), delivery)
    return Answer(result, verify_delivery.summary(result), result["verdict"])


async def get_key_status(tool: ToolCall[KeyStatusInput]) -> Answer:
    """Return the state of the current and previous key."""
    app, kind = tool.app(), KeyKind(tool.arguments.kind)
    result = await tool.services.storage.scan(lambda reader: key_status.key_status(reader, tool.call, app, kind))
    return Answer(result, key_status.summary(result), f"safe_to_revoke {result['safe_to_revoke']}")


async def search_audit_log(tool: ToolCall[SearchAuditLogInput]) -> Answer:
    """Return one page of matching entries."""
    given = tool.arguments
    apps, dealer_wide = choose_apps(tool.call.grant, given.app)
    filters = {name: value for name in FILTERS if (value := getattr(given, name)) is not None}
    search = search_audit.Search(
        apps=apps,
        dealer_wide=dealer_wide,
        since=given.since,
        until=given.until,
        filters=filters,
        limit=given.limit,
        cursor=given.cursor,
        fields=given.fields,
    )
    result = await search_audit.search_audit_log(tool.services, tool.call, search)
    return Answer(result, search_audit.summary(result), "complete" if result["complete"] else "more")


async def correlate_requests(tool: ToolCall[CorrelateRequestsInput]) -> Answer:
    """Say of each request id whether the log knows it."""
    given = tool.arguments
    result = await tool.services.storage.scan(
        lambda reader: correlate.correlate_requests(reader, tool.call, given.request_ids, given.since)
    )
    return Answer(result, correlate.summary(result), f"{len(result['unknown'])} unknown")


def body_bytes(text: str | None, encoded: str | None) -> bytes:
    """Return the body's very bytes.

    Raises:
        InvalidInput: none or both were given, base64 that is none, or more than 1 MiB.
    """
    if (text is None) == (encoded is None):
        raise InvalidInput("Give the body either as body or as body_base64.", field="body", code="one_body")
    try:
        body = text.encode() if text is not None else base64.b64decode(encoded or "", validate=True)
    except (UnicodeEncodeError, binascii.Error, ValueError):
        field = "body" if text is not None else "body_base64"
        raise InvalidInput("The body cannot be read as bytes.", field=field, code="bad_body") from None
    if len(body) > BODY_LIMIT:
        raise InvalidInput("A body has at most 1 MiB.", field="body", code="too_long")
    return body


BINDINGS = {
    "check_ip": Binding(CheckIpInput, check_address.CheckIp, check_ip),
    "get_allow_list": Binding(GetAllowListInput, read_allow_list.GetAllowList, get_allow_list),
    "preview_allow_list": Binding(PreviewAllowListInput, preview.PreviewAllowList, preview_allow_list),
    "verify_webhook": Binding(VerifyWebhookInput, verify_delivery.VerifyWebhook, verify_webhook),
    "get_key_status": Binding(KeyStatusInput, key_status.KeyStatus, get_key_status),
    "search_audit_log": Binding(SearchAuditLogInput, search_audit.SearchAuditLog, search_audit_log),
    "correlate_requests": Binding(CorrelateRequestsInput, correlate.CorrelateRequests, correlate_requests),
}
