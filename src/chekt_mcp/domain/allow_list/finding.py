"""What can be said about a list: the form of a finding, and from where on things are worth saying."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

LISTED: Final = 20
"""Most networks one finding names, and most findings of one kind; the message says how many more there are."""


class Severity(StrEnum):
    """How much it matters, worst last: nothing to do, better look, the list does not protect."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


class FindingCode(StrEnum):
    """Which kind of finding; programs may rely on these."""

    COVERS_EVERYTHING = "covers_everything"
    COVERS_MOST = "covers_most"
    VERY_BROAD = "very_broad"
    IPV6_BROADER_THAN_SITE = "ipv6_broader_than_site"
    NEVER_MATCHES_INTERNET = "never_matches_internet"
    SHARED_BY_ALL_CUSTOMERS = "shared_by_all_customers"
    DUPLICATE = "duplicate"
    OVERLAP = "overlap"
    MERGEABLE = "mergeable"
    STALE = "stale"
    LIVE_APP_WITHOUT_LIST = "live_app_without_list"
    TEST_APP_WITH_LIST = "test_app_with_list"
    MANY_SINGLE_ADDRESSES = "many_single_addresses"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing worth knowing about a list.

    Attributes:
        code: which kind.
        severity: see `Severity`.
        entries: networks it is about, at most `LISTED`.
        message: what it means and what to do, in words for a person; holds networks, never comments.
    """

    code: FindingCode
    severity: Severity
    entries: tuple[str, ...]
    message: str


@dataclass(frozen=True, slots=True)
class FindingSettings:
    """From where on something is worth saying.

    Attributes:
        broad_prefix_v4: an IPv4 entry with a shorter prefix is very broad; 16 is 65,536 addresses.
        broad_prefix_v6: the same for IPv6; 32 is what a whole provider gets.
        site_prefix_v6: what one site gets (RFC 6177); an IPv6 entry with a shorter prefix is broader than that.
        stale_after: an entry without traffic for so long is stale.
        many_single_addresses: so many single addresses look like short-lived workers.
    """

    broad_prefix_v4: int = 16
    broad_prefix_v6: int = 32
    site_prefix_v6: int = 48
    stale_after: timedelta = timedelta(days=90)
    many_single_addresses: int = 100


def named(networks: Iterable[str]) -> str:
    """Write networks as people do: "a", "a and b", "a, b and 7 more"."""
    listed = list(networks)
    if len(listed) > 3:  # noqa: PLR2004 -- a sentence with more is not read
        return f"{listed[0]}, {listed[1]} and {len(listed) - 2:,} more"
    return " and ".join(filter(None, (", ".join(listed[:-1]), listed[-1])))
