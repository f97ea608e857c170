"""What a proposed list is held against: the list in force, and real traffic since a whole hour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from chekt_mcp.domain.allow_list import Entry
from chekt_mcp.domain.allow_list.version import AllowListVersion
from chekt_mcp.domain.app import App
from chekt_mcp.domain.audit import Traffic
from chekt_mcp.domain.timespan import parse_moment
from chekt_mcp.errors import InvalidInput
from chekt_mcp.operations.allow_list.list_effect import whole_hour
from chekt_mcp.operations.allow_list.stored_list import stored_entries
from chekt_mcp.operations.known_app import known_app
from chekt_mcp.operations.services import Call
from chekt_mcp.storage.interface import Reader


@dataclass(frozen=True, slots=True)
class Facts:
    """The app, its newest list with the entries, and its traffic from `since` on, most requests first."""

    app: App
    version: AllowListVersion | None
    entries: Sequence[Entry]
    since: datetime
    traffic: Sequence[Traffic]

    @property
    def enabled(self) -> bool:
        """Whether the layer is on."""
        return self.version is not None and self.version.enabled

    @property
    def number(self) -> int:
        """The newest version; 0 when there never was one."""
        return self.version.version if self.version else 0


async def preview_facts(reader: Reader, call: Call, name: str, lookback: str) -> Facts:
    """Look up what is known.

    Raises:
        InvalidInput: `lookback` is no span or moment before now.
        Unavailable: the list in force cannot be read.
    """
    since = _since(lookback, call.now)
    app = await known_app(reader, call.grant.dealer, name)
    version = await reader.allow_list(app.dealer, app.name)
    return Facts(app, version, stored_entries(version), since, await reader.traffic(app.dealer, app.name, since))


def _since(lookback: str, now: datetime) -> datetime:
    since = parse_moment(lookback, now, field="lookback")
    if since >= now:
        raise InvalidInput("`lookback` must reach back.", field="lookback", code="empty_window")
    return whole_hour(since)
