"""An accepted delivery as it lies in the queue: encrypted under its dealer's data key, bound to its row."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from chekt_mcp.domain.webhook import (
    ATTEMPT_HEADER,
    DELIVERY_ID_HEADER,
    EVENT_ID_HEADER,
    SIGNATURE_HEADER,
    TIMESTAMP_HEADER,
)
from chekt_mcp.errors import SecretUnreadable
from chekt_mcp.operations.services import Sealing
from chekt_mcp.storage.records import Dealer, QueuedEvent

KEPT = (SIGNATURE_HEADER, TIMESTAMP_HEADER, EVENT_ID_HEADER, DELIVERY_ID_HEADER, ATTEMPT_HEADER, "Content-Type")
LONGEST_VALUE = 256


@dataclass(frozen=True, slots=True)
class KeptDelivery:
    """The body, byte for byte, and the headers that belong to it under their published names."""

    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


def kept(headers: Iterable[tuple[str, str]], body: bytes) -> KeptDelivery:
    """Return what is handed on: of the headers only those of a delivery, each once; a repeated one is left out."""
    published = {name.lower(): name for name in KEPT}
    found: dict[str, list[str]] = {}
    for name, value in headers:
        if name.lower() in published and len(value) <= LONGEST_VALUE and value.isascii() and value.isprintable():
            found.setdefault(published[name.lower()], []).append(value)
    return KeptDelivery({name: values[0] for name, values in found.items() if len(values) == 1}, body)


def seal_delivery(sealing: Sealing, dealer: Dealer, app: str, queue_id: str, delivery: KeptDelivery) -> bytes:
    """Encrypt a delivery for its row in the queue."""
    text = json.dumps({"headers": dict(delivery.headers), "body": base64.b64encode(delivery.body).decode()})
    return sealing.seal(dealer.wrapped_key, dealer.name, _identity(app, queue_id), text)


def open_delivery(sealing: Sealing, dealer: Dealer, event: QueuedEvent) -> KeptDelivery:
    """Decrypt a queued delivery.

    Raises:
        SecretUnreadable: another key-encryption key, or an altered row.
    """
    text = sealing.open(dealer.wrapped_key, dealer.name, _identity(event.app, event.queue_id), event.sealed)
    try:
        document = json.loads(text)
        return KeptDelivery(document["headers"], base64.b64decode(document["body"]))
    except (ValueError, KeyError, TypeError):
        pass  # not raised from here: the error would carry the text with it
    raise SecretUnreadable("A queued delivery has another form than this version writes.")


def _identity(app: str, queue_id: str) -> str:
    return f"event/{app}/{queue_id}"
