"""`chekt-mcp audit analyze`: what the log holds in a window, and what of it is unusual."""

from __future__ import annotations

import json

from chekt_mcp.cli.arguments import DONE, FAILED, Parser, tell_findings
from chekt_mcp.cli.command import Command, carry_out, opened
from chekt_mcp.domain.analysis.finding import Severity
from chekt_mcp.domain.exposure import redacted
from chekt_mcp.operations.allow_list.compiled_lists import CompiledLists
from chekt_mcp.operations.audit.analysis.subject import Asked
from chekt_mcp.operations.audit.analyze_log import Analysis, AnalyzeAuditLog, summary
from chekt_mcp.operations.known_app import unknown_app
from chekt_mcp.storage.interface import Storage


def configure(parser: Parser) -> None:
    """Describe the arguments."""
    tell_findings(parser, "0 nothing to look at, 1 something is, 2 there is no answer")
    parser.add_argument("--app", metavar="NAME", help="(default: every app, and what belongs to none)")
    parser.add_argument("--since", metavar="TIME", default="24h", help="RFC 3339, or 15m, 24h, 90d (default: 24h)")
    parser.add_argument("--until", metavar="TIME", help="(default: now)")
    parser.add_argument(
        "--baseline", metavar="TIME", default="30d", help="what came before, to hold it against (default: 30d)"
    )
    parser.add_argument("--format", choices=["text", "json"], default="text", help="(default: text)")


def run(command: Command) -> int:
    """Analyse, and tell by the exit code: 0 nothing to look at, 1 something is, 2 there is no answer."""
    result = carry_out(_analyze(command))
    as_json = command.args.format == "json"
    text = json.dumps(result, indent=1, ensure_ascii=False) if as_json else summary(result)
    command.terminal.say(redacted(text))
    worth = any(one["severity"] != Severity.INFO for one in result["findings"])
    return FAILED if worth else DONE


async def _analyze(command: Command) -> AnalyzeAuditLog:
    args = command.args
    async with opened(command) as session:
        services, dealer = session.services, await session.dealer()
        apps = await _apps(services.storage, dealer, args.app)
        asked = Asked(dealer, apps, args.since, args.until, args.baseline)
        return await Analysis(services, CompiledLists(), asked, services.clock()).run()


async def _apps(storage: Storage, dealer: str, named: str | None) -> tuple[str | None, ...]:
    """Return the app named, or every one that is known or that the log holds.

    Raises:
        NotFound: code `unknown_app`.
    """
    known = [app.name for app in await storage.read(lambda reader: reader.apps(dealer))]
    logged = await storage.read(lambda reader: reader.logged_apps(dealer))
    if named is None:
        return (*dict.fromkeys([*known, *(app for app in logged if app is not None)]), None)
    if named not in known and named not in logged:
        raise unknown_app()
    return (named,)
