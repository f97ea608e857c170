"""Rows that carry more than a domain object: sealed values, hashes, bookkeeping."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from chekt_mcp.domain.api_key import Key


@dataclass(frozen=True, slots=True)
class Dealer:
    """An alarm company. `wrapped_key` is its data key, encrypted under the key-encryption key."""

    name: str
    created_at: datetime
    wrapped_key: bytes = field(repr=False)


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


@dataclass(frozen=True, slots=True)
class ImportFile:
    """A finished import: the file by name and SHA-256, who brought it, and what became of its rows."""

    import_id: str
    dealer: str
    file_name: str
    sha256: str
    imported_by: str
    imported_at: datetime
    added: int
    known: int
    rejected: int
