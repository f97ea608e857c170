"""Made-up events to try a receiver with, in the shape of real ones: `{"id", "type", "created_at", "data"}`.

The platform's webhook page names the types; what `data` holds is ours, for the page leaves it open.

The body is written with spaces, as Python writes JSON, and its letters as they are, as JavaScript writes them. No
serialiser does both unless told to, so a receiver that signs what it parsed and wrote anew, instead of the bytes
that came, is found out by the first sample.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from chekt_mcp.domain.api_key import RandomBytes
from chekt_mcp.domain.exposure import contains_credential
from chekt_mcp.domain.identifier import new_id
from chekt_mcp.domain.webhook.delivery import MAX_BODY_BYTES
from chekt_mcp.errors import InvalidInput

DEFAULT_TYPE = "alarm.created"
SAMPLES: Mapping[str, Mapping[str, object]] = {
    DEFAULT_TYPE: {"kind": "intrusion", "priority": "high", "zone": 3},
    "alarm.acknowledged": {"acknowledged_by": "operator 12", "after_seconds": 21},
    "alarm.dispatched": {"dispatched_to": "police", "reference": "24-0117"},
    "alarm.resolved": {"resolution": "false_alarm", "note": "Cleaner forgot the code."},
    "device.online": {"offline_seconds": 341},
    "device.offline": {"reason": "no_heartbeat", "silent_seconds": 180},
    "device.firmware_updated": {"from_version": "4.2.0", "to_version": "4.2.1"},
    "snapshot.created": {"format": "image/jpeg", "width": 1920, "height": 1080},
    "verification.requested": {"reason": "motion", "answer_within_seconds": 60},
}
"""Type → what its event says beyond ids, site and device."""

_TYPE = re.compile(r"[a-z][a-z0-9_]{0,31}(?:\.[a-z][a-z0-9_]{0,31}){1,3}")
_SUBJECTS = {"alarm": "alm", "device": "dev", "snapshot": "snp", "verification": "ver"}


def sample_body(event_type: str, event_id: str, created_at: str, data: Mapping[str, object]) -> bytes:
    """Return the bytes of an event's body; see the module for how they are written.

    Raises:
        InvalidInput: code `bad_data`, when `data` is no JSON of our own making, or the whole is more than 1 MiB.
    """
    event = {"id": event_id, "type": event_type, "created_at": created_at, "data": data}
    try:
        body = json.dumps(event, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError):  # a lone surrogate or an endless number: no receiver would read it
        raise _bad_data("The data cannot be written as JSON in UTF-8.") from None
    if len(body) > MAX_BODY_BYTES:
        raise _bad_data("The event would be larger than 1 MiB, the most that receivers have to take.")
    return body


def sample_data(event_type: str, random: RandomBytes) -> Mapping[str, object]:
    """Return what a sample of this type holds.

    Raises:
        InvalidInput: code `unknown_event`, for a type there is no sample of; with data of one's own any type goes.
    """
    if event_type not in SAMPLES:
        raise _unknown(event_type)
    subject = event_type.partition(".")[0]
    return {
        f"{subject}_id": new_id(_SUBJECTS[subject], random),
        **SAMPLES[event_type],
        "site": {"id": new_id("site", random), "name": "Café Aurore"},
        "device": {"id": new_id("dev", random), "name": "Back door", "kind": "camera"},
    }


def given_data(event_type: str, text: str) -> Mapping[str, object]:
    """Read data of one's own for an event of any type.

    Raises:
        InvalidInput: code `bad_data`, `unknown_event` for what cannot be a type, or `credential_exposed`.
    """
    if not _TYPE.fullmatch(event_type):
        raise _unknown(event_type)
    if contains_credential(text):
        raise InvalidInput(
            "The data holds something shaped like a key or secret; nothing was sent.",
            field="data",
            code="credential_exposed",
            fix="Take it out: a receiver logs what it gets.",
        )
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        raise _bad_data("The data is not JSON.") from None
    if not isinstance(data, dict):
        raise _bad_data("The data is not a JSON object.")
    return data


def _bad_data(what: str) -> InvalidInput:
    return InvalidInput(what, field="data", code="bad_data", fix="It is what goes under `data` in the event.")


def _unknown(event_type: str) -> InvalidInput:
    known = ", ".join(SAMPLES)
    fix = "Write it like alarm.created." if not _TYPE.fullmatch(event_type) else "Give its data with --data FILE."
    return InvalidInput(
        "There is no sample of that type.", field="event", code="unknown_event", fix=f"{fix} Samples: {known}."
    )
