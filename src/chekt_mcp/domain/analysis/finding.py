"""One unusual thing, and where its evidence is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from chekt_mcp.domain.audit import Kind, Result

LISTED: Final = 10
"""Most addresses, scopes or hours that one finding names; it says how many more there are."""

SELECTED: Final = 5
"""Most places in the log in which the evidence of one finding is looked up."""

HOUR: Final = timedelta(hours=1)


class Severity(StrEnum):
    """How much it matters: good to know, look at it, act on it."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


class Code(StrEnum):
    """Which kind of finding; programs may rely on these. docs/analysis.md has a section for each."""

    OUTSIDE_ALLOW_LIST = "outside_allow_list"
    OUTSIDE_LIST_WHILE_OFF = "outside_list_while_off"
    RETIRED_KEY_USED = "retired_key_used"
    FIRST_SEEN_ADDRESS = "first_seen_address"
    MANY_NEW_ADDRESSES = "many_new_addresses"
    DENIED_THEN_ALLOWED = "denied_then_allowed"
    SCOPE_NOT_GRANTED = "scope_not_granted"
    BURST = "burst"
    ERROR_SPIKE = "error_spike"
    UNUSUAL_HOUR = "unusual_hour"
    GAP = "gap"
    CLOCK_WENT_BACK = "clock_went_back"
    SCOPE_UNUSED = "scope_unused"


@dataclass(frozen=True, slots=True)
class Selector:
    """Entries that are evidence: those of one app (None: of no app) in a span that fit every value given."""

    app: str | None
    since: datetime
    until: datetime
    source_ip: str | None = None
    actor: str | None = None
    kind: Kind | None = None
    scope: str | None = None
    result: Result | None = None
    key_id: str | None = None


@dataclass(frozen=True, slots=True)
class About:
    """What a finding is about: values out of the log, which others may have written; never part of its message.

    Each holds at most `LISTED`; `others` says how many more of them there are.
    """

    actors: tuple[str, ...] = ()
    source_ips: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    key_ids: tuple[str, ...] = ()
    times: tuple[datetime, ...] = ()
    others: int = 0


@dataclass(frozen=True, slots=True)
class Finding:
    """One unusual thing.

    Attributes:
        code: which kind.
        severity: see `Severity`.
        app: whose, or None for the dealer as a whole.
        count: how many entries it rests on; 0 where what is missing is the point.
        message: what, compared with what threshold; ours alone.
        about: the values out of the log.
        evidence: where its entries are, at most `SELECTED` places.
        request_ids: those already known.
    """

    code: Code
    severity: Severity
    app: str | None
    count: int
    message: str
    about: About = field(default_factory=About)
    evidence: tuple[Selector, ...] = ()
    request_ids: tuple[str, ...] = ()


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """Return findings with the gravest first, then in the order of the codes, then by app and count."""
    gravity, codes = list(Severity), list(Code)
    return sorted(
        findings, key=lambda one: (-gravity.index(one.severity), codes.index(one.code), one.app or "", -one.count)
    )
