"""What the clock has ended: written down when it is first noticed, by whoever notices. Nothing waits for a job.

A time of grace ends by the clock wherever a key is judged; the log gets its entry here. A sealed copy of a new key
is destroyed here: when its hour is over, or at the key's first use.
"""

from __future__ import annotations

from datetime import datetime

from chekt_mcp.domain.api_key import Key
from chekt_mcp.domain.audit import Kind, NewEntry, Result
from chekt_mcp.domain.rotation import REVEALABLE
from chekt_mcp.domain.timespan import rfc3339
from chekt_mcp.storage.interface import Writer

ACTOR = "server"
SOURCE = "clock"


async def settle(writer: Writer, now: datetime, used_key_id: str | None = None) -> None:
    """Note graces that have ended and destroy sealed copies; `used_key_id` is the key of the call at hand.

    Part of the transaction that records a call: two look-ups in small indexes, and mostly nothing to do.
    """
    await writer.destroy_sealed(now - REVEALABLE, used_key_id)
    for key in await writer.ended_graces(now):
        await writer.note_ended_grace(key)
        await writer.append([_ended(key, now)])


def _ended(key: Key, now: datetime) -> NewEntry:
    return NewEntry(
        dealer=key.dealer,
        timestamp=now,
        actor=ACTOR,
        kind=Kind.OPERATOR_ACTION,
        action="key.grace.end",
        result=Result.OK,
        request_id=key.key_id,
        app=key.app,
        source=SOURCE,
        details={
            "kind": key.kind.value,
            "ended_key_id": key.key_id,
            "fingerprint": key.fingerprint,
            "valid_until": rfc3339(key.valid_until) if key.valid_until else None,
        },
    )
