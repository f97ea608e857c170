"""Who still uses a key, for the person who is asked to end it."""

from __future__ import annotations

from collections.abc import Sequence

from chekt_mcp.domain.app import App, ConfirmBy
from chekt_mcp.domain.audit import KeyUse
from chekt_mcp.domain.foreign_text import escaped
from chekt_mcp.domain.scope import Grant, Scope
from chekt_mcp.domain.timespan import rfc3339
from chekt_mcp.domain.wording import counted

NAMED = 10
"""How many sources are named; the count says how many there are."""


def shows_addresses(app: App, grant: Grant) -> bool:
    """Tell whether the person who reads the words may see addresses.

    An approver at a terminal may. Behind a client sits whoever the client is for, who may if the caller itself may.
    """
    return app.confirmed_by(grant.principal) is ConfirmBy.OUT_OF_BAND or grant.allows(Scope.OPERATORS_READ)


def sources(uses: Sequence[KeyUse]) -> str:
    """Return how many sources there are, with the noun: `1 source`."""
    return counted(len(uses), "source", "sources")


def named(uses: Sequence[KeyUse], *, addresses: bool) -> list[str]:
    """Return one line for each of the latest sources, or none where addresses are not to be shown."""
    if not addresses:
        return []
    lines = [_used(use) for use in uses[:NAMED]]
    return lines + ([f"- and {len(uses) - NAMED} more"] if len(uses) > NAMED else [])


def _used(use: KeyUse) -> str:
    return f"- {escaped(use.source, 60)}: {counted(use.calls, 'call', 'calls')}, last at {rfc3339(use.last_at)}"
