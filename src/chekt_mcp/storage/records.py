"""Rows that carry more than a domain object: sealed values, hashes, bookkeeping."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from chekt_mcp.domain.api_key import Key
from chekt_mcp.domain.retention import Plan


@dataclass(frozen=True, slots=True)
class Dealer:
    """An alarm company. `wrapped_key` is its data key, encrypted under the key-encryption key.

    `plan` is the one it has with the platform: it says how long the log is kept.
    """

    name: str
    created_at: datetime
    wrapped_key: bytes = field(repr=False)
    plan: Plan = Plan.STANDARD


@dataclass(frozen=True, slots=True)
class SealedKey:
    """A key with what is stored of its value: a SHA-256 for an API key, an encrypted copy for a secret."""

    key: Key
    value_hash: bytes | None = field(default=None, repr=False)
    sealed: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Approver:
    """A dealer's approver passphrase as a scrypt hash, and the wrong attempts since the last right one."""

    dealer: str
    salt: bytes = field(repr=False)
    scrypt: bytes = field(repr=False)
    wrong_attempts: int = 0
    locked_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class RememberedAnswer:
    """What was answered under an idempotency key; the same key with other arguments is a conflict."""

    dealer: str
    principal: str
    tool: str
    idempotency_key: str
    arguments_digest: str
    answer: Mapping[str, object]
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class SeenDelivery:
    """How often an authentic delivery was looked at. `digest` covers timestamp and body, as the signature does."""

    dealer: str
    app: str
    digest: bytes
    event_id: str | None
    times: int
    first_at: datetime
    digest_until: datetime
    event_until: datetime


@dataclass(frozen=True, slots=True)
class GoneSource:
    """A source of an app's calls that a person says is gone for good: it will never use a new key."""

    dealer: str
    app: str
    source: str
    named_by: str
    named_at: datetime


class ImportState(StrEnum):
    """How far an import is; one that was set aside is neither gone on with nor found again by its file."""

    UNDER_WAY = "under_way"
    FINISHED = "finished"
    SET_ASIDE = "set_aside"


@dataclass(frozen=True, slots=True)
class ImportFile:
    """An import: the file by name and SHA-256, who brought it, and what became of its rows so far.

    Attributes:
        imported_at: when it was gone on with last.
        reading: how the file was read, as a digest of mapping and time zone; "" for neither.
        rows: rows that are durably done with: the next one read is the one behind these.
        postponed: rejected rows that another day or setting would take.
        first_at: the earliest of the rows taken; None where there are none.
        last_at: the latest of them.
    """

    import_id: str
    dealer: str
    file_name: str
    sha256: str
    imported_by: str
    imported_at: datetime
    added: int
    known: int
    rejected: int
    reading: str = ""
    rows: int = 0
    redacted: int = 0
    postponed: int = 0
    first_at: datetime | None = None
    last_at: datetime | None = None
    state: ImportState = ImportState.FINISHED


@dataclass(frozen=True, slots=True)
class DeliveryClaim:
    """What a receiver wants to have to itself: a delivery by its digest, and its event by the id in the signed body.

    `lease_until` ends the claim of a receiver that died; `digest_until` and `event_until` end the memory of both.
    """

    claim_id: str
    dealer: str
    app: str
    digest: bytes
    event_id: str | None
    claimed_at: datetime
    lease_until: datetime
    digest_until: datetime
    event_until: datetime


@dataclass(frozen=True, slots=True)
class QueuedEvent:
    """An accepted event that is still to be handed on. `sealed` is its delivery, encrypted for this very row.

    `due_at` is when it may be taken next: the next attempt, or the end of the lease of whoever has it in hand.
    `attempts` counts how often it was taken; whoever took it may put it back only while that is still the number.
    """

    queue_id: str
    dealer: str
    app: str
    event_id: str | None
    request_id: str
    received_at: datetime
    due_at: datetime
    sealed: bytes = field(repr=False)
    attempts: int = 0
    dead: bool = False


@dataclass(frozen=True, slots=True)
class QueueExtent:
    """How many events of an app wait to be handed on and when one is due next; how many were given up."""

    waiting: int
    next_due: datetime | None
    dead: int


@dataclass(frozen=True, slots=True)
class TreeHead:
    """The RFC 6962 tree of a log as it stands: `root` covers the first `size` entries, pruned ones too."""

    size: int
    root: bytes


@dataclass(frozen=True, slots=True)
class StoredCheckpoint:
    """A signed statement of what a log was: `note` is the whole C2SP signed note."""

    size: int
    root: bytes
    note: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class StoredAnchor:
    """Where a checkpoint of this size is vouched for outside: `anchor` names the place, `receipt` what it answered."""

    size: int
    anchor: str
    anchored_at: datetime
    receipt: str


@dataclass(frozen=True, slots=True)
class PrunedRange:
    """Entries `first` to `last` that were removed by age; `prune_seq` numbers the entry that says so."""

    first: int
    last: int
    prune_seq: int


@dataclass(frozen=True, slots=True)
class PrunePlan:
    """What one prune removes: every entry before `before`, a whole hour, as ranges of numbers from `first` to `last`.

    `entries` counts them; `remaining` tells whether there is more before the moment that was asked for.
    """

    before: datetime
    entries: int
    ranges: tuple[tuple[int, int], ...]
    remaining: bool


@dataclass(frozen=True, slots=True)
class AgedEntries:
    """How many entries of an app (None: of none) are older than a moment, and the oldest and newest of these."""

    app: str | None
    entries: int
    oldest: datetime
    newest: datetime


@dataclass(frozen=True, slots=True)
class LegalHold:
    """Why nothing of a log may be pruned, who said so and when."""

    reason: str
    placed_by: str
    placed_at: datetime
