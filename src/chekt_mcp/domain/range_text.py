"""Published ranges written as the text of an allow list: blocks of entries, each under a comment of its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from chekt_mcp.domain.allow_list.address import address_text
from chekt_mcp.domain.allow_list.coverage import covers_everything
from chekt_mcp.domain.allow_list.entry import Entry
from chekt_mcp.domain.allow_list.list_text import parse
from chekt_mcp.domain.allow_list.network import read_entry
from chekt_mcp.domain.allow_list.shared import SHARED_MARK
from chekt_mcp.domain.foreign_text import escaped
from chekt_mcp.domain.published_ranges import NAME_LIMIT, PublishedList
from chekt_mcp.domain.timespan import rfc3339
from chekt_mcp.errors import InvalidInput

WHERE_LIMIT = 150
KINDS_LIMIT = 150


@dataclass(frozen=True, slots=True)
class Origin:
    """Whence and when.

    Attributes:
        name: of the provider, host or file.
        where: the document, as a URL or in words.
        at: when it was so.
        shared: every customer of the provider calls from these addresses.
    """

    name: str
    where: str
    at: datetime
    shared: bool

    def comment(self, kinds: Iterable[str]) -> str:
        """Return the comment of entries of these kinds, on one line and shorter than a kept comment may be."""
        named = " ".join(filter(None, (escaped(self.name, NAME_LIMIT), escaped(", ".join(kinds), KINDS_LIMIT))))
        mark = SHARED_MARK if self.shared else ""
        return f"{named}, from {escaped(self.where, WHERE_LIMIT)} at {rfc3339(self.at)}{mark}"


@dataclass(frozen=True, slots=True)
class RangeText:
    """The text, how many entries it has, and how many were left out because an earlier list has them."""

    text: str
    entries: int
    repeated: int


def list_text(origin: Origin, lists: Sequence[PublishedList], *, merge: bool = False) -> RangeText:
    """Write lists as blocks; with `merge` as one block, whose neighbours and overlaps are joined.

    Raises:
        InvalidInput: code `covers_everything` when they let every address in together: no provider has all;
            `list_too_large` beyond what an allow list may hold.
    """
    published = [entry for one in lists for entry in one.entries]
    if covers_everything(published):
        raise _refused("covers_everything", "Together these ranges let everybody in, so they are nobody's.")
    blocks = [_merged(lists)] if merge else list(_apart(lists))
    text = "\n".join(f"# {origin.comment(kinds)}\n{_lines(entries)}" for kinds, entries in blocks if entries)
    if not parse(text).ok:
        fix = "Choose with --kind, or join neighbours with --merge."
        raise _refused("list_too_large", "That is more than an allow list may hold.", fix)
    written = sum(len(entries) for _, entries in blocks)
    return RangeText(text, written, 0 if merge else len(published) - written)


_Block = tuple[tuple[str, ...], list[Entry]]


def _apart(lists: Sequence[PublishedList]) -> Iterator[_Block]:
    """Write each network once, under the first list that has it."""
    seen: set[str] = set()
    for one in lists:
        fresh = [entry for entry in one.entries if entry.network not in seen]
        seen.update(entry.network for entry in fresh)
        yield (one.name,), fresh


def _merged(lists: Sequence[PublishedList]) -> _Block:
    # Imported here, since start-up must not pay for it; netaddr ships no types.
    from netaddr import IPNetwork, cidr_merge  # type: ignore[import-untyped]  # noqa: PLC0415

    joined = cidr_merge([IPNetwork(entry.network) for one in lists for entry in one.entries])
    texts = (f"{address_text(network.version, network.first)}/{network.prefixlen}" for network in joined)
    entries = [entry for entry in map(read_entry, texts) if entry]
    return tuple(one.name for one in lists), entries


def _lines(entries: Iterable[Entry]) -> str:
    return "".join(f"{entry.network}\n" for entry in entries)


def _refused(code: str, message: str, fix: str = "") -> InvalidInput:
    return InvalidInput(message, field="source", code=code, fix=fix)
