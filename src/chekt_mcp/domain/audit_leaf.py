r"""An entry as the bytes that the log's tree is over: canonical JSON (RFC 8785), then the leaf hash (RFC 9162, 2.1.1).

The object holds every field of the entry that is set, dealer and number included, and its salt in hex: random bytes,
so that a proof tells nobody what a neighbouring entry says. Its timestamp is RFC 3339 in UTC with six digits of a
second. Text is Unicode: a lone surrogate becomes its visible escape (`\udc80`, six characters), and NUL `\x00`.
What `details` may hold: `canonical_json`. docs/audit-log-format.md says all of it for other programs.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256

from chekt_mcp.domain.audit import Entry, NewEntry
from chekt_mcp.domain.canonical_json import details_text, quoted, without_surrogates

SALT_LENGTH = 16
"""Random bytes that each entry gets."""


def canonical_entry(entry: Entry, salt: bytes) -> bytes:
    """Return the entry as canonical JSON in UTF-8.

    Raises:
        TypeError: the timestamp has no time zone.
    """
    return numbered_entry(entry, entry.seq, salt, details_text(entry.details))


def leaf_hash(entry: Entry, salt: bytes) -> bytes:
    """Return the hash of an entry as a leaf: SHA-256(00 || canonical entry); raises as `canonical_entry`."""
    return sha256(b"\x00" + canonical_entry(entry, salt)).digest()


def numbered_leaf(entry: NewEntry, seq: int, salt: bytes, details: str) -> bytes:
    """Return `leaf_hash` of an entry that is being numbered; `details` is what `details_text` says of its own."""
    return sha256(b"\x00" + numbered_entry(entry, seq, salt, details)).digest()


def numbered_entry(entry: NewEntry, seq: int, salt: bytes, details: str) -> bytes:
    """Return `canonical_entry` of an entry that is being numbered, with its details' text at hand."""
    text = _text(entry, seq, salt, details, quoted)
    try:
        written = text.encode()
    except UnicodeEncodeError:
        written = b""
    if not written or b"\\u0000" in written:
        written = _text(entry, seq, salt, details, lambda value: quoted(storable(value))).encode()
    return written


def storable(text: str) -> str:
    r"""Return `text` as it can be stored and searched: lone surrogates and NUL become `\udc80` and `\x00`."""
    if text.isascii() and "\0" not in text:
        return text
    return without_surrogates(text).replace("\0", "\\x00")


def _text(entry: NewEntry, seq: int, salt: bytes, details: str, write: Callable[[str], str]) -> str:
    """Join the fields that are set in the order of their names. Every append waits for this: two f-strings, no loop."""
    app, key_id, origin = entry.app, entry.key_id, entry.origin
    scope, source, source_ip = entry.scope, entry.source, entry.source_ip
    app = "" if app is None else f',"app":{write(app)}'
    key_id = "" if key_id is None else f',"key_id":{write(key_id)}'
    origin = "" if origin is None else f',"origin":{write(origin)}'
    scope = "" if scope is None else f',"scope":{write(scope)}'
    source = "" if source is None else f',"source":{write(source)}'
    source_ip = "" if source_ip is None else f',"source_ip":{write(source_ip)}'
    details = "" if details == "{}" else f',"details":{details}'
    return (
        f'{{"action":{write(entry.action)},"actor":{write(entry.actor)}{app},"dealer":{write(entry.dealer)}{details}'
        f'{key_id},"kind":{write(entry.kind)}{origin},"request_id":{write(entry.request_id)}'
        f',"result":{write(entry.result)},"salt":"{salt.hex()}"{scope},"seq":{seq}{source}{source_ip}'
        f',"timestamp":"{_moment(entry.timestamp)}"}}'
    )


def _moment(moment: datetime) -> str:
    if moment.tzinfo is not UTC:
        if moment.utcoffset() is None:
            raise TypeError("a moment without a time zone")
        moment = moment.astimezone(UTC)
    return moment.isoformat(timespec="microseconds")[:-6] + "Z"
