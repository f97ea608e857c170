"""May this caller come in from where it is: what the edge asks of the calling app's own settings, in one read."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from chekt_mcp.domain.allow_list.version import AllowListVersion
from chekt_mcp.domain.app import Authority
from chekt_mcp.domain.rate_tier import RateTier
from chekt_mcp.domain.scope import Grant
from chekt_mcp.operations.allow_list.compiled_lists import CompiledLists
from chekt_mcp.storage.interface import Reader


class Entrance(StrEnum):
    """Whether a credential may be used from an address."""

    OPEN = "open"
    NOT_OVER_HTTP = "not_over_http"
    IP_NOT_ALLOWED = "ip_not_allowed"


@dataclass(frozen=True, slots=True)
class Admission:
    """What the calling app's settings say: whether it may come in, and how often it may call."""

    entrance: Entrance
    tier: RateTier


async def admit(reader: Reader, compiled: CompiledLists, grant: Grant, source_ip: str) -> Admission:
    """Hold a caller to the settings of its own app, never of the app it asks about.

    An app without a list, or with an empty one, has that layer off. The key of an app that was adopted from the
    platform opens this server only where its operator said so: CHeKT issued it for other things.

    Raises:
        Unavailable: the stored list cannot be read; nobody is let in then.
    """
    app = await reader.app(grant.dealer, grant.app) if grant.app is not None else None
    if app is None:
        return Admission(Entrance.OPEN, RateTier.PRO)
    if grant.credential == "api_key" and app.authority is Authority.PLATFORM and not app.own_key_over_http:
        return Admission(Entrance.NOT_OVER_HTTP, app.rate)
    version = await reader.allow_list(app.dealer, app.name)
    listed = version is None or not version.enabled or _lets_in(compiled, version, source_ip)
    return Admission(Entrance.OPEN if listed else Entrance.IP_NOT_ALLOWED, app.rate)


def _lets_in(compiled: CompiledLists, version: AllowListVersion, source_ip: str) -> bool:
    matcher, entries = compiled.matcher(version)
    place = matcher.find(source_ip)
    return not entries or (place is not None and place >= 0)
