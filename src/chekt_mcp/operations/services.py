"""What every operation is given: storage, secrets, a clock, randomness. Nothing is looked up globally."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from chekt_mcp.domain.analysis.thresholds import Thresholds
from chekt_mcp.domain.api_key import KeyKind, RandomBytes
from chekt_mcp.domain.audit import Kind, NewEntry, Result
from chekt_mcp.domain.scope import Grant
from chekt_mcp.domain.token_bucket import Rate
from chekt_mcp.errors import Unavailable
from chekt_mcp.operations.audit.record_calls import CallRecorder
from chekt_mcp.operations.caller_rate import CallerRate
from chekt_mcp.secrets.interface import Sink
from chekt_mcp.storage.interface import Storage

if TYPE_CHECKING:  # start-up is measured, and one of them brings the endpoint rules along
    from chekt_mcp.anchors.interface import Anchor
    from chekt_mcp.network.interface import EndpointProbe

Clock = Callable[[], datetime]
"""Returns the present moment, with a time zone."""


class Sealing(Protocol):
    """Encryption at rest, one data key per dealer; `identity` binds a value to its row."""

    def new_data_key(self, dealer: str) -> bytes:
        """Return a fresh data key, wrapped."""
        ...

    def seal(self, wrapped: bytes, dealer: str, identity: str, value: str) -> bytes:
        """Encrypt a value for one row."""
        ...

    def open(self, wrapped: bytes, dealer: str, identity: str, sealed: bytes) -> str:
        """Reverse `seal`; `SecretUnreadable` for anything else."""
        ...


class Sinks(Protocol):
    """Chooses where a new key goes, and finds that place again after a crash."""

    def choose(self, dealer: str, app: str, kind: KeyKind, *, own: bool) -> Sink:
        """Return the sink for a new value; `own` when it is the key this session presents."""
        ...

    def restore(self, name: str, target: str) -> Sink:
        """Return the sink a rotation recorded."""
        ...


@dataclass(frozen=True, slots=True)
class Limits:
    """Spans that an operator may set."""

    approval_ttl: timedelta = timedelta(minutes=10)
    grace: timedelta = timedelta(hours=24)
    webhook_window: int = 300
    checkpoint_entries: int = 1_000
    checkpoint_seconds: int = 300
    """A checkpoint is due after so many entries, or so many seconds after the first of them."""

    thresholds: Thresholds = field(default_factory=Thresholds)
    """From where on something in the log is unusual."""


PROBE_RATE = Rate(10, timedelta(minutes=1))
"""Looks at endpoints that one caller may have: enough to mend one by trial, too few to search the internet."""


def no_probe() -> EndpointProbe:
    """Refuse: whoever put these services together gave them no way to other servers."""
    raise Unavailable("This server has no way to look at endpoints.", code="no_probe")


def no_anchors() -> Sequence[Anchor]:
    """Return none: nobody outside keeps checkpoints."""
    return ()


@dataclass(frozen=True, slots=True)
class Services:
    """The outside world, as far as operations may touch it. `sealing` may fail late: its key can be remote.

    `approvals_url` is where approvers decide in a browser; None where there is only the terminal.
    """

    storage: Storage
    sealing: Callable[[], Sealing] = field(repr=False)
    sinks: Sinks
    clock: Clock
    random: RandomBytes
    limits: Limits = field(default_factory=Limits)
    probe: Callable[[], EndpointProbe] = no_probe
    probe_rate: CallerRate = field(default_factory=lambda: CallerRate(PROBE_RATE))
    recorder: CallRecorder = field(default_factory=CallRecorder, repr=False)
    approvals_url: str | None = None
    anchors: Callable[[], Sequence[Anchor]] = no_anchors
    exports: Path | None = None

    def exports_directory(self) -> Path:
        """Return where exports are kept that assistants ask for.

        Raises:
            Unavailable: code `no_exports`; there is no such place.
        """
        if self.exports is None:
            raise Unavailable("This server has no place for exports.", code="no_exports")
        return self.exports


@dataclass(frozen=True, slots=True)
class Call:
    """One call by one caller: who, when, and under which request id it is logged.

    `source_ip` is the caller's own address, normalised; None for a local client, which has none.
    """

    grant: Grant
    request_id: str
    now: datetime
    source: str
    source_ip: str | None = None

    def change_entry(self, action: str, app: str, **details: object) -> NewEntry:
        """Return the log entry of a change this call made; it is written in the change's own transaction."""
        return NewEntry(
            dealer=self.grant.dealer,
            timestamp=self.now,
            actor=self.grant.principal,
            kind=Kind.OPERATOR_ACTION,
            action=action,
            result=Result.OK,
            request_id=self.request_id,
            app=app,
            source=self.source,
            source_ip=self.source_ip,
            key_id=self.grant.key_id,
            details=details,
        )
