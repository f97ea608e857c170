"""What a person reads before a list changes: the difference, what real traffic it cuts off, and every warning."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from chekt_mcp.domain.app import App, Environment
from chekt_mcp.domain.foreign_text import escaped
from chekt_mcp.domain.timespan import rfc3339
from chekt_mcp.domain.wording import counted
from chekt_mcp.operations.allow_list.list_effect import Effect
from chekt_mcp.operations.allow_list.list_proposal import LOOKBACK, Proposal
from chekt_mcp.operations.services import Call

LISTED = 20
"""Networks and comments that are named in words."""
NAMED = 5
"""Addresses of traffic that are."""


def new_list_words(proposal: Proposal, call: Call, reason: str, *, name_addresses: bool) -> list[str]:
    """Say what putting a new list in force does. Text of the caller stands at the end of a line of its own."""
    changed = proposal.changed
    return [
        f"Put a new allow list in force for {_subject(proposal.app)}; {_in_force(proposal)}.",
        *_asked(call, reason),
        _networks("Added", changed.added),
        _networks("Removed", changed.removed),
        f"Unchanged: {len(changed.unchanged)}.",
        *_comments(proposal.comments),
        *_effect(proposal, name_addresses=name_addresses),
        *_warnings(proposal, call),
    ]


def turn_off_words(proposal: Proposal, call: Call, reason: str) -> list[str]:
    """Say what turning the layer off does."""
    words = [
        f"Turn the allow list OFF for {_subject(proposal.app)}; {_in_force(proposal)}.",
        *_asked(call, reason),
        "Requests from ANY address are then accepted by this layer: whoever holds the app's key can use it anywhere.",
    ]
    if proposal.app.environment is Environment.LIVE:
        words.append("This app is live, and a production app should always have its allow list on.")
    if proposal.current is not None:
        words.append(f"The list stays stored as version {proposal.current.version} and can be put in force again.")
    return words


def _subject(app: App) -> str:
    return f"app {app.name} ({app.environment})"


def _in_force(proposal: Proposal) -> str:
    if proposal.current is None:
        return "no list is in force, so requests from any address are accepted now"
    number = proposal.current.version
    if not proposal.current.enabled:
        return f"the layer is off (version {number}), so requests from any address are accepted now"
    damaged = "" if proposal.readable else ", but damaged: what follows compares with an empty list"
    return f"version {number} is in force{damaged}"


def _asked(call: Call, reason: str) -> list[str]:
    return [
        f"Asked by {call.grant.principal} over {call.source}.",
        f"Reason given by the caller (not checked): {escaped(reason)}",
    ]


def _networks(title: str, networks: Sequence[str]) -> str:
    """List the widest first: what is cut off must never be what opens most."""
    if not networks:
        return f"{title}: none."
    widest = sorted(networks, key=_prefix)
    more = f" and {len(networks) - LISTED} more, none of them wider" if len(networks) > LISTED else ""
    return f"{title} ({len(networks)}): {', '.join(widest[:LISTED])}{more}."


def _prefix(network: str) -> float:
    """Return how much of its family a network leaves out: the length of its prefix as a share of an address."""
    address, _, length = network.partition("/")
    return int(length) / (128 if ":" in address else 32)


def _comments(comments: Sequence[tuple[str, str]]) -> Iterator[str]:
    for network, comment in comments[:LISTED]:
        yield f"Comment on {network} by the caller (not checked): {escaped(comment, 120)}"
    if len(comments) > LISTED:
        yield f"And {counted(len(comments) - LISTED, 'more comment', 'more comments')} by the caller."


def _effect(proposal: Proposal, *, name_addresses: bool) -> Iterator[str]:
    effect, days = proposal.effect, LOOKBACK.days
    if not effect.seen:
        yield f"The log holds no requests of the last {days} days to hold it against."
        return
    yield (
        f"Of {counted(effect.seen, 'request', 'requests')} in the last {days} days "
        f"it would refuse {effect.requests_refused:,}, "
        f"from {counted(len(effect.refused), 'address', 'addresses')}. "
        f"Counted by the hour since {rfc3339(proposal.since)}."
    )
    if not effect.requests_refused:
        return
    yield f"What is in force now lets {effect.newly_refused} of those in: whoever sent them is cut off."
    if name_addresses:
        yield from _cut_off(effect)


def _cut_off(effect: Effect) -> Iterator[str]:
    newly = [one.traffic for one in effect.refused if not one.refused_now]
    for source in newly[:NAMED]:
        requests = counted(source.requests, "request", "requests")
        yield f"Cut off: {source.source_ip}, {requests}, last {rfc3339(source.last_seen)}."
    if len(newly) > NAMED:
        yield f"And {counted(len(newly) - NAMED, 'more address', 'more addresses')}."


def _warnings(proposal: Proposal, call: Call) -> Iterator[str]:
    if proposal.covers_everything:
        yield "WARNING: this list allows EVERY address of a family: it protects nothing."
    elif proposal.covers_most:
        yield "WARNING: this list allows MORE THAN HALF of all addresses of a family: it protects next to nothing."
    if proposal.locks_out:
        yield f"WARNING: this list refuses {call.source_ip}, where this request came from: its caller is LOCKED OUT."
