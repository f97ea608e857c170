"""All lookups, and all changes, as the interface lists them."""

from __future__ import annotations

from chekt_mcp.storage.sqlite.approvals import ApprovalReader, ApprovalWriter
from chekt_mcp.storage.sqlite.approver_sessions import ApproverSessionReader, ApproverSessionWriter
from chekt_mcp.storage.sqlite.apps import AppWriter
from chekt_mcp.storage.sqlite.claims import ClaimWriter
from chekt_mcp.storage.sqlite.dealers import DealerReader, DealerWriter
from chekt_mcp.storage.sqlite.deliveries import DeliveryReader, DeliveryWriter
from chekt_mcp.storage.sqlite.event_queue import EventQueueReader, EventQueueWriter
from chekt_mcp.storage.sqlite.imports import ImportReader, ImportWriter
from chekt_mcp.storage.sqlite.keys import KeyWriter
from chekt_mcp.storage.sqlite.log_ages import LogAges
from chekt_mcp.storage.sqlite.log_pages import LogPages
from chekt_mcp.storage.sqlite.log_pruning import LogPruning
from chekt_mcp.storage.sqlite.log_summaries import LogSummaries
from chekt_mcp.storage.sqlite.log_uses import LogUses
from chekt_mcp.storage.sqlite.log_writer import LogWriter
from chekt_mcp.storage.sqlite.partners import PartnerReader, PartnerWriter
from chekt_mcp.storage.sqlite.remembered import RememberedSettings
from chekt_mcp.storage.sqlite.rotations import RotationReader, RotationWriter


class SqliteReader(
    RememberedSettings,
    DealerReader,
    RotationReader,
    ApprovalReader,
    ApproverSessionReader,
    DeliveryReader,
    EventQueueReader,
    ImportReader,
    PartnerReader,
    LogPruning,
    LogAges,
    LogUses,
    LogSummaries,
    LogPages,
):
    """`storage.interface.Reader` on one connection."""


class SqliteWriter(
    DealerWriter,
    AppWriter,
    KeyWriter,
    RotationWriter,
    ApprovalWriter,
    ApproverSessionWriter,
    DeliveryWriter,
    ClaimWriter,
    EventQueueWriter,
    ImportWriter,
    PartnerWriter,
    LogWriter,
    LogAges,
    LogUses,
    LogSummaries,
    LogPages,
):
    """`storage.interface.Writer` on one connection."""
