"""The audit log's vocabulary: an entry, a query, a page. Fields: seeds/platform-security.txt, "Audit logging"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network
from typing import NamedTuple, TypeAlias

from chekt_mcp.domain.choice import Choice


class Kind(StrEnum):
    """What an entry records."""

    API_CALL = "api_call"
    WEBHOOK_DELIVERY = "webhook_delivery"
    OPERATOR_ACTION = "operator_action"
    TOOL_CALL = "tool_call"


class Result(StrEnum):
    """How it ended: done, refused, or failed."""

    OK = "ok"
    DENIED = "denied"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class NewEntry:
    """An entry before the log has numbered it.

    `source` says how it reached us (`stdio`, `terminal`, `import`, …); `source_ip` is normalised text or None.
    `origin` is the id of the import it came with, None for our own. `details` is small JSON.
    """

    dealer: str
    timestamp: datetime
    actor: str
    kind: Kind
    action: str
    result: Result
    request_id: str
    app: str | None = None
    scope: str | None = None
    source: str | None = None
    source_ip: str | None = None
    key_id: str | None = None
    origin: str | None = None
    details: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Entry(NewEntry):
    """An entry in the log; `seq` counts up from 1 in the order of writing.

    `odd` names the fields that cannot be read as what they should be (of a row that somebody else wrote, or a later
    version): they are empty here, and `kind` and `result` never the value that would say that all is well.
    """

    seq: int = 0
    odd: tuple[str, ...] = ()


class LoggedEntry(NamedTuple):
    """An entry and what its place in the log's tree was computed with: `salt` is 16 random bytes of its own."""

    entry: Entry
    salt: bytes


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """Where a page ended: the last entry's timestamp (microseconds since 1970) and number. Later ones are greater."""

    microseconds: int
    seq: int


Network: TypeAlias = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class Query:
    """Which entries: all conditions must hold. Newest first, by timestamp, then by number.

    `dealer_wide` adds the entries that belong to no app: logins, imports, what concerns the dealer as a whole.
    `text` is looked for in actor, action and details, without regard to the case of ASCII letters. An entry without
    scope, key or address, or with one that cannot be read, fits a negated choice only.
    """

    dealer: str
    apps: tuple[str, ...]
    since: datetime
    until: datetime
    actor: Choice[str] | None = None
    action: Choice[str] | None = None
    kind: Choice[Kind] | None = None
    scope: Choice[str] | None = None
    result: Choice[Result] | None = None
    request_id: Choice[str] | None = None
    source_network: Choice[Network] | None = None
    key_id: Choice[str] | None = None
    text: Choice[str] | None = None
    before: Position | None = None
    dealer_wide: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """Entries that fit, newest first, and how far the search for them went.

    `following`: where it goes on; None when nothing else fits. `full`: whether it ended because the page was full, and
    not because to look further would have taken too long. `further` entries more fit, or at least so many.
    """

    entries: Sequence[Entry]
    following: Position | None = None
    full: bool = False
    further: int = 0
    at_least: bool = False


@dataclass(frozen=True, slots=True)
class LogExtent:
    """What the log holds for one dealer, so that an empty answer can be judged."""

    oldest: datetime | None
    newest: datetime | None
    entries: int


@dataclass(frozen=True, slots=True)
class KeyUse:
    """One source that used a key: `source` is an address, or `stdio` for a local client."""

    source: str
    calls: int
    first_at: datetime
    last_at: datetime


class Traffic(NamedTuple):
    """Requests to one app from one address in a window, and on how many different days (UTC) they came.

    A tuple, because a busy log has hundreds of thousands of them.
    """

    source_ip: str
    requests: int
    last_seen: datetime
    days: int


@dataclass(frozen=True, slots=True)
class AddressUse:
    """What the newest entries from one address tell: who called the app, most calls first, and how many it served."""

    actors: tuple[str, ...]
    served: int
