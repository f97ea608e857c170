"""One kept version of an app's allow list."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class AllowListVersion:
    """The list's text as a person wrote it, when it took effect, by whom and why.

    `enabled` is False when the layer was turned off; an app without any version has it off as well.
    """

    dealer: str
    app: str
    version: int
    enabled: bool
    text: str
    effective_at: datetime
    set_by: str
    reason: str
