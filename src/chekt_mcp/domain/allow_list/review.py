"""Everything worth knowing about a list before, and after, it is in force; the worst first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice

from chekt_mcp.domain.allow_list.advice import advice
from chekt_mcp.domain.allow_list.coverage import MOST, VERSIONS, covered_share, covers_everything
from chekt_mcp.domain.allow_list.entry import Entry, IPVersion
from chekt_mcp.domain.allow_list.finding import LISTED, Finding, FindingCode, FindingSettings, Severity, named
from chekt_mcp.domain.allow_list.ranges import outermost
from chekt_mcp.domain.allow_list.redundancy import Redundancy, duplicates, mergeable, overlaps
from chekt_mcp.domain.allow_list.shared import is_shared
from chekt_mcp.domain.allow_list.special import Kind, never_on_the_internet
from chekt_mcp.domain.app import Environment

_WORST_FIRST = (Severity.CRITICAL, Severity.WARNING, Severity.INFO)
_LONGEST_ALONE = 3  # no single entry with a longer prefix can cover everything: see 2000::/3


def findings(  # noqa: PLR0913 -- each is a fact of its own, and all but the list go by name
    entries: Sequence[Entry],
    *,
    environment: Environment,
    last_matched: Mapping[str, datetime] | None,
    now: datetime,
    settings: FindingSettings,
    observed_since: datetime | None = None,
) -> tuple[Finding, ...]:
    """Look at a list from every side.

    Args:
        entries: the list.
        environment: of the app it belongs to.
        last_matched: when a request last came in by each network; None when that is not known, and then nothing
            is called stale. A network that is missing had no request.
        now: the time to measure from.
        settings: from where on something is worth saying.
        observed_since: since when requests are known at all; None for long enough. An entry cannot be stale for
            longer than that.

    Returns:
        Findings, the worst first; of each kind at most `LISTED` and one that counts the others.
    """
    found = [
        *_coverage(entries),
        *_broad(entries, settings),
        *_unreachable(entries),
        *_shared(entries),
        *_redundant(FindingCode.DUPLICATE, duplicates(entries)),
        *_redundant(FindingCode.OVERLAP, overlaps(entries)),
        *_redundant(FindingCode.MERGEABLE, mergeable(entries)),
        *advice(entries, environment, settings),
    ]
    if last_matched is not None and (observed_since is None or now - observed_since >= settings.stale_after):
        found += _stale(entries, last_matched, now, settings)
    return tuple(sorted(found, key=lambda finding: _WORST_FIRST.index(finding.severity)))


def _coverage(entries: Sequence[Entry]) -> Iterator[Finding]:
    for version in VERSIONS:
        share = covered_share(entries, version)
        if share <= MOST:
            continue
        if covers_everything(entries, version):
            networks = _openers(entries, version)
            message = (
                f"Every IPv{version} address on the internet is let in by {named(networks)}. The list restricts "
                "nothing any more."
            )
            yield Finding(FindingCode.COVERS_EVERYTHING, Severity.CRITICAL, networks[:LISTED], message)
        else:
            networks = tuple(entry.network for entry in outermost(entries, version))
            message = f"More than {int(share * 100)}% of the IPv{version} internet is let in. Check the prefixes."
            yield Finding(FindingCode.COVERS_MOST, Severity.CRITICAL, networks[:LISTED], message)


def _openers(entries: Sequence[Entry], version: IPVersion) -> tuple[str, ...]:
    """Return the networks that open everything: the one that does so alone, or all that do so together."""
    apart = outermost(entries, version)
    alone = tuple(
        entry.network for entry in apart if entry.prefix <= _LONGEST_ALONE and covers_everything((entry,), version)
    )
    return alone or tuple(entry.network for entry in apart if not never_on_the_internet(entry))


def _broad(entries: Sequence[Entry], settings: FindingSettings) -> Iterator[Finding]:
    broad: dict[IPVersion, int] = {4: settings.broad_prefix_v4, 6: settings.broad_prefix_v6}
    yield from _about(
        (entry for entry in entries if entry.prefix < broad[entry.version]),
        FindingCode.VERY_BROAD,
        Severity.WARNING,
        "Very broad: {}. Narrow it to the addresses your own servers call from.",
    )
    site = settings.site_prefix_v6
    yield from _about(
        (entry for entry in entries if entry.version == 6 and entry.prefix < site),  # noqa: PLR2004 -- IPv6
        FindingCode.IPV6_BROADER_THAN_SITE,
        Severity.INFO,
        f"Broader than one site gets (/{site}): {{}}. Others may share it; use your own prefix.",
    )


def _unreachable(entries: Sequence[Entry]) -> Iterator[Finding]:
    by_kind: dict[Kind, list[Entry]] = {}
    for entry in entries:
        kind = never_on_the_internet(entry)
        if kind:
            by_kind.setdefault(kind, []).append(entry)
    for kind, concerned in by_kind.items():
        yield from _about(
            concerned,
            FindingCode.NEVER_MATCHES_INTERNET,
            Severity.WARNING,
            f"Never seen on the internet ({kind} addresses): {{}}. No request to the API comes from there; enter the "
            "public address that your network uses.",
        )


def _shared(entries: Sequence[Entry]) -> Iterator[Finding]:
    yield from _about(
        filter(is_shared, entries),
        FindingCode.SHARED_BY_ALL_CUSTOMERS,
        Severity.WARNING,
        "Shared by every customer of a provider: {}. Whoever rents there passes this layer, and the key alone "
        "protects: keep its scopes narrow and rotate it, or call from addresses of your own.",
    )


def _stale(
    entries: Sequence[Entry], last_matched: Mapping[str, datetime], now: datetime, settings: FindingSettings
) -> Iterator[Finding]:
    limit = now - settings.stale_after
    unused = (entry for entry in entries if last_matched.get(entry.network, limit) <= limit)
    yield from _about(
        unused,
        FindingCode.STALE,
        Severity.INFO,
        f"No request in the last {settings.stale_after.days} days: {{}}. Remove what is not used.",
    )


def _redundant(code: FindingCode, cases: Iterator[Redundancy]) -> Iterator[Finding]:
    for networks, message in islice(cases, LISTED):
        yield Finding(code, Severity.INFO, networks[:LISTED], message)
    more = sum(1 for _ in cases)
    if more:
        yield Finding(code, Severity.INFO, (), f"{more:,} more of the same kind are not listed here.")


def _about(entries: Iterable[Entry], code: FindingCode, severity: Severity, message: str) -> Iterator[Finding]:
    """Yield one finding about all `entries`, or none; `{}` in the message stands for their networks."""
    networks = tuple(dict.fromkeys(entry.network for entry in entries))
    if networks:
        yield Finding(code, severity, networks[:LISTED], message.format(named(networks)))
