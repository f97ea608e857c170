"""One table from cause to words, assembled from the tables of each kind."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from chekt_mcp.domain.webhook.advice import Advice
from chekt_mcp.domain.webhook.cause import Cause
from chekt_mcp.domain.webhook.fixes_body import BODY_ADVICE
from chekt_mcp.domain.webhook.fixes_headers import HEADER_ADVICE
from chekt_mcp.domain.webhook.fixes_signing import CLOCK_ADVICE, SECRET_ADVICE, SIGNED_TEXT_ADVICE

ADVICE: Mapping[Cause, Advice] = MappingProxyType(
    {**HEADER_ADVICE, **SIGNED_TEXT_ADVICE, **SECRET_ADVICE, **CLOCK_ADVICE, **BODY_ADVICE}
)
"""Every cause has its words here; a test holds that none is missing."""
