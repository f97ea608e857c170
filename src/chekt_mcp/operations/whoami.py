"""Who am I: the caller's grant, what it opens, and what is missing for the rest."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from typing_extensions import TypedDict

from chekt_mcp import __version__
from chekt_mcp.auth.credential import Problem
from chekt_mcp.domain.audit import LogExtent
from chekt_mcp.domain.scope import Grant, Scope, ToolScopes
from chekt_mcp.domain.timespan import rfc3339
from chekt_mcp.domain.wording import counted
from chekt_mcp.operations.keys.open_rotation import OpenRotation, described
from chekt_mcp.storage.interface import Reader


class CoveredApp(TypedDict):
    """One app the caller may ask about."""

    app: str
    env: str
    authority: str


class ToolAccess(TypedDict):
    """Whether the caller's scopes open a tool."""

    name: str
    allowed: bool
    missing_scopes: list[str]


class ProblemReport(TypedDict):
    """Why there is no grant, and how to mend it."""

    code: str
    message: str
    fix: str


class LogReport(TypedDict):
    """What the audit log holds for the caller's apps; null where there is nothing or no caller."""

    oldest: str | None
    newest: str | None
    entries: int | None


class ServerReport(TypedDict):
    """This server, and the log it keeps."""

    version: str
    log: LogReport


class WhoAmI(TypedDict):
    """Result of `whoami`. `attention`: rotations of which nobody knows whether the new key arrived; tell a person."""

    principal: str | None
    credential: str
    dealer: str | None
    apps: list[CoveredApp]
    scopes: list[str]
    tools: list[ToolAccess]
    problem: ProblemReport | None
    attention: list[OpenRotation]
    server: ServerReport


async def whoami(reader: Reader, grant: Grant, tools: ToolScopes, now: datetime) -> WhoAmI:
    """Describe the caller. Reads only what belongs to the caller's own apps."""
    apps = [app for name in grant.apps if (app := await reader.app(grant.dealer, name))]
    return {
        "principal": grant.principal,
        "credential": grant.credential,
        "dealer": grant.dealer,
        "apps": [{"app": app.name, "env": app.environment, "authority": app.authority} for app in apps],
        "scopes": sorted(grant.scopes),
        "tools": [_access(name, scope, held=grant.allows(scope)) for name, scope in tools.items()],
        "problem": None,
        "attention": await _attention(reader, grant, now),
        "server": _server(await reader.log_extent(grant.dealer, grant.apps)),
    }


async def _attention(reader: Reader, grant: Grant, now: datetime) -> list[OpenRotation]:
    """Return the rotations of covered apps that only a person can end."""
    undecided = await reader.undecided_rotations()
    return [described(one, now) for one in undecided if one.dealer == grant.dealer and one.app in grant.apps]


def nobody(problem: Problem, tools: ToolScopes) -> WhoAmI:
    """Describe a caller without a grant: nothing but the problem and its remedy."""
    return {
        "principal": None,
        "credential": "none",
        "dealer": None,
        "apps": [],
        "scopes": [],
        "tools": [_access(name, scope, held=scope is None) for name, scope in tools.items()],
        "problem": {"code": problem.code, "message": problem.message, "fix": problem.fix},
        "attention": [],
        "server": _server(None),
    }


def extent_report(extent: LogExtent | None) -> LogReport:
    """Write a log's extent for an answer."""
    if extent is None:
        return {"oldest": None, "newest": None, "entries": None}
    return {
        "oldest": rfc3339(extent.oldest) if extent.oldest else None,
        "newest": rfc3339(extent.newest) if extent.newest else None,
        "entries": extent.entries,
    }


def extent_words(log: LogReport) -> str:
    """Say how much a log holds, and from when to when."""
    if not log["entries"]:
        return "no entries"
    return f"{counted(log['entries'], 'entry', 'entries')}, {log['oldest']} to {log['newest']}"


def summary(result: WhoAmI) -> str:
    """Say the result in words, for clients that show a model only text."""
    if result["problem"]:
        problem = result["problem"]
        return f"No access. {problem['code']}: {problem['message']} {problem['fix']}"
    log = result["server"]["log"]
    return "\n".join(
        [
            f"{result['principal']} of dealer {result['dealer']}, server {result['server']['version']}.",
            "Apps: " + ", ".join(f"{app['app']} ({app['env']}, {app['authority']})" for app in result["apps"]),
            "Scopes: " + (", ".join(result["scopes"]) or "none"),
            "Open: " + _names(result["tools"], allowed=True),
            "Closed: " + _names(result["tools"], allowed=False),
            f"Log: {extent_words(log)}.",
            *(f"Tell a person: {one['kind']} of {one['app']}: {one['message']}" for one in result["attention"]),
        ]
    )


def _names(tools: Sequence[ToolAccess], *, allowed: bool) -> str:
    chosen = [tool for tool in tools if tool["allowed"] is allowed]
    return (
        ", ".join(
            tool["name"] + (f" (needs {', '.join(tool['missing_scopes'])})" if tool["missing_scopes"] else "")
            for tool in chosen
        )
        or "none"
    )


def _access(name: str, scope: Scope | None, *, held: bool) -> ToolAccess:
    return {"name": name, "allowed": held, "missing_scopes": [] if held or scope is None else [scope.value]}


def _server(extent: LogExtent | None) -> ServerReport:
    return {"version": __version__, "log": extent_report(extent)}
