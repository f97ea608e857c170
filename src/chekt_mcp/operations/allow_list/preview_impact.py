"""The effect of a proposed list on real traffic, as told: addresses and actors only to those who may see them."""

from __future__ import annotations

from typing_extensions import TypedDict

from chekt_mcp.domain.foreign_text import escaped
from chekt_mcp.domain.scope import Scope
from chekt_mcp.domain.timespan import rfc3339
from chekt_mcp.operations.allow_list.list_effect import Effect, Refused
from chekt_mcp.operations.allow_list.preview_facts import Facts
from chekt_mcp.operations.services import Call
from chekt_mcp.storage.interface import Reader

LISTED = 25
"""Addresses that are listed; the counts are always whole."""
LOOKED_AT = 200
"""Newest entries of an address in which its actors are looked for."""
ACTORS = 10


class WindowReport(TypedDict):
    """The traffic counted: from a whole hour, since traffic is summed by the hour, to the newest request or now."""

    since: str
    until: str


class TrafficExtent(TypedDict):
    """The first hour and the newest request of the app in the log; null when it holds none."""

    oldest: str | None
    newest: str | None


class RefusedReport(TypedDict):
    """An address whose requests the list would refuse. `actors`: who called from there lately, as the log has it."""

    source_ip: str
    requests: int
    last_seen: str
    actors: list[str]
    refused_now: bool


class Impact(TypedDict):
    """What the list would have done. `newly_refused`: of those refused, the ones that the list in force lets in.

    Null stands for what cannot be told: of a list that cannot be read, or for want of `missing_scope`.
    """

    window: WindowReport
    log: TrafficExtent
    requests_seen: int
    requests_refused: int | None
    newly_refused: int | None
    addresses_refused: int | None
    would_be_refused: list[RefusedReport] | None
    missing_scope: str | None


async def impact(reader: Reader, call: Call, facts: Facts, judged: Effect | None) -> Impact:
    """Report the effect on traffic; `judged` is None for a list that cannot be read."""
    app, sees = facts.app, call.grant.allows(Scope.OPERATORS_READ)
    extent = await reader.traffic_extent(app.dealer, app.name)
    until = max([call.now, *(one.last_seen for one in facts.traffic)])  # imported logs may be ahead of our clock
    return {
        "window": {"since": rfc3339(facts.since), "until": rfc3339(until)},
        "log": {"oldest": rfc3339(extent[0]) if extent else None, "newest": rfc3339(extent[1]) if extent else None},
        "requests_seen": sum(one.requests for one in facts.traffic),
        "requests_refused": judged.requests_refused if judged else None,
        "newly_refused": judged.newly_refused if judged else None,
        "addresses_refused": len(judged.refused) if judged else None,
        "would_be_refused": await _refused(reader, facts, judged) if judged and sees else None,
        "missing_scope": None if sees else Scope.OPERATORS_READ.value,
    }


async def _refused(reader: Reader, facts: Facts, judged: Effect) -> list[RefusedReport]:
    return [await _report(reader, facts, one) for one in judged.refused[:LISTED]]


async def _report(reader: Reader, facts: Facts, one: Refused) -> RefusedReport:
    app, source = facts.app, one.traffic
    use = await reader.address_use(app.dealer, app.name, source.source_ip, facts.since, LOOKED_AT)
    return {
        "source_ip": source.source_ip,
        "requests": source.requests,
        "last_seen": rfc3339(source.last_seen),
        "actors": [escaped(actor, 120) for actor in use.actors[:ACTORS]],
        "refused_now": one.refused_now,
    }
