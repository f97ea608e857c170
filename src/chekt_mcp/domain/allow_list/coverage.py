"""How much of the internet a list lets in.

Only addresses that requests come from count (see `special`): 1.0.0.0/8, 2.0.0.0/8 and so on to 223.0.0.0/8 open an
app to everyone as surely as 0.0.0.0/0 does.
"""

from __future__ import annotations

from collections.abc import Iterable

from chekt_mcp.domain.allow_list.entry import Entry, IPVersion
from chekt_mcp.domain.allow_list.ranges import spans
from chekt_mcp.domain.allow_list.special import public_spans

VERSIONS: tuple[IPVersion, ...] = (4, 6)


def covers_everything(entries: Iterable[Entry], version: IPVersion | None = None) -> bool:
    """Return whether the entries together let every address of `version` in (None: of IPv4 or of IPv6)."""
    listed = tuple(entries)
    return any(_covered(listed, one) == _all(one) for one in VERSIONS if version in (None, one))


MOST = 0.5
"""Beyond half of the internet a list is a slip, whatever it was meant to be."""


def covers_most(entries: Iterable[Entry]) -> bool:
    """Return whether the entries together let more than half of all IPv4 or of all IPv6 addresses in."""
    listed = tuple(entries)
    return any(covered_share(listed, version) > MOST for version in VERSIONS)


def covered_share(entries: Iterable[Entry], version: IPVersion) -> float:
    """Return the part of the internet's addresses of `version` that the entries let in together, 0.0 to 1.0."""
    return _covered(entries, version) / _all(version)


def _all(version: IPVersion) -> int:
    return sum(last - first + 1 for first, last in public_spans(version))


def _covered(entries: Iterable[Entry], version: IPVersion) -> int:
    """Count the addresses that two ascending rows of spans share: what is covered, and what is public."""
    public = public_spans(version)
    count = at = 0
    for first, last in spans(entries, version):
        while at < len(public) and public[at][1] < first:
            at += 1
        for start, end in public[at:]:
            if start > last:
                break
            count += min(last, end) - max(first, start) + 1
    return count
