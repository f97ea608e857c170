"""A change of an allow list, judged before anybody is asked: what is different, and what real traffic it cuts off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from chekt_mcp.domain.allow_list import AddressMatcher, Entry, ListDiff, covers_everything, covers_most, diff
from chekt_mcp.domain.allow_list.version import AllowListVersion
from chekt_mcp.domain.app import App
from chekt_mcp.errors import Unavailable
from chekt_mcp.operations.allow_list.list_effect import Effect, effect, hold, locks_out, whole_hour
from chekt_mcp.operations.allow_list.proposed_list import proposed_entries
from chekt_mcp.operations.allow_list.stored_list import stored_entries
from chekt_mcp.operations.known_app import known_app
from chekt_mcp.operations.services import Call
from chekt_mcp.storage.interface import Reader

LOOKBACK = timedelta(days=7)
"""How much traffic a person is told about."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """What is about to happen to a list.

    Attributes:
        current: the version in force; None when there never was one.
        readable: whether its text can be read; a damaged one is compared as if it were empty.
        changed: the difference to it.
        comments: network and comment of what is new, or commented anew.
        effect: on traffic since `since`.
        covers_everything: the list lets every address of an IP version in.
        covers_most: it lets more than half of them in: all but one address is all, for whoever attacks.
        locks_out: the list refuses the caller's own address.
    """

    app: App
    current: AllowListVersion | None
    readable: bool
    changed: ListDiff
    comments: Sequence[tuple[str, str]]
    effect: Effect
    since: datetime
    covers_everything: bool
    covers_most: bool
    locks_out: bool

    @property
    def number(self) -> int:
        """The version in force; 0 when there never was one."""
        return self.current.version if self.current else 0


async def judge(reader: Reader, call: Call, app: str, text: str | None) -> Proposal:
    """Judge `text` as the app's next list; None means turning the layer off. Takes up to a second: scan, not read.

    Raises:
        InvalidInput: see `proposed_entries`; the caller's mistakes come before anything that is looked up.
    """
    when_empty = "To turn the layer off, say disable=true instead."
    entries = () if text is None else proposed_entries(text, field="entries", when_empty=when_empty)
    known, since = await known_app(reader, call.grant.dealer, app), whole_hour(call.now - LOOKBACK)
    current = await reader.allow_list(known.dealer, known.name)
    before, readable = _entries_of(current)
    matcher, changed = AddressMatcher(entries), diff(before, entries)
    in_force = AddressMatcher(before) if current is not None and current.enabled else None
    traffic = () if text is None else await reader.traffic(known.dealer, known.name, since)
    return Proposal(
        app=known,
        current=current,
        readable=readable,
        changed=changed,
        comments=_comments(changed, entries),
        effect=effect(hold(traffic, matcher), in_force),
        since=since,
        covers_everything=covers_everything(entries),
        covers_most=covers_most(entries),
        locks_out=text is not None and bool(locks_out(matcher, call.source_ip)),
    )


def _entries_of(version: AllowListVersion | None) -> tuple[tuple[Entry, ...], bool]:
    """Read the list in force; a damaged one must not stand in the way of a whole one."""
    try:
        return stored_entries(version), True
    except Unavailable:
        return (), False


def _comments(changed: ListDiff, entries: Sequence[Entry]) -> list[tuple[str, str]]:
    shown = {*changed.added, *(one.network for one in changed.comments)}
    return [(one.network, one.comment) for one in entries if one.comment and one.network in shown]
