"""What a list would do to real traffic: the requests it refuses, and which of them the list in force lets in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from chekt_mcp.domain.allow_list import AddressMatcher
from chekt_mcp.domain.audit import Traffic


@dataclass(frozen=True, slots=True)
class Refused:
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


def effect(proposed: AddressMatcher, in_force: AddressMatcher | None, traffic: Sequence[Traffic]) -> Effect:
    """Hold a list against traffic; `in_force` is None while the layer is off and lets everything in."""
    refused = [
        Refused(one, in_force is not None and not lets_in(in_force, one.source_ip))
        for one in traffic
        if not lets_in(proposed, one.source_ip)
    ]
    refused.sort(key=lambda one: (one.refused_now, -one.traffic.requests))
    return Effect(_requests(traffic), refused)


def lets_in(matcher: AddressMatcher, address: str) -> bool:
    """Tell whether an entry of the list allows the address; text that is no address is never let in."""
    return matcher.check(address).matched is not None


def locks_out(matcher: AddressMatcher, source_ip: str | None) -> bool | None:
    """Tell whether a caller would refuse itself; None for a local client, which has no address."""
    return None if source_ip is None else not lets_in(matcher, source_ip)


def whole_hour(moment: datetime) -> datetime:
    """Return the hour a moment lies in: traffic is summed by the hour (UTC), so windows begin with one."""
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def _requests(traffic: Iterable[Traffic]) -> int:
    return sum(one.requests for one in traffic)
