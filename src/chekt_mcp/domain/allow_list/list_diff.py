"""What changes from one list to another."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from chekt_mcp.domain.allow_list.entry import Entry


@dataclass(frozen=True, slots=True)
class CommentChange:
    """A network that is on both lists with another comment; None where it has none."""

    network: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class ListDiff:
    """Canonical networks, each named once: `removed` in the old list's order, the others in the new one's.

    Lists are compared entry by entry, not by what they let in: merging two neighbours removes two networks and
    adds one. What that means for traffic is for the preview to say.
    """

    added: tuple[str, ...]
    removed: tuple[str, ...]
    unchanged: tuple[str, ...]
    comments: tuple[CommentChange, ...] = ()

    @property
    def is_empty(self) -> bool:
        """True when both lists hold the same networks; comments may differ."""
        return not (self.added or self.removed)


def diff(old_entries: Iterable[Entry], new_entries: Iterable[Entry]) -> ListDiff:
    """Compare two lists by canonical network; of a network listed twice the first comment counts."""
    old, new = _comments(old_entries), _comments(new_entries)
    unchanged = tuple(network for network in new if network in old)
    return ListDiff(
        added=tuple(network for network in new if network not in old),
        removed=tuple(network for network in old if network not in new),
        unchanged=unchanged,
        comments=tuple(
            CommentChange(network, old[network], new[network]) for network in unchanged if old[network] != new[network]
        ),
    )


def _comments(entries: Iterable[Entry]) -> dict[str, str | None]:
    comments: dict[str, str | None] = {}
    for entry in entries:
        comments.setdefault(entry.network, entry.comment)
    return comments
