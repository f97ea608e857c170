"""May this caller come in from where it is: what the edge asks of the calling app's own settings, in one read."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from chekt_mcp.domain.app import App
from chekt_mcp.domain.scope import Grant
from chekt_mcp.operations.allow_list.compiled_lists import CompiledLists
from chekt_mcp.storage.interface import Reader


class Entrance(StrEnum):
    """Whether a credential may be used from an address."""

    OPEN = "open"
    IP_NOT_ALLOWED = "ip_not_allowed"


@dataclass(frozen=True, slots=True)
class Admission:
    """What the calling app's settings say; `app` is None for a token that is nobody's app."""

    entrance: Entrance
    app: App | None


async def admit(reader: Reader, compiled: CompiledLists, grant: Grant, source_ip: str) -> Admission:
    """Hold a caller to the allow list of its own app, never of the app it asks about.

    An app without a list, or with an empty one, has the layer off.

    Raises:
        Unavailable: the stored list cannot be read; nobody is let in then.
    """
    if grant.app is None:
        return Admission(Entrance.OPEN, None)
    app = await reader.app(grant.dealer, grant.app)
    version = await reader.allow_list(grant.dealer, grant.app)
    if version is None or not version.enabled:
        return Admission(Entrance.OPEN, app)
    matcher, entries = compiled.matcher(version)
    place = matcher.find(source_ip)
    listed = place is not None and place >= 0
    return Admission(Entrance.OPEN if listed or not entries else Entrance.IP_NOT_ALLOWED, app)
