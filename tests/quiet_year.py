"""A year of one dealer in which nothing is wrong: made without anything of the analysis, to see what it says of it.

Six apps and the dealer's people, as they are: office hours in a zone that changes its clock, thin weekends, holidays,
a server that polls day and night and catches up after restarts, a nightly job with a big one on the first of the month,
test runs from ever new runners that are refused on purpose, workers that get new addresses at every deploy, an office
that moves its line, mistyped passwords, trips, webhook retries, two short outages of the platform, growth to the year's
end. Quarterly rotations are in it as new key ids. Entries come in order of time.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from chekt_mcp.domain.audit import Kind, NewEntry, Result

BEGIN = datetime(2025, 1, 1, tzinfo=UTC)
DEALER = "acme"
SCOPES = {
    "front-office": ("devices:read", "events:read", "sites:read", "snapshots:read"),
    "watch": ("devices:read", "events:read", "alarms:write"),
    "workers": ("snapshots:read", "events:read"),
    "ci": ("devices:read", "events:read", "events:write"),
    "reports": ("events:read", "sites:read"),
}
"""What the dealer's apps are granted, and all of it is used."""

OFFICE = ("203.0.113.10", "203.0.113.11")
OFFICE_MOVED = ("198.51.100.70", "198.51.100.71")
HOLIDAYS = {(1, 1), (1, 20), (5, 26), (7, 4), (9, 1), (11, 27), (12, 24), (12, 25)}
PEOPLE = ("maria", "tom", "sam", "priya")
HIRED = {"noor": 100, "alex": 250}


@dataclass
class QuietYear:
    """Days of entries, from one seed. `moved_on` is the day on which the office changes its addresses."""

    seed: int
    days: int = 365
    moved_on: int = 200
    _chance: dict[str, random.Random] = field(default_factory=dict)

    def entries(self) -> Iterator[NewEntry]:
        """Yield every entry in order of time."""
        streams = (self.office(), self.watch(), self.workers(), self.ci(), self.reports(), self.people(), self.hooks())
        yield from heapq.merge(*streams, key=lambda entry: entry.timestamp)

    def dice(self, name: str) -> random.Random:
        """Return a stream of chance of its own."""
        return self._chance.setdefault(name, random.Random(f"{self.seed}:{name}"))  # noqa: S311 -- made-up data

    def day(self, number: int) -> datetime:
        """Return a day's midnight."""
        return BEGIN + timedelta(days=number)

    def local(self, number: int, hour: float) -> datetime:
        """Return an hour of the office's clock: five hours behind UTC, four in summer."""
        summer = 68 <= number % 365 < 306
        return self.day(number) + timedelta(hours=hour + (4 if summer else 5))

    def works(self, number: int) -> bool:
        """Tell whether the office works that day."""
        day = self.day(number)
        return day.weekday() < 5 and (day.month, day.day) not in HOLIDAYS

    def growth(self, number: int) -> float:
        """Return how much busier it is than in January."""
        return 1 + 0.6 * (number % 365) / 365

    def ok(self, dice: random.Random, at: datetime) -> Result:
        """Let few calls fail, and all of them in the two outages."""
        if any(0 <= (at - self.day(outage)).total_seconds() - 50_000 < 1_500 for outage in (77, 291)):
            return Result.ERROR
        return Result.ERROR if dice.random() < 0.003 else Result.OK

    def call(  # noqa: PLR0913, PLR0917 -- everything a call can differ in
        self, app: str, at: datetime, address: str, action: str, scope: str, result: Result | None = None
    ) -> NewEntry:
        """Return one call of the API."""
        dice = self.dice("calls " + app)
        quarter = (at - BEGIN).days // 91
        return NewEntry(
            DEALER,
            at,
            f"app:{app}",
            Kind.API_CALL,
            action,
            self.ok(dice, at) if result is None else result,
            f"req_{dice.getrandbits(80):020x}",
            app=app,
            scope=scope,
            source="import",
            source_ip=address,
            key_id=f"key_{app}_{quarter}",
        )

    def office(self) -> Iterator[NewEntry]:
        """Poll in office hours; two deploys a month with a few errors; overtime now and then."""
        dice = self.dice("office")
        for number in range(self.days):
            opens, closes = (7.0, 19.0) if self.works(number) else (9.0, 15.0)
            closes += 1.5 if dice.random() < 0.1 else 0
            deploy = self.local(number, 14 + dice.random()) if number % 14 == 3 else None
            at, end = self.local(number, opens), self.local(number, closes)
            lines = OFFICE_MOVED if number >= self.moved_on else OFFICE
            while at < end:
                deploying = deploy is not None and timedelta(0) <= at - deploy < timedelta(minutes=4)
                scope = dice.choice(SCOPES["front-office"])
                result = Result.ERROR if deploying and dice.random() < 0.6 else None
                if dice.random() < 0.004:
                    yield self.call("front-office", at, lines[0], "POST /v1/events", "events:write", Result.DENIED)
                yield self.call("front-office", at, dice.choice(lines), f"GET /v1/{scope[:-5]}", scope, result)
                pause = dice.uniform(10, 30) if deploying else dice.uniform(120, 500) / self.growth(number)
                at += timedelta(seconds=pause)

    def watch(self) -> Iterator[NewEntry]:
        """Poll day and night; catch up after restarts, into the rate limit; maintenance twice a year."""
        dice, at, end = self.dice("watch"), BEGIN, self.day(self.days)
        while at < end:
            number = (at - BEGIN).days
            if number in {120, 300} and at.hour == 6:
                at += timedelta(hours=3, minutes=10)
            yield self.call("watch", at, "198.51.100.20", "GET /v1/events", dice.choice(SCOPES["watch"][:2]))
            if dice.random() < 0.02:
                alarm = dice.randrange(10**6)
                yield self.call(
                    "watch",
                    at + timedelta(seconds=4),
                    "198.51.100.20",
                    f"POST /v1/alarms/A-{alarm}/acknowledge",
                    "alarms:write",
                )
            at += timedelta(seconds=dice.uniform(200, 500) / self.growth(number))
            if dice.random() < 0.0004:
                for turn in range(dice.randrange(15, 40)):
                    at += timedelta(seconds=dice.uniform(0.1, 0.5))
                    result = Result.ERROR if turn % 4 == 0 else Result.OK
                    yield self.call("watch", at, "198.51.100.21", "GET /v1/events", "events:read", result)

    def workers(self) -> Iterator[NewEntry]:
        """Work through snapshots on short-lived machines, which a deploy replaces twice a week or so."""
        dice, pool = self.dice("workers"), list[str]()
        for number in range(self.days):
            if not pool or dice.random() < 0.3:
                pool = [
                    f"100.{dice.randrange(64, 68)}.{dice.randrange(256)}.{dice.randrange(1, 255)}" for _ in range(5)
                ]
            at = self.day(number)
            while at < self.day(number + 1):
                if dice.random() < 0.01:
                    pool[dice.randrange(5)] = (
                        f"100.{dice.randrange(64, 68)}.{dice.randrange(256)}.{dice.randrange(1, 255)}"
                    )
                scope = dice.choice(SCOPES["workers"])
                yield self.call(
                    "workers", at, dice.choice(pool), f"GET /v1/snapshots/sn_{dice.randrange(10**6)}", scope
                )
                at += timedelta(seconds=dice.expovariate(1 / 500) / self.growth(number) + 1)

    def ci(self) -> Iterator[NewEntry]:
        """Run tests on working days from ever new runners; what may not be done is tried, too."""
        dice = self.dice("ci")
        for number in range(self.days):
            runs = dice.randrange(3, 9) if self.works(number) else dice.random() < 0.2
            for hour in sorted(dice.uniform(8, 19) for _ in range(int(runs))):
                at, runner = self.local(number, hour), f"192.0.2.{dice.randrange(1, 255)}"
                for scope in ("devices:read", "events:read", "events:write", "operators:read", "events:read"):
                    at += timedelta(seconds=dice.uniform(0.3, 4))
                    result = None if scope in SCOPES["ci"] else Result.DENIED
                    yield self.call("ci", at, runner, f"TEST /v1/{scope[:-5]}", scope, result)

    def reports(self) -> Iterator[NewEntry]:
        """Run at night by the UTC clock, and a great deal on the first of a month."""
        dice = self.dice("reports")
        for number in range(self.days):
            day = self.day(number)
            at = day + timedelta(hours=2, minutes=15, seconds=dice.uniform(0, 40))
            for _ in range(int((300 if day.day == 1 else 30) * self.growth(number))):
                at += timedelta(seconds=dice.uniform(0.8, 2.5))
                yield self.call("reports", at, "203.0.113.200", "GET /v1/events", dice.choice(SCOPES["reports"]))

    def people(self) -> Iterator[NewEntry]:
        """Work in the portal: from the office, now and then from home, seldom from a journey."""
        dice = self.dice("people")
        for number in range(self.days):
            if self.works(number):
                yield from sorted(self._working_day(dice, number), key=lambda entry: entry.timestamp)

    def _working_day(self, dice: random.Random, number: int) -> Iterator[NewEntry]:
        lines = OFFICE_MOVED if number >= self.moved_on else OFFICE
        for who in (*PEOPLE, *(name for name, since in HIRED.items() if number >= since)):
            if dice.random() < 0.08:
                continue
            where, place = dice.random(), lines[len(who) % 2]
            if where < 0.1:  # at home; the provider gives another address every two months or so
                place = self.home(who, number // 60)
            elif where < 0.103:
                place = f"100.99.{dice.randrange(256)}.{dice.randrange(1, 255)}"
            at = self.local(number, dice.uniform(7.5, 9.5))
            for _ in range(dice.choice((0, 0, 0, 0, 0, 0, 1, 1, 2))):
                yield self.action(dice, who, at, place, "login", Result.DENIED)
                at += timedelta(seconds=dice.uniform(5, 20))
            yield self.action(dice, who, at, place, "login", Result.OK)
            for hour in sorted(dice.uniform(9.5, 16.5) for _ in range(dice.randrange(5))):
                yield self.action(dice, who, self.local(number, hour), place, "edit site contacts", Result.OK)
            yield self.action(dice, who, self.local(number, dice.uniform(16.5, 18)), place, "logout", Result.OK)

    def home(self, who: str, lease: int) -> str:
        """Return the address that somebody's provider gave them."""
        dice = random.Random(f"{self.seed}:{who}:{lease}")  # noqa: S311 -- as above
        return f"100.{80 + len(who)}.{dice.randrange(256)}.{dice.randrange(1, 255)}"

    def action(self, dice: random.Random, who: str, at: datetime, place: str, what: str, result: Result) -> NewEntry:  # noqa: PLR0913, PLR0917 -- as call
        """Return one action in the portal."""
        return NewEntry(
            DEALER,
            at,
            f"operator:{who}@dealer.example",
            Kind.OPERATOR_ACTION,
            what,
            result,
            f"req_{dice.getrandbits(80):020x}",
            app="dealer-portal",
            source="import",
            source_ip=place,
        )

    def hooks(self) -> Iterator[NewEntry]:
        """Deliver webhooks at any hour; some fail and are tried again, on two days for an hour."""
        dice, at, end = self.dice("hooks"), BEGIN, self.day(self.days)
        while at < end:
            down = (at - BEGIN).days in {33, 222} and at.hour == 15
            result = Result.ERROR if down or dice.random() < 0.02 else Result.OK
            yield NewEntry(
                DEALER,
                at,
                "system:webhooks",
                Kind.WEBHOOK_DELIVERY,
                "webhook alarm.created",
                result,
                f"req_{dice.getrandbits(80):020x}",
                app="watch",
                scope="events:read",
                source="import",
                source_ip=dice.choice(("198.51.100.250", "198.51.100.251")),
            )
            at += timedelta(seconds=40 if result is Result.ERROR else dice.expovariate(1 / 900) + 1)
