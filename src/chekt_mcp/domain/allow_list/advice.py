"""What CHeKT advises by kind of app ("When to use it", Security & IP allow lists)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from chekt_mcp.domain.allow_list.entry import WIDTH, Entry
from chekt_mcp.domain.allow_list.finding import LISTED, Finding, FindingCode, FindingSettings, Severity
from chekt_mcp.domain.app import Environment


def advice(entries: Sequence[Entry], environment: Environment, settings: FindingSettings) -> Iterator[Finding]:
    """Yield what the platform would say to an app of this kind with this list."""
    if environment == Environment.LIVE and not entries:
        yield Finding(
            FindingCode.LIVE_APP_WITHOUT_LIST,
            Severity.WARNING,
            (),
            "A production app should always have its allow list on. Add the addresses its servers call from.",
        )
    if environment == Environment.TEST and entries:
        yield Finding(
            FindingCode.TEST_APP_WITH_LIST,
            Severity.INFO,
            (),
            "For a test app leave the allow list off and give it narrow scopes instead: office addresses change.",
        )
    yield from _many_workers(entries, settings)


def _many_workers(entries: Sequence[Entry], settings: FindingSettings) -> Iterator[Finding]:
    single = tuple(dict.fromkeys(entry.network for entry in entries if entry.prefix == WIDTH[entry.version]))
    if len(single) < settings.many_single_addresses:
        return
    yield Finding(
        FindingCode.MANY_SINGLE_ADDRESSES,
        Severity.INFO,
        single[:LISTED],
        f"The list holds {len(single):,} single addresses. If these are many short-lived workers, an allow list is "
        "not a good fit: rely on scopes and on rotating the key.",
    )
