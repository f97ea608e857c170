"""Ranges that a provider publishes, as entries of an allow list with a comment that says whence and when.

Every item goes through the allow list's own reader. What that refuses is told with the reason and never guessed. A list
without a single address is a list of something else (host names, SSH keys) and is left out by name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from chekt_mcp.domain.allow_list.entry import EXCERPT, MAX_ENTRIES, Entry
from chekt_mcp.domain.allow_list.network import read_entry
from chekt_mcp.domain.allow_list.suggest import refuse
from chekt_mcp.domain.foreign_text import escaped
from chekt_mcp.domain.published_lists import FIELDS, RawList, read_lists
from chekt_mcp.errors import InvalidInput

LISTED: Final = 20
"""Most problems of one list that are told one by one, and most names that an error lists."""

NAME_LIMIT: Final = 60


@dataclass(frozen=True, slots=True)
class RangeProblem:
    """An item that is no address or network.

    Attributes:
        place: where it stands in its list or text, in words.
        text: what stands there, escaped and cut; "" for what is no text.
        code: a `ParseCode`, or `not_text`, or `no_address_field`.
        message: what is wrong, then what to do; holds nothing of the text.
        suggestion: what was most likely meant; never taken in its place.
    """

    place: str
    text: str
    code: str
    message: str
    suggestion: str | None = None


@dataclass(frozen=True, slots=True)
class PublishedList:
    """One list of a document.

    Attributes:
        name: as published, or "" where it has none; foreign text.
        entries: its addresses and networks in the document's order, each once, without comments.
        unread: how many items are none.
        problems: the first `LISTED` of these.
    """

    name: str
    entries: tuple[Entry, ...]
    unread: int
    problems: tuple[RangeProblem, ...]

    @property
    def label(self) -> str:
        """The name, escaped and cut: what may be shown."""
        return escaped(self.name, NAME_LIMIT)


def read_ranges(content: bytes, root: str = "") -> tuple[PublishedList, ...]:
    """Read a document; `root` is the key under which a provider puts all its lists, and is left out of their names.

    Raises:
        InvalidInput: as `read_lists`; `too_many_ranges` beyond `MAX_ENTRIES` items; `no_ranges` when there is no
            address in the whole document.
    """
    lists = tuple(_read(one, root) for one in _bounded(content))
    if not any(one.entries for one in lists):
        raise InvalidInput(
            "There is no address and no network in the document.",
            field="source",
            code="no_ranges",
            fix=f"Lists of text are read, and of objects with one of: {', '.join(FIELDS)}.",
        )
    return lists


def _bounded(content: bytes) -> Iterator[RawList]:
    items = 0
    for one in read_lists(content, MAX_ENTRIES + 1):
        items += len(one.items)
        if items > MAX_ENTRIES:
            raise InvalidInput(
                f"The document holds more than {MAX_ENTRIES:,} items.",
                field="source",
                code="too_many_ranges",
                fix="Cut out the part you need and give it as a file.",
            )
        yield one


def choose(lists: Sequence[PublishedList], names: Sequence[str]) -> tuple[PublishedList, ...]:
    """Return the lists of these names, or with no name all that hold addresses.

    Raises:
        InvalidInput: code `unknown_kind`; the fix names the lists there are.
    """
    known = [one for one in lists if one.entries]
    if {one.name for one in known}.issuperset(names):
        return tuple(one for one in known if not names or one.name in names)
    labels = [one.label for one in known if one.name]
    raise InvalidInput(
        "The document has no list of addresses of that name.",
        field="kind",
        code="unknown_kind",
        fix=f"It has: {listed(labels)}." if labels else "Its one list has no name: leave --kind out.",
    )


def listed(labels: Sequence[str]) -> str:
    """Write labels as one text, the first `LISTED` of them and how many more there are."""
    more = len(labels) - LISTED
    return ", ".join(labels[:LISTED]) + (f" and {more:,} more" if more > 0 else "")


def _read(raw: RawList, root: str) -> PublishedList:
    entries: dict[str, Entry] = {}
    unread = 0
    problems: list[RangeProblem] = []
    for place, item in raw.items:
        entry = read_entry(item) if isinstance(item, str) else None
        if entry:
            entries.setdefault(entry.network, entry)
            continue
        unread += 1
        if len(problems) < LISTED:
            problems.append(_problem(place, item))
    name = raw.name.removeprefix(f"{root}.") if root else raw.name
    return PublishedList(name, tuple(entries.values()), unread, tuple(problems))


def _problem(place: str, item: object) -> RangeProblem:
    if isinstance(item, str):
        why = refuse(item)
        return RangeProblem(place, escaped(item, EXCERPT), why.code, why.message, why.suggestion)
    if isinstance(item, dict):
        message = f"This object has none of the fields that hold an address: {', '.join(FIELDS)}."
        return RangeProblem(place, "", "no_address_field", message)
    return RangeProblem(place, "", "not_text", "This is no text. Only text is read as an address.")


def labels_without_ranges(lists: Iterable[PublishedList]) -> tuple[str, ...]:
    """Return the labels of the lists that hold something else than addresses."""
    return tuple(one.label for one in lists if not one.entries)
