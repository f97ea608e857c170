"""Signed webhook deliveries: verify them, explain a failure, and tell a replay from a new one. Rules only.

`verify` decides, `diagnose` explains, `with_replay` adds what the memory says. The platform's scheme: hex
HMAC-SHA256 over `{timestamp}.{raw body}` in X-CHeKT-Signature, the timestamp in X-CHeKT-Timestamp.
"""

from __future__ import annotations

from chekt_mcp.domain.webhook.cause import Cause
from chekt_mcp.domain.webhook.delivery import (
    ATTEMPT_HEADER,
    DELIVERY_ID_HEADER,
    EVENT_ID_HEADER,
    MAX_BODY_BYTES,
    OLDER_SIGNATURE_HEADER,
    SIGNATURE_HEADER,
    TIMESTAMP_HEADER,
    Body,
    Headers,
)
from chekt_mcp.domain.webhook.diagnose import HMAC_BUDGET, MAX_OTHERS, diagnose, verify_and_explain
from chekt_mcp.domain.webhook.diagnosis import Diagnosis, with_diagnosis
from chekt_mcp.domain.webhook.event import Event, parse_event
from chekt_mcp.domain.webhook.replay import (
    EVENT_ID_SECONDS,
    LEASE_SECONDS,
    Claim,
    LeaseState,
    decide_claim,
    lease_until,
    remember_event_until,
    remember_until,
    strictest,
    with_replay,
)
from chekt_mcp.domain.webhook.signature import OtherSecret, SigningSecret, sign
from chekt_mcp.domain.webhook.verification import Seen, Verdict, Verification
from chekt_mcp.domain.webhook.verify import WINDOW_SECONDS, verify

__all__ = [
    "ATTEMPT_HEADER",
    "DELIVERY_ID_HEADER",
    "EVENT_ID_HEADER",
    "EVENT_ID_SECONDS",
    "HMAC_BUDGET",
    "LEASE_SECONDS",
    "MAX_BODY_BYTES",
    "MAX_OTHERS",
    "OLDER_SIGNATURE_HEADER",
    "SIGNATURE_HEADER",
    "TIMESTAMP_HEADER",
    "WINDOW_SECONDS",
    "Body",
    "Cause",
    "Claim",
    "Diagnosis",
    "Event",
    "Headers",
    "LeaseState",
    "OtherSecret",
    "Seen",
    "SigningSecret",
    "Verdict",
    "Verification",
    "decide_claim",
    "diagnose",
    "lease_until",
    "parse_event",
    "remember_event_until",
    "remember_until",
    "sign",
    "strictest",
    "verify",
    "verify_and_explain",
    "with_diagnosis",
    "with_replay",
]
