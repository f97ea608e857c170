"""A published document read as named lists of items, whatever the items are.

JSON: an array, or an object with arrays at any depth, whose name is the path of keys to it, joined by dots. Text: one
item a line (or several, by commas), where `#` begins a comment; its one list has no name.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from chekt_mcp.errors import InvalidInput

FIELDS: Final = ("ip_prefix", "ipv6_prefix", "ipv4Prefix", "ipv6Prefix", "cidr")
"""Where an object of a list holds an address or network: as AWS, Google and Atlassian publish them."""

_BLANKS = " \t\r"


@dataclass(frozen=True, slots=True)
class RawList:
    """A list as published; `items` are pairs of where an item stands, in words, and what stands there."""

    name: str
    items: Sequence[tuple[str, object]]


def read_lists(content: bytes, limit: int) -> Iterator[RawList]:
    """Yield the lists of a document that are not empty; of each at most `limit` items.

    Raises:
        InvalidInput: codes `not_text`, `markup` (a web page in place of the document), `broken_json`.
    """
    text = _text(content)
    beginning = text.lstrip()[:1]
    if beginning == "<":
        raise _unusable(
            "markup", "This is a web page, not a list of addresses.", "Give the address of the document itself."
        )
    lists = _json_lists(_json(text)) if beginning in {"{", "["} else [("", _lines(text))]
    for name, items in lists:
        if first := list(islice(items, limit)):
            yield RawList(name, first)


def _text(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass  # not raised from here: a decoding error carries the document with it
    raise _unusable("not_text", "The document is not UTF-8 text.")


def _json(text: str) -> object:
    try:
        found: object = json.loads(text, object_pairs_hook=_object)
    except (ValueError, RecursionError):
        pass  # as above
    else:
        return found
    message = "The document begins like JSON, but is not: it may have been cut off, or names a key twice."
    raise _unusable("broken_json", message, "Fetch it again.")


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Refuse a key that stands twice: which of its values counts would be a guess (RFC 8259 section 4)."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError
    return found


def _json_lists(document: object) -> Iterator[tuple[str, Iterator[tuple[str, object]]]]:
    """Walk a JSON value of any depth without recursion, in its own order."""
    waiting: deque[tuple[str, object]] = deque([("", document)])
    while waiting:
        name, value = waiting.popleft()
        if isinstance(value, dict):
            within = [(f"{name}.{key}" if name else key, inner) for key, inner in value.items()]
            waiting.extendleft(reversed(within))
        elif isinstance(value, list):
            yield name, _parts(value)


def _parts(items: Iterable[object]) -> Iterator[tuple[str, object]]:
    """Take objects apart into the addresses they hold; one that holds none stays whole."""
    for number, item in enumerate(items, 1):
        values = [item[field] for field in FIELDS if field in item] if isinstance(item, dict) else []
        yield from ((f"item {number}", value) for value in values or [item])


def _lines(text: str) -> Iterator[tuple[str, object]]:
    for number, line in enumerate(text.split("\n"), 1):
        for piece in line.partition("#")[0].split(","):
            if item := piece.strip(_BLANKS):
                yield f"line {number}", item


def _unusable(code: str, message: str, fix: str = "") -> InvalidInput:
    return InvalidInput(message, field="source", code=code, fix=fix)
