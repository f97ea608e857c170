"""Is this address on the app's allow list, and by which entry."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from typing_extensions import TypedDict

from chekt_mcp.domain.allow_list import AddressCheck, AddressMatcher
from chekt_mcp.domain.foreign_text import escaped
from chekt_mcp.domain.wording import counted, sentence
from chekt_mcp.operations.allow_list.compiled_lists import CompiledLists
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


async def check_addresses(
    reader: Reader, compiled: CompiledLists, dealer: str, app: str, addresses: Sequence[str]
) -> CheckIp:
    """Check 1 to 1,000 addresses against the list in force."""
    version = await reader.allow_list(dealer, app)
    matcher, entries = compiled.matcher(version) if version else (AddressMatcher(()), 0)
    checks = matcher.check_many(addresses)
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
        f"version {listed['version']}, {counted(listed['entries'], 'entry', 'entries')}"
        if listed["enabled"]
        else "OFF: it allows and refuses nothing"
    )
    lines = [f"Allow list of {result['app']}: {state}."]
    lines += [f"{one['address']}: {one['verdict']}. {sentence(one['reason'])}" for one in result["results"][:SPOKEN]]
    if len(result["results"]) > SPOKEN:
        lines.append("More in the structured result. Counts: " + str(result["counts"]))
    return "\n".join(lines)


def _report(check: AddressCheck) -> AddressReport:
    return {
        "address": escaped(check.address, 64),
        "normalized": check.normalized,
        "verdict": check.verdict.value,
        "matched": check.matched,
        "nearest": check.nearest,
        "reason": check.reason,
    }
