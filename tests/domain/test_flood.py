from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from chekt_mcp.domain.audit import Kind, NewEntry, Result
from chekt_mcp.domain.flood import OTHERS, RefusalMinute

NOON = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def refusal(number: int = 1, at: datetime = NOON, source_ip: str | None = "203.0.113.9", **changes: Any) -> NewEntry:
    details = {"outcome": "refused"}
    fields = {"app": None, "details": details, **changes}
    return NewEntry(
        "acme", at, "unknown", Kind.API_CALL, "call", Result.DENIED, f"req_{number}", source_ip=source_ip, **fields
    )


def test_the_first_refusal_of_a_source_is_an_entry_at_once() -> None:
    minute = RefusalMinute()
    assert minute.refused(refusal(1)) == [refusal(1)]
    assert minute.refused(refusal(2, source_ip="203.0.113.10")) == [refusal(2, source_ip="203.0.113.10")]
    assert minute.refused(refusal(3, source_ip=None)) == [refusal(3, source_ip=None)]
    assert minute.rest() == []


def test_further_ones_are_counted_and_told_once_when_the_minute_is_over() -> None:
    minute = RefusalMinute()
    for number in range(1, 5):
        minute.refused(refusal(number, NOON + number * SECOND))
    assert minute.over(NOON + 59 * SECOND) == []
    (told,) = minute.over(NOON + 60 * SECOND)
    assert (told.request_id, told.timestamp) == ("req_4", NOON + 4 * SECOND)
    assert told.details == {"outcome": "refused", "times": 3, "since": "2026-06-01T12:00:02.000+00:00"}
    assert minute.over(NOON + 60 * SECOND) == minute.rest() == []


def test_a_refusal_in_another_minute_brings_the_count_of_the_one_before() -> None:
    minute = RefusalMinute()
    minute.refused(refusal(1))
    minute.refused(refusal(2))
    told, first = minute.refused(refusal(3, NOON + 60 * SECOND))
    assert (told.details["times"], first) == (1, refusal(3, NOON + 60 * SECOND))


def test_a_clock_that_was_set_back_holds_no_count_up() -> None:
    minute = RefusalMinute()
    minute.refused(refusal(1))
    minute.refused(refusal(2))
    assert len(minute.refused(refusal(3, NOON - 3600 * SECOND))) == 2


def test_dealers_are_told_apart() -> None:
    minute = RefusalMinute()
    minute.refused(refusal(1))
    other = NewEntry("other", NOON, "unknown", Kind.API_CALL, "call", Result.DENIED, "req_2", source_ip="203.0.113.9")
    assert minute.refused(other) == [other]


def test_beyond_the_most_sources_the_others_are_counted_together_and_none_is_named() -> None:
    minute = RefusalMinute(most_sources=2)
    written = [
        entry
        for number in range(10)
        for entry in minute.refused(refusal(number, source_ip=f"192.0.2.{number}", app="shop"))
    ]
    assert [entry.source_ip for entry in written] == ["192.0.2.0", "192.0.2.1", None]
    (told,) = minute.rest()
    assert (told.source, told.source_ip, told.app, told.details["times"]) == (OTHERS, None, None, 7)


@given(st.lists(st.tuples(st.integers(-300, 300), st.integers(0, 6)), max_size=60))
def test_every_refusal_is_an_entry_or_counted_in_one(refusals: list[tuple[int, int]]) -> None:
    minute, written = RefusalMinute(most_sources=3), list[NewEntry]()
    for number, (seconds, source) in enumerate(refusals):
        written += minute.refused(refusal(number, NOON + seconds * SECOND, f"192.0.2.{source}"))
    written += minute.rest()
    times = [entry.details.get("times", 1) for entry in written]
    assert sum(int(str(one)) for one in times) == len(refusals)
