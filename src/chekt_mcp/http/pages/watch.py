"""What keeps an eye on the pages, for every process at once."""

from __future__ import annotations

from dataclasses import dataclass

from chekt_mcp.http.refusal_log import RefusalLog
from chekt_mcp.http.shared_rates import SharedRates


@dataclass(frozen=True, slots=True)
class Watch:
    """`attempts` counts those to sign in, by address; `refusals` logs what is refused, floods as counts."""

    attempts: SharedRates
    refusals: RefusalLog
