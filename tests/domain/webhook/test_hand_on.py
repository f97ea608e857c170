from __future__ import annotations

from datetime import UTC, datetime, timedelta

from chekt_mcp.domain.webhook.hand_on import MOST_ATTEMPTS, next_attempt

NOW = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)


def pause(attempts: int) -> timedelta | None:
    again = next_attempt(attempts, NOW)
    return None if again is None else again - NOW


def test_pauses_double_from_five_seconds_to_an_hour() -> None:
    seconds = [found.total_seconds() for n in range(1, 13) if (found := pause(n))]
    assert seconds == [5, 10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600]


def test_an_event_is_given_up_after_thirty_attempts_in_twenty_hours() -> None:
    pauses = [found for n in range(1, MOST_ATTEMPTS) if (found := pause(n))]
    assert len(pauses) == 29
    assert timedelta(hours=20) < sum(pauses, timedelta()) < timedelta(hours=21)
    assert pause(30) is None
    assert pause(10**9) is None
