"""The event inside a delivery's body: `{"id", "type", "created_at", "data"}` (the platform's webhook page)."""

from __future__ import annotations

from dataclasses import dataclass

_MAX_CHARACTERS = 256


@dataclass(frozen=True, slots=True)
class Event:
    """What names an event. Any type is accepted, for the platform adds new ones.

    Attributes:
        id: `evt_…`; covered by the signature, unlike the header of that name, so the one to deduplicate on.
        type: such as `alarm.created`; None when absent.
        created_at: as written by the platform; None when absent.
    """

    id: str
    type: str | None
    created_at: str | None


def parse_event(body: bytes) -> Event | None:
    """Return the event in `body`, or None when it is not a JSON object in UTF-8 with a usable `id`.

    A field is usable when it is printable text of at most 256 characters: longer ones, control characters and
    lone surrogates would only cause trouble where it is stored or shown.
    """
    import json  # noqa: PLC0415  only needed once a delivery has been accepted; verifying must stay cheap to import

    try:
        document = json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError):
        return None
    identifier = _field(document, "id")
    return Event(identifier, _field(document, "type"), _field(document, "created_at")) if identifier else None


def _field(document: object, name: str) -> str | None:
    value = document.get(name) if isinstance(document, dict) else None
    usable = isinstance(value, str) and 0 < len(value) <= _MAX_CHARACTERS and value.isprintable()
    return value if usable else None
