"""Entries as rows and leaves: what an append spends its time on, so each piece that repeats is made once.

Most entries differ from another one in their moment, request id, number, salt and details alone. All else is a `Shape`:
the integers of its columns, and its members of the canonical JSON (domain/audit_leaf; tests hold these bytes to it).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256
from typing import NamedTuple, TypeVar

from chekt_mcp.domain.audit import NewEntry
from chekt_mcp.domain.audit_leaf import SALT_LENGTH
from chekt_mcp.domain.canonical_json import details_text, quoted
from chekt_mcp.storage.sqlite.interned import Interned, InternedAddresses
from chekt_mcp.storage.sqlite.log_reader import SEQ_BITS
from chekt_mcp.storage.sqlite.request_key import request_key
from chekt_mcp.storage.sqlite.session import Row
from chekt_mcp.storage.sqlite.values import EPOCH, MICROSECOND, storable

MOST_REMEMBERED = 20_000
"""Shapes, addresses and minutes come from outside; beyond this the memory of them starts over."""

MOST_DETAILS = 65_536
"""Characters of JSON that an entry's details may have; of longer ones a note stays, with their length and hash."""

K = TypeVar("K")
V = TypeVar("V")
MINUTE = 60_000_000
NINE_DIGITS = 100_000_000
"""Added to the microseconds within a minute: behind the first digit are the second and its fraction, zeros included."""

SALTS = 64
"""Laid in at a time. A salt is used once, whether its entry is committed or not."""


COLUMNS = (
    "id, log, ts, request_id, source_ip, details, request_key, salt, leaf,"
    " app, actor, kind, action, scope, result, source, key_id, origin"
)
"""The order of the columns in `EntryRows.row`: those of a `Shape` last, in one piece."""

LEAF, APP = 8, 9
"""Where a row has these."""


class Shape(NamedTuple):
    """Everything of an entry that repeats: the numbers of its last columns, and pieces of its canonical JSON."""

    numbers: tuple[int | None, ...]
    to_dealer: str
    to_request_id: str
    to_salt: str
    scope: str
    source: str


class EntryRows:
    """Makes rows of `entries` on one connection."""

    def __init__(self, names: Interned, addresses: InternedAddresses, random: Callable[[int], bytes]) -> None:
        self._names = names
        self._addresses = addresses
        self._random = random
        self._shapes: dict[Row, Shape] = {}
        self._places: dict[str, tuple[int, str]] = {}
        self._minutes: dict[int, str] = {}
        self._salts: list[bytes] = []

    def forget(self) -> None:
        """Start over: the numbers that were given out since the last commit are void."""
        self._shapes.clear()
        self._places.clear()
        self._minutes.clear()

    def row(self, log: int, seq: int, entry: NewEntry) -> Row:
        """Return `COLUMNS` of an entry."""
        # Longer than it should be: a call for each step would take more time than the step.
        repeated = (
            entry.dealer,
            entry.app,
            entry.actor,
            entry.kind,
            entry.action,
            entry.scope,
            entry.result,
            entry.source,
            entry.key_id,
            entry.origin,
        )
        numbers, to_dealer, to_request_id, to_salt, scope, source = self._shapes.get(repeated) or self._shape(repeated)
        place, place_ = None, ""
        if entry.source_ip is not None:
            place, place_ = self._places.get(entry.source_ip) or self._place(entry.source_ip)
        ts = (entry.timestamp - EPOCH) // MICROSECOND
        minute, within = divmod(ts, MINUTE)
        to_minute = self._minutes.get(minute) or self._minute(minute)
        digits = str(within + NINE_DIGITS)
        request_id = entry.request_id
        if not request_id.isascii() or "\0" in request_id:
            request_id = storable(request_id)
        details, details_ = None, ""
        if entry.details and (details := kept_details(entry)) is not None:
            details_ = ',"details":' + details
        salt = self._salts.pop() if self._salts else self._salt()
        leaf = (
            f'{to_dealer}{details_}{to_request_id}{quoted(request_id)}{to_salt}{salt.hex()}"{scope},"seq":{seq}{source}'
            f'{place_},"timestamp":"{to_minute}{digits[1:3]}.{digits[3:]}Z"}}'
        )
        return (
            (log << SEQ_BITS) + seq,
            log,
            ts,
            request_id,
            place,
            details,
            request_key(seq, request_id),
            salt,
            sha256(leaf.encode()).digest(),
            *numbers,
        )

    def _shape(self, repeated: Row) -> Shape:
        dealer, app, actor, kind, action, scope, result, source, key_id, origin = repeated
        name, optional = self._names.intern, self._names.intern_optional
        numbers = (
            optional(app),
            name(actor),
            name(kind.value),
            name(action),
            optional(scope),
            name(result.value),
            optional(source),
            optional(key_id),
            optional(origin),
        )
        shape = Shape(
            numbers,
            f'\0{{"action":{_text(action)},"actor":{_text(actor)}{_member("app", app)},"dealer":{_text(dealer)}',
            f'{_member("key_id", key_id)},"kind":{_text(kind.value)}{_member("origin", origin)},"request_id":',
            f',"result":{_text(result.value)},"salt":"',
            _member("scope", scope),
            _member("source", source),
        )
        return _remember(self._shapes, repeated, shape)

    def _place(self, source_ip: str) -> tuple[int, str]:
        place = self._addresses.intern(source_ip), _member("source_ip", source_ip)
        return _remember(self._places, source_ip, place)

    def _salt(self) -> bytes:
        """Return a salt, and lay in some: asking the system for each would take as long as hashing does."""
        random = self._random(SALT_LENGTH * SALTS)
        self._salts = [random[at : at + SALT_LENGTH] for at in range(0, len(random), SALT_LENGTH)]
        return self._salts.pop()

    def _minute(self, minute: int) -> str:
        to_minute = (EPOCH + timedelta(minutes=minute)).isoformat()[:17]
        return _remember(self._minutes, minute, to_minute)


def kept_details(entry: NewEntry) -> str | None:
    """Return an entry's details as they are kept: canonical JSON, a note where that is too long, None where empty."""
    text = details_text(entry.details)
    if len(text) <= MOST_DETAILS:
        return None if text == "{}" else text
    content = text.encode()
    note = {"not_kept": "these details are too long for the log", "bytes": len(content)}
    return details_text({**note, "sha256": sha256(content).hexdigest()})


def _text(text: str) -> str:
    return quoted(storable(text))


def _member(name: str, text: str | None) -> str:
    """Return a member of a JSON object after others; nothing for what is not set."""
    return "" if text is None else f',"{name}":{_text(text)}'


def _remember(known: dict[K, V], key: K, value: V) -> V:
    if len(known) >= MOST_REMEMBERED:
        known.clear()
    known[key] = value
    return value
