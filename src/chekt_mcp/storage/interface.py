"""What every storage engine promises. Operations know this module and no engine.

Two verbs: `read` runs against one consistent snapshot, `write` in one durable, serialised transaction. Both take
an async function of a reader or writer, which awaits nothing but that object's methods (an embedded engine
drives it to its end without an event loop). It raises to roll back: then nothing of it has happened.
Every engine raises `StateUnusable` when it cannot answer, and never returns a partial or guessed result.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Protocol, TypeVar

from chekt_mcp.domain.allow_list.version import AllowListVersion
from chekt_mcp.domain.app import App
from chekt_mcp.domain.approval import Approval
from chekt_mcp.domain.audit import AddressUse, Entry, KeyUse, LogExtent, Network, NewEntry, Page, Query, Traffic
from chekt_mcp.domain.retention import Plan
from chekt_mcp.storage.import_interface import ImportChanges, ImportLookups
from chekt_mcp.storage.key_interface import KeyChanges, KeyLookups
from chekt_mcp.storage.partner_interface import PartnerChanges, PartnerLookups
from chekt_mcp.storage.records import (
    Approver,
    Dealer,
    DeliveryClaim,
    QueuedEvent,
    QueueExtent,
    RememberedAnswer,
    SeenDelivery,
)
from chekt_mcp.storage.retention_interface import RetentionLookups
from chekt_mcp.storage.session_interface import SessionChanges, SessionLookups
from chekt_mcp.storage.summary_interface import SummaryLookups
from chekt_mcp.storage.tree_interface import TreeChanges, TreeLookups

if TYPE_CHECKING:  # start-up is measured, and only a receiver needs the rules for deliveries
    from chekt_mcp.domain.webhook import Claim

T = TypeVar("T")


class Reader(
    SessionLookups, KeyLookups, TreeLookups, ImportLookups, RetentionLookups, PartnerLookups, SummaryLookups, Protocol
):
    """Everything that can be asked. All lookups are confined to the dealer given."""

    async def dealers(self) -> Sequence[Dealer]:
        """Every dealer, by name."""
        ...

    async def app(self, dealer: str, name: str) -> App | None: ...

    async def apps(self, dealer: str) -> Sequence[App]:
        """Every app of the dealer, by name."""
        ...

    async def allow_list(self, dealer: str, app: str) -> AllowListVersion | None:
        """The newest version; None when the app never had a list."""
        ...

    async def allow_list_history(self, dealer: str, app: str, limit: int) -> Sequence[AllowListVersion]:
        """The newest `limit` versions, newest first."""
        ...

    async def allow_list_version(self, dealer: str, app: str, version: int) -> AllowListVersion | None: ...

    async def allow_list_at(self, dealer: str, app: str, moment: datetime) -> AllowListVersion | None:
        """The version that was in force at a moment; None when there was none yet."""
        ...

    async def approval(self, dealer: str, approval_id: str) -> Approval | None: ...

    async def approval_for(
        self, dealer: str, requester: str, digest: str, state_digest: str, now: datetime
    ) -> Approval | None:
        """The newest approval of this very request on this very state: not expired at `now` and not used."""
        ...

    async def approvals(self, dealer: str, now: datetime) -> Sequence[Approval]:
        """Pending, unexpired approvals, oldest first."""
        ...

    async def remembered_answer(
        self, dealer: str, principal: str, tool: str, idempotency_key: str, now: datetime
    ) -> RememberedAnswer | None:
        """The answer given under this idempotency key, unless it has expired at `now`."""
        ...

    async def approver(self, dealer: str) -> Approver | None: ...

    async def seen_delivery(self, dealer: str, app: str, digest: bytes, now: datetime) -> SeenDelivery | None: ...

    async def seen_event(self, dealer: str, app: str, event_id: str, now: datetime) -> SeenDelivery | None:
        """The first delivery of an event; `times` counts the looks at all its deliveries."""
        ...

    async def event_queue(self, dealer: str, app: str) -> QueueExtent:
        """How many accepted events of an app wait to be handed on, when one is due next, how many were given up."""
        ...

    async def search(self, query: Query, limit: int) -> Sequence[Entry]:
        """At most `limit` entries that fit, newest first (timestamp, then seq)."""
        ...

    async def search_page(self, query: Query, limit: int) -> Page:
        """The newest at most `limit` entries that fit, looking at a bounded number of entries.

        A page that ends sooner says where: everything newer than `following` was looked at, and the search goes on
        there, even where a page is empty. `further` matches are counted as far as that costs nothing.
        """
        ...

    async def count(self, query: Query, limit: int) -> int:
        """How many entries fit, counting no further than `limit`."""
        ...

    async def entries_by_request_id(self, dealer: str, request_id: str, limit: int) -> Sequence[Entry]: ...

    async def log_extent(
        self, dealer: str, apps: Sequence[str] | None = None, *, dealer_wide: bool = False
    ) -> LogExtent:
        """Oldest and newest timestamp and number of entries, of the dealer or of these apps only.

        `dealer_wide` adds to the apps' entries those of no app, as in `Query`.
        """
        ...

    async def key_uses(self, dealer: str, key_id: str, since: datetime) -> Sequence[KeyUse]:
        """Who used a key since then, by source (address, else `source`), latest first."""
        ...

    async def last_use(self, dealer: str, key_id: str) -> datetime | None: ...

    async def traffic(self, dealer: str, app: str, since: datetime, days: int = 1) -> Sequence[Traffic]:
        """Requests per source address since then (whole hours), most first; `api_call` entries only.

        Addresses that called on fewer than `days` days are left out.
        """
        ...

    async def last_requests(
        self, dealer: str, app: str, networks: Sequence[Network], since: datetime
    ) -> Sequence[datetime | None]:
        """When the app was last called from each network since then (whole hours): `api_call` entries only."""
        ...

    async def traffic_extent(self, dealer: str, app: str) -> tuple[datetime, datetime] | None:
        """The first hour with any traffic, and the moment of the newest request; None when there was none."""
        ...

    async def address_use(self, dealer: str, app: str, source_ip: str, since: datetime, limit: int) -> AddressUse:
        """What `api_call` entries of an app tell of an address: those among its newest `limit`, of any app."""
        ...

    async def traffic_hours(self, dealer: str, app: str, since: datetime) -> Sequence[datetime]:
        """The hours since then in which the app was called at all, oldest first."""
        ...

    async def server_secret(self, name: str) -> bytes | None:
        """A random secret of this installation (for cursors, request state), if it was made."""
        ...


class Writer(Reader, SessionChanges, KeyChanges, TreeChanges, ImportChanges, PartnerChanges, Protocol):
    """Everything that can be changed, inside one transaction."""

    async def add_dealer(self, dealer: Dealer) -> None: ...

    async def set_plan(self, dealer: str, plan: Plan) -> None:
        """Store the plan of a known dealer."""
        ...

    async def add_app(self, app: App) -> None:
        """Add an app; `Conflict` when the dealer has one of that name."""
        ...

    async def update_app(self, app: App, now: datetime) -> None:
        """Store `scopes`, `covers`, `confirm`, `unattended`, `rate` and `own_key_over_http` of a known app.

        Scopes that it did not hold are granted `now`.
        """
        ...

    async def add_allow_list(self, version: AllowListVersion) -> None:
        """Add the next version; `Conflict` when `version.version` is not the current one plus one."""
        ...

    async def add_approval(self, approval: Approval) -> None: ...

    async def decide_approval(self, approval: Approval) -> bool:
        """Store state, decider and attempts if it is still pending; False when it no longer is."""
        ...

    async def consume_approval(self, dealer: str, approval_id: str, now: datetime) -> bool:
        """Mark an approved, unexpired approval as used; False when it is not (any more). Good once."""
        ...

    async def set_outcome(self, dealer: str, approval_id: str, outcome: dict[str, object]) -> None:
        """Keep the result of the change that used this approval, so that a repeat can be answered."""
        ...

    async def remember_answer(self, answer: RememberedAnswer) -> None: ...

    async def set_approver(self, approver: Approver) -> None: ...

    async def note_delivery(self, seen: SeenDelivery) -> SeenDelivery:
        """Count one more look at a delivery (body digest and event id) and return the new count."""
        ...

    async def claim_delivery(self, claim: DeliveryClaim) -> Claim:
        """Lease a delivery under its digest and its event's id, both or neither, unless it is held or completed.

        Granted to one receiver only, until its lease ends or, once completed, as long as either is remembered.
        """
        ...

    async def complete_claim(self, claim: DeliveryClaim) -> bool:
        """Say that the event is durably handed on; False when the lease ran out and another has taken it over."""
        ...

    async def enqueue_event(self, event: QueuedEvent) -> None: ...

    async def take_event(self, dealer: str, app: str, now: datetime, lease_until: datetime) -> QueuedEvent | None:
        """Take the event that has been due longest: its attempt is counted, and nobody else gets it until then."""
        ...

    async def put_back_event(self, event: QueuedEvent) -> bool:
        """Store `due_at` and `dead` of an event that was taken; False when another has taken it since."""
        ...

    async def remove_event(self, event: QueuedEvent) -> bool:
        """Forget an event that has been handed on; False when it was gone already."""
        ...

    async def revive_events(self, dealer: str, app: str, now: datetime) -> int:
        """Let the dead events of an app begin anew; how many there were."""
        ...

    async def sum_up(self, dealer: str) -> None:
        """Bring the summaries up to the log's last entry; appends let them lag some thousands of entries behind."""
        ...

    async def append(self, entries: Sequence[NewEntry]) -> Sequence[int]:
        """Append to the log and its tree, and return the numbers given. There is no update; only `prune` removes."""
        ...

    async def make_server_secret(self, name: str, value: bytes) -> bytes:
        """Store `value` under `name` unless there is one already; return what is stored."""
        ...


class Storage(Protocol):
    """One engine over one database."""

    async def read(self, work: Callable[[Reader], Awaitable[T]]) -> T:
        """Run quick lookups on one snapshot."""
        ...

    async def scan(self, work: Callable[[Reader], Awaitable[T]]) -> T:
        """Run what may take long on one snapshot, without holding up anything else."""
        ...

    async def write(self, work: Callable[[Writer], Awaitable[T]]) -> T:
        """Run one transaction; returns once it is durable. Callers that come together share one commit."""
        ...

    async def write_briefly(self, work: Callable[[Writer], Awaitable[T]]) -> T:
        """Do as `write` with a few rows that somebody waits for: they may be written in the caller's thread."""
        ...

    async def close(self) -> None: ...
