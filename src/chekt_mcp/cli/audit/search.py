"""`chekt-mcp audit search`: entries of the log, newest first, a page at a time."""

from __future__ import annotations

import json
from dataclasses import replace

from chekt_mcp.cli.arguments import DONE, Parser
from chekt_mcp.cli.audit.selection import add_selection, chosen_apps, given_fields, given_filters
from chekt_mcp.cli.command import Command, carry_out, opened
from chekt_mcp.errors import InvalidInput
from chekt_mcp.operations.audit.search_audit import Search, SearchAuditLog, search_audit_log, summary

MOST = 10_000


def configure(parser: Parser) -> None:
    """Describe the arguments."""
    add_selection(parser, "24h")
    parser.add_argument("--limit", metavar="N", type=int, default=20, help="entries of a page (default: 20)")
    parser.add_argument("--cursor", metavar="CURSOR", help="go on where a page of the same question ended")
    parser.add_argument("--fields", metavar="LIST", help="fields by commas; details is one that is not there unasked")
    parser.add_argument("--format", choices=["text", "json"], default="text", help="(default: text)")


def run(command: Command) -> int:
    """Print one page and how to go on."""
    result = carry_out(_search(command))
    command.terminal.say(json.dumps(result, indent=2) if command.args.format == "json" else summary(result))
    return DONE


async def _search(command: Command) -> SearchAuditLog:
    args = command.args
    if not 1 <= args.limit <= MOST:
        raise InvalidInput(f"A page has 1 to {MOST} entries.", field="limit", code="out_of_range")
    async with opened(command) as session:
        dealer = await session.dealer()
        apps = await chosen_apps(session, dealer, args.app)
        call = session.operator.call(dealer, "", session.services.clock())
        search = Search(
            apps=apps,
            dealer_wide=not args.app,
            since=args.since,
            until=args.until,
            filters=given_filters(args),
            limit=args.limit,
            cursor=args.cursor,
            fields=given_fields(args),
        )
        whole = replace(call, grant=replace(call.grant, apps=apps))
        return await search_audit_log(session.services, whole, search)
