"""Records for tests of a store: complete, plausible, and different only in what a test names."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from chekt_mcp.domain.allow_list.version import AllowListVersion
from chekt_mcp.domain.api_key import Key, KeyKind, KeyState
from chekt_mcp.domain.app import App, Authority, ConfirmBy, Environment
from chekt_mcp.domain.approval import Approval, Challenge
from chekt_mcp.domain.audit import Entry, Kind, LoggedEntry, NewEntry, Query, Result
from chekt_mcp.domain.audit_leaf import leaf_hash
from chekt_mcp.domain.choice import Choice, any_of
from chekt_mcp.domain.merkle import root_of
from chekt_mcp.domain.rotation import Reason, Rotation, RotationState
from chekt_mcp.domain.scope import Scope
from chekt_mcp.storage.interface import Reader, Storage, Writer
from chekt_mcp.storage.records import (
    Dealer,
    DeliveryClaim,
    ImportFile,
    QueuedEvent,
    RememberedAnswer,
    SealedKey,
    SeenDelivery,
    TreeHead,
)

NOW = datetime(2026, 6, 1, 12, 0, 0, 123456, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
TICK = timedelta(microseconds=1)
BEGINNING = datetime(1, 1, 1, tzinfo=UTC)
END = datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)


FILTERS = {"actor", "action", "kind", "scope", "result", "request_id", "source_network", "key_id", "text"}


def microseconds(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // TICK


def dealer(name: str = "acme") -> Dealer:
    return Dealer(name, NOW, b"wrapped data key of " + name.encode())


def app(name: str = "shop", **changes: Any) -> App:
    sample = App(
        dealer="acme",
        name=name,
        environment=Environment.LIVE,
        authority=Authority.LOCAL,
        scopes=frozenset({Scope.KEYS_READ, Scope.OPERATORS_READ}),
        confirm=ConfirmBy.OUT_OF_BAND,
        created_at=NOW,
        covers=("till", "back-office"),
    )
    return replace(sample, **changes)


def key(
    key_id: str = "key_1", *, value_hash: bytes | None = None, sealed: bytes | None = None, **changes: Any
) -> SealedKey:
    sample = Key(key_id, "acme", "shop", KeyKind.API_KEY, KeyState.CURRENT, "chekt_live_…a1B2", NOW)
    return SealedKey(replace(sample, **changes), value_hash or key_id.encode().ljust(32, b"."), sealed)


def allow_list(version: int = 1, **changes: Any) -> AllowListVersion:
    sample = AllowListVersion(
        dealer="acme",
        app="shop",
        version=version,
        enabled=True,
        text=f"203.0.113.{version}  # Büro",
        effective_at=NOW + version * MINUTE,
        set_by="app:shop",
        reason="moved",
    )
    return replace(sample, **changes)


def approval(approval_id: str = "apr_1", **changes: Any) -> Approval:
    sample = Approval(
        approval_id=approval_id,
        dealer="acme",
        app="shop",
        tool="rotate_key",
        requester="app:shop",
        confirm=ConfirmBy.OUT_OF_BAND,
        digest="d" * 64,
        state_digest="s" * 64,
        words="Rotate the key of “shop”.",
        challenges=(Challenge("app", "Type the app's name", "shop"), Challenge("override", "Type yes", "yes")),
        created_at=NOW,
        expires_at=NOW + 10 * MINUTE,
    )
    return replace(sample, **changes)


def rotation(rotation_id: str = "rot_1", **changes: Any) -> Rotation:
    sample = Rotation(
        rotation_id=rotation_id,
        dealer="acme",
        app="shop",
        kind=KeyKind.API_KEY,
        reason=Reason.SCHEDULED,
        state=RotationState.DELIVERING,
        old_key_id="key_1",
        new_key_id="key_2",
        sink="file",
        target="/somewhere/shop.key",
        revoke_previous_now=False,
        requested_by="app:shop",
        approval_id="apr_1",
        started_at=NOW,
        lease_until=NOW + 2 * MINUTE,
        sealed=b"sealed new key",
    )
    return replace(sample, **changes)


def answer(idempotency_key: str = "once", **changes: Any) -> RememberedAnswer:
    sample = RememberedAnswer(
        dealer="acme",
        principal="app:shop",
        tool="rotate_key",
        idempotency_key=idempotency_key,
        arguments_digest="a" * 64,
        answer={"status": "rotated", "counts": [1, 2]},
        expires_at=NOW + DAY,
    )
    return replace(sample, **changes)


def delivery(digest: bytes = b"digest-1", **changes: Any) -> SeenDelivery:
    sample = SeenDelivery(
        dealer="acme",
        app="shop",
        digest=digest,
        event_id="evt_1",
        times=1,
        first_at=NOW,
        digest_until=NOW + 10 * MINUTE,
        event_until=NOW + 2 * DAY,
    )
    return replace(sample, **changes)


def claim(claim_id: str = "clm_1", **changes: Any) -> DeliveryClaim:
    sample = DeliveryClaim(
        claim_id=claim_id,
        dealer="acme",
        app="shop",
        digest=b"digest-1",
        event_id="evt_1",
        claimed_at=NOW,
        lease_until=NOW + MINUTE,
        digest_until=NOW + 10 * MINUTE,
        event_until=NOW + 2 * DAY,
    )
    return replace(sample, **changes)


def queued(queue_id: str = "que_1", **changes: Any) -> QueuedEvent:
    sample = QueuedEvent(
        queue_id=queue_id,
        dealer="acme",
        app="shop",
        event_id="evt_1",
        request_id="req_1",
        received_at=NOW,
        due_at=NOW,
        sealed=b"sealed delivery",
    )
    return replace(sample, **changes)


def import_file(import_id: str = "imp_1", **changes: Any) -> ImportFile:
    sample = ImportFile(import_id, "acme", "export.csv", "f" * 64, "operator", NOW, added=10, known=2, rejected=1)
    return replace(sample, **changes)


def entry(request_id: str = "req_1", at: datetime = NOW, **changes: Any) -> NewEntry:
    sample = NewEntry(
        dealer="acme",
        timestamp=at,
        actor="app:shop",
        kind=Kind.API_CALL,
        action="GET /v1/devices",
        result=Result.OK,
        request_id=request_id,
        app="shop",
        scope="devices:read",
        source="import",
        source_ip="198.51.100.20",
        key_id="key_1",
        origin=None,
        details={"user_agent": "night-watch/2.8"},
    )
    return replace(sample, **changes)


def query(**changes: Any) -> Query:
    chosen = {
        name: any_of(value) for name, value in changes.items() if name in FILTERS and not isinstance(value, Choice)
    }
    return replace(Query("acme", ("shop",), BEGINNING, END), **changes | chosen)


def work(name: str, *arguments: Any) -> Callable[[Any], Awaitable[Any]]:
    """Return work that calls one method of a reader or writer."""

    async def call(subject: Any) -> Any:
        return await getattr(subject, name)(*arguments)

    return call


async def furnish(storage: Storage) -> None:
    """Add two dealers with an app each, to which everything else belongs."""

    async def add(writer: Writer) -> None:
        for one in ("acme", "other"):
            await writer.add_dealer(dealer(one))
            await writer.add_app(app(dealer=one))

    await storage.write(add)


async def search(storage: Storage, limit: int = 1_000, **changes: Any) -> list[Entry]:
    found = query(**changes)
    return list(await storage.read(lambda reader: reader.search(found, limit)))


async def request_ids(storage: Storage, **changes: Any) -> list[str]:
    return [one.request_id for one in await search(storage, **changes)]


async def tree_agrees(storage: Storage, dealer: str = "acme") -> bool:
    """Tell whether the tree of a log, of which nothing was pruned, is the one over its entries as they read."""
    head, logged = await storage.read(lambda reader: _head_and_entries(reader, dealer))
    return head == TreeHead(len(logged), root_of(leaf_hash(entry, salt) for entry, salt in logged))


async def _head_and_entries(reader: Reader, dealer: str) -> tuple[TreeHead, Sequence[LoggedEntry]]:
    return await reader.tree_head(dealer), await reader.logged_entries(dealer, 0, 10**6)
