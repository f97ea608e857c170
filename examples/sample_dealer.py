"""The dealer of the sample log: its span, its apps and people, and how one entry comes about.

All addresses are from the documentation ranges (RFC 5737, RFC 3849). Times are UTC, and so is the office day.
"""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

T = TypeVar("T")

SEED = "chekt-mcp sample log 1"
DAYS = 14
END = datetime(2026, 6, 30, 23, 59, tzinfo=UTC)
START = END - timedelta(days=DAYS)
ALARMS = 112
FIRST_ALARM = 10_241
DEPLOY = (datetime(2026, 6, 29, 15, 30, tzinfo=UTC), datetime(2026, 6, 29, 15, 34, tzinfo=UTC))
NEW_CI_KEY_IN_USE = datetime(2026, 6, 22, 13, 30, tzinfo=UTC)
CI_PREVIOUS_KEY = "key_b3w6hn2rzc5y"
DELIVERY_SOURCES = ("198.51.100.250", "198.51.100.251")
RETRY_AFTER = (timedelta(seconds=30), timedelta(minutes=2), timedelta(minutes=10))


class Endpoint(NamedTuple):
    """An action and the scope that opens it."""

    action: str
    scope: str


class App(NamedTuple):
    """One CHeKT App: what it was granted, where it calls from, and as what."""

    name: str
    key_id: str
    scopes: frozenset[str]
    addresses: tuple[str, ...]
    agent: str


class Row(NamedTuple):
    """One entry before it is written; the request id follows from the rest."""

    at: datetime
    app: str
    actor: str
    kind: str
    action: str
    scope: str
    result: str
    source_ip: str
    key_id: str
    user_agent: str


class Dice:
    """A stream of chance of its own; draws on `random()` alone, the one draw that Python promises to keep."""

    def __init__(self, stream: str) -> None:
        self._draw = random.Random(f"{SEED}:{stream}").random  # noqa: S311 - sample data, nothing secret

    def chance(self, probability: float) -> bool:
        """Say yes with this probability."""
        return self._draw() < probability

    def between(self, low: int, high: int) -> int:
        """Return a whole number, both ends included."""
        return low + int(self._draw() * (high - low + 1))

    def pick(self, options: Sequence[T]) -> T:
        """Return one of the options."""
        return options[self.between(0, len(options) - 1)]

    def pause(self, low: float, high: float) -> timedelta:
        """Return a while between so many seconds, to the millisecond."""
        return timedelta(milliseconds=self.between(int(low * 1000), int(high * 1000)))

    def name(self, prefix: str) -> str:
        """Return an identifier like those of the platform, e.g. `site_29snd`."""
        return prefix + "".join(self.pick("abcdefghijkmnpqrstuvwxyz23456789") for _ in range(5))


_NAMES = Dice("names")
SITES = tuple(_NAMES.name("site_") for _ in range(14))
DEVICES = tuple(_NAMES.name("dev_") for _ in range(48))
WATCH_SCOPES = frozenset({"devices:read", "events:read", "sites:read", "snapshots:read", "alarms:write"})
FRONT_DESK = App(
    name="front-desk",
    key_id="key_7fq2m5xk4tda",
    scopes=WATCH_SCOPES,
    addresses=("203.0.113.42", "203.0.113.43"),
    agent="front-desk/4.2.1",
)
NIGHT_WATCH = App(
    name="night-watch",
    key_id="key_m4tz8c3vq6ep",
    scopes=WATCH_SCOPES,
    addresses=("198.51.100.20", "198.51.100.21"),
    agent="night-watch/2.8 python-httpx/0.28.1",
)
CI_SMOKE = App(
    name="ci-smoke",
    key_id="key_x9d4pk7wgs2j",
    scopes=frozenset({"devices:read", "events:read", "events:write"}),
    addresses=(*(f"192.0.2.{host}" for host in range(130, 250, 3)), "2001:db8:ac:5::e1", "2001:db8:ac:9::27"),
    agent="ci-smoke/1.9",
)
LIST_DEVICES = Endpoint("GET /v1/devices", "devices:read")
LIST_EVENTS = Endpoint("GET /v1/events", "events:read")
LIST_SITES = Endpoint("GET /v1/sites", "sites:read")
LIST_OPERATORS = Endpoint("GET /v1/operators", "operators:read")
ADD_EVENT = Endpoint("POST /v1/events", "events:write")


def rename_device(dice: Dice) -> Endpoint:
    """Return a change to one device."""
    return Endpoint(f"PATCH /v1/devices/{dice.pick(DEVICES)}", "devices:write")


def alarm_step(alarm_id: str, verb: str) -> Endpoint:
    """Return the call that takes an alarm one step on."""
    return Endpoint(f"POST /v1/alarms/{alarm_id}/{verb}", "alarms:write")


def call(app: App, at: datetime, endpoint: Endpoint, source_ip: str) -> Row:
    """Return one API call; a scope that the app was not granted is denied."""
    result = "ok" if endpoint.scope in app.scopes else "denied"
    agent = "front-desk/4.3.0" if app is FRONT_DESK and at > DEPLOY[0] else app.agent
    key_id = CI_PREVIOUS_KEY if app is CI_SMOKE and at < NEW_CI_KEY_IN_USE else app.key_id
    return Row(at, app.name, f"app:{app.name}", "api_call", *endpoint, result, source_ip, key_id, agent)


def webhook(dice: Dice, app: App, at: datetime, event: str) -> Iterator[Row]:
    """Yield the deliveries of one event: mostly one, with backoff until the endpoint takes it."""
    failures = dice.pick((1, 1, 1, 2, 3)) if dice.chance(0.04) else 0
    source = dice.pick(DELIVERY_SOURCES)
    delivery = (app.name, "system:webhooks", "webhook_delivery", f"webhook {event}", "events:read")
    for attempt in range(failures + 1):
        result, agent = "error" if attempt < failures else "ok", f"CHeKT-Webhooks/1.0 (attempt {attempt + 1})"
        yield Row(at, *delivery, result, source, "", agent)
        at += RETRY_AFTER[min(attempt, 2)] + dice.pause(0, 5)


def webhooks_of_alarm(dice: Dice, app: App, at: datetime, event: str) -> Iterator[Row]:
    """Yield the deliveries to the desk, which shows every alarm, and to the app that handles this one."""
    yield from webhook(dice, FRONT_DESK, at, event)
    if app is not FRONT_DESK:
        yield from webhook(dice, app, at + dice.pause(0.01, 0.2), event)
