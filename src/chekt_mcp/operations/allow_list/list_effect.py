"""What a list would do to real traffic: the requests it refuses, and which of them the list in force lets in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from chekt_mcp.domain.allow_list import AddressMatcher
from chekt_mcp.domain.audit import Traffic


class Held(NamedTuple):
    """Traffic from one address, and the network of a list that lets it in; None when none does."""

    traffic: Traffic
    matched: str | None


class Refused(NamedTuple):
    """Traffic from one address that a list refuses; `refused_now`: the list in force refuses it already."""

    traffic: Traffic
    refused_now: bool


@dataclass(frozen=True, slots=True)
class Effect:
    """Requests in a window, and those that a list would refuse: what it would newly cut off first, busiest first."""

    seen: int
    refused: Sequence[Refused]

    @property
    def requests_refused(self) -> int:
        """How many requests the list would refuse."""
        return _requests(one.traffic for one in self.refused)

    @property
    def newly_refused(self) -> int:
        """How many of them the list in force lets in."""
        return _requests(one.traffic for one in self.refused if not one.refused_now)


def hold(traffic: Iterable[Traffic], matcher: AddressMatcher) -> list[Held]:
    """Hold traffic against a list, each address once."""
    found = [(one, matcher.matching_entry(one.source_ip)) for one in traffic]
    return [Held(one, entry.network if entry else None) for one, entry in found]


def effect(proposed: Sequence[Held], in_force: AddressMatcher | None) -> Effect:
    """Judge traffic held against a proposed list; `in_force` is None while the layer is off and lets everything in."""
    refused = [
        Refused(traffic, in_force is not None and not lets_in(in_force, traffic.source_ip))
        for traffic, matched in proposed
        if matched is None
    ]
    refused.sort(key=lambda one: (one.refused_now, -one.traffic.requests))
    return Effect(_requests(traffic for traffic, _ in proposed), refused)


def last_matched(held: Iterable[Held]) -> dict[str, datetime]:
    """Return when each network last let traffic in; one that let none in is missing."""
    last = dict[str, datetime]()
    for traffic, matched in held:
        if matched is not None and last.get(matched, traffic.last_seen) <= traffic.last_seen:
            last[matched] = traffic.last_seen
    return last


def lets_in(matcher: AddressMatcher, address: str) -> bool:
    """Tell whether an entry of the list allows the address; text that is no address is never let in."""
    return matcher.matching_entry(address) is not None


def locks_out(matcher: AddressMatcher, source_ip: str | None) -> bool | None:
    """Tell whether a caller would refuse itself; None for a local client, which has no address."""
    return None if source_ip is None else not lets_in(matcher, source_ip)


def whole_hour(moment: datetime) -> datetime:
    """Return the hour a moment lies in: traffic is summed by the hour (UTC), so windows begin with one."""
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def _requests(traffic: Iterable[Traffic]) -> int:
    return sum(one.requests for one in traffic)
