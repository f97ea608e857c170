"""Is this address on the app's allow list, and by which entry."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from typing_extensions import TypedDict

from chekt_mcp.domain.allow_list import AddressCheck, AddressMatcher, parse
from chekt_mcp.domain.allow_list.version import AllowListVersion
from chekt_mcp.domain.foreign_text import escaped
from chekt_mcp.errors import Unavailable
from chekt_mcp.storage.interface import Reader

SPOKEN = 50
"""Verdicts that the text form spells out; the structured form has all."""


class ListReport(TypedDict):
    """The list that was asked: the layer may be off, and says so."""

    enabled: bool
    version: int
    entries: int


class AddressReport(TypedDict):
    """The verdict on one address, in the order asked."""

    address: str
    normalized: str | None
    verdict: str
    matched: str | None
    nearest: str | None
    reason: str


class CheckIp(TypedDict):
    """Result of `check_ip`."""

    app: str
    allow_list: ListReport
    results: list[AddressReport]
    counts: dict[str, int]


class CompiledLists:
    """Matchers by dealer, app and version, so that a list of 100,000 entries is compiled once.

    The version is read from storage at every call; only the compiled form of that very version is kept.
    """

    KEPT = 64

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], tuple[int, bool, AddressMatcher, int]] = {}

    def matcher(self, version: AllowListVersion) -> tuple[AddressMatcher, int]:
        """Return the matcher of `version` and its number of entries; a list that is off has none.

        Raises:
            Unavailable: the stored text does not parse; nothing is then allowed or denied.
        """
        place = (version.dealer, version.app)
        kept = self._kept.get(place)
        if kept and kept[:2] == (version.version, version.enabled):
            return kept[2], kept[3]
        matcher, entries = _compile(version)
        if len(self._kept) >= self.KEPT:
            self._kept.pop(next(iter(self._kept)))
        self._kept[place] = (version.version, version.enabled, matcher, entries)
        return matcher, entries


async def check_addresses(
    reader: Reader, compiled: CompiledLists, dealer: str, app: str, addresses: Sequence[str]
) -> CheckIp:
    """Check 1 to 1,000 addresses against the list in force."""
    version = await reader.allow_list(dealer, app)
    matcher, entries = compiled.matcher(version) if version else (AddressMatcher(()), 0)
    checks = [matcher.check(address) for address in addresses]
    return {
        "app": app,
        "allow_list": {
            "enabled": bool(version and version.enabled and entries),
            "version": version.version if version else 0,
            "entries": entries,
        },
        "results": [_report(check) for check in checks],
        "counts": dict(Counter(check.verdict.value for check in checks)),
    }


def summary(result: CheckIp) -> str:
    """Say the verdicts in words, one line an address."""
    listed = result["allow_list"]
    state = (
        f"version {listed['version']}, {listed['entries']} entries"
        if listed["enabled"]
        else "OFF: it allows and refuses nothing"
    )
    lines = [f"Allow list of {result['app']}: {state}."]
    lines += [f"{one['address']}: {one['verdict']}. {one['reason']}" for one in result["results"][:SPOKEN]]
    if len(result["results"]) > SPOKEN:
        lines.append("More in the structured result. Counts: " + str(result["counts"]))
    return "\n".join(lines)


def _compile(version: AllowListVersion) -> tuple[AddressMatcher, int]:
    if not version.enabled:
        return AddressMatcher(()), 0
    parsed = parse(version.text)
    if not parsed.ok:
        raise Unavailable(
            "The stored allow list cannot be read, so no verdict can be given.",
            code="allow_list_unreadable",
            fix="Put a correct list in force with update_allow_list or in the dealer portal.",
        )
    return AddressMatcher(parsed.entries), len(parsed.entries)


def _report(check: AddressCheck) -> AddressReport:
    return {
        "address": escaped(check.address, 64),
        "normalized": check.normalized,
        "verdict": check.verdict.value,
        "matched": check.matched,
        "nearest": check.nearest,
        "reason": check.reason,
    }
