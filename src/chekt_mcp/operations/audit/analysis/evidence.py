"""The request ids that a finding rests on."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_network
from typing import TypeVar

from chekt_mcp.domain.analysis.finding import Finding, Selector
from chekt_mcp.domain.audit import Entry, Query
from chekt_mcp.domain.choice import Choice, any_of
from chekt_mcp.storage.interface import Reader

EVIDENCE = 10
"""Most request ids of one finding; its count says how many entries there are."""

T = TypeVar("T")


async def request_ids(reader: Reader, dealer: str, finding: Finding) -> list[str]:
    """Return at most `EVIDENCE` request ids of a finding, each once, in the order of its places, newest first."""
    found = list(finding.request_ids[:EVIDENCE])
    if finding.evidence:
        each = max(1, EVIDENCE // len(finding.evidence))
        for selector in finding.evidence:
            found += [entry.request_id for entry in await select(reader, dealer, selector, each)]
    return list(dict.fromkeys(found))[:EVIDENCE]


async def select(reader: Reader, dealer: str, selector: Selector, limit: int) -> Sequence[Entry]:
    """Return the newest entries that a selector fits."""
    query = as_query(dealer, selector)
    return () if query is None else await reader.search(query, limit)


def as_query(dealer: str, selector: Selector) -> Query | None:
    """Return a selector as a query of the log; None where it names an address that is none, which no query can."""
    try:
        network = None if selector.source_ip is None else ip_network(selector.source_ip)
    except ValueError:
        return None
    return Query(
        dealer,
        () if selector.app is None else (selector.app,),
        selector.since,
        selector.until,
        actor=_one(selector.actor),
        kind=_one(selector.kind),
        scope=_one(selector.scope),
        result=_one(selector.result),
        source_network=None if network is None else any_of(network),
        key_id=_one(selector.key_id),
        dealer_wide=selector.app is None,
    )


def _one(value: T | None) -> Choice[T] | None:
    return None if value is None else any_of(value)
