"""Times are read as RFC 3339 or as a span before now, and never guessed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chekt_mcp.domain.timespan import Window, parse_moment, parse_window, rfc3339
from chekt_mcp.errors import InvalidInput

NOW = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)
OFFSETS = st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes)))
MOMENTS = st.datetimes(datetime(2, 1, 1), datetime(9998, 12, 31), timezones=OFFSETS)  # noqa: DTZ001 -- bounds are naive


def read(text: str) -> datetime:
    return parse_moment(text, NOW, field="since")


def refused(since: str, until: str | None = None) -> tuple[str, str]:
    with pytest.raises(InvalidInput) as caught:
        parse_window(since, until, NOW)
    return caught.value.code, caught.value.field


@given(MOMENTS)
def test_every_moment_survives_being_written_and_read(moment: datetime) -> None:
    written = rfc3339(moment)
    assert written.endswith("Z")
    assert abs(read(written) - moment) < timedelta(milliseconds=1)
    assert rfc3339(read(written)) == written


@given(MOMENTS)
def test_any_offset_is_read_as_the_same_instant_in_utc(moment: datetime) -> None:
    found = read(moment.isoformat())
    assert found == moment
    assert found.tzinfo is UTC


@given(st.text(max_size=40) | st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:.Zz+-]{0,20}", fullmatch=True))
def test_any_text_is_a_moment_in_utc_or_refused(text: str) -> None:
    try:
        moment = read(text)
    except InvalidInput as error:
        if (error.code, error.field) != ("bad_time", "since"):
            raise
    else:
        assert moment.tzinfo is UTC


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-05-26T09:00:00Z", datetime(2026, 5, 26, 9, tzinfo=UTC)),
        ("2026-05-26t09:00:00z", datetime(2026, 5, 26, 9, tzinfo=UTC)),
        ("2026-05-26 09:00:00+02:00", datetime(2026, 5, 26, 7, tzinfo=UTC)),
        ("2026-05-26T09:00:00-00:00", datetime(2026, 5, 26, 9, tzinfo=UTC)),
        ("2026-05-26T09:00:00.123456789Z", datetime(2026, 5, 26, 9, 0, 0, 123456, tzinfo=UTC)),
        ("2026-05-26T09:00:00.5+23:59", datetime(2026, 5, 25, 9, 1, 0, 500000, tzinfo=UTC)),
        ("0001-01-01T00:00:00Z", datetime(1, 1, 1, tzinfo=UTC)),
        ("9999-12-31T23:59:59.999999Z", datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)),
        ("2024-02-29T00:00:00Z", datetime(2024, 2, 29, tzinfo=UTC)),
        ("15m", NOW - timedelta(minutes=15)),
        ("24h", NOW - timedelta(hours=24)),
        ("90d", NOW - timedelta(days=90)),
        ("0d", NOW),
        ("007h", NOW - timedelta(hours=7)),
    ],
)
def test_what_people_write_is_read(text: str, moment: datetime) -> None:
    assert read(text) == moment


@pytest.mark.parametrize(
    "text",
    [
        "2026-05-26T09:00:00",  # no offset: whose clock?
        "2026-05-26",
        "2026-05-26T09:00Z",
        "2026-05-26T24:00:00Z",
        "2026-12-31T23:59:60Z",  # a leap second: there is none after 2016
        "2026-05-26T09:60:00Z",
        "2026-02-29T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+00:01",  # before year 1 in UTC
        "9999-12-31T23:59:59-00:01",  # after year 9999 in UTC
        "2026-05-26T09:00:00+24:00",
        "2026-05-26T09:00:00+05:60",
        "2026-05-26T09:00:00+0200",
        "2026-05-26T09:00:00.Z",
        "2026-05-26T09:00:00,5Z",
        "2026-W22-2T09:00:00Z",
        "2026-05-26T09:00:00Z\n",
        " 24h",
        "24h\n",
        "24H",
        "2w",
        "1.5h",
        "-1h",
        "٢٤h",
        "\uff12\uff14h",  # full-width digits
        "999999d",  # before year 1
        "1000000m",
        "now",
        "yesterday",
        "",
        "1771200000",
    ],
)
def test_what_is_no_time_is_refused_and_not_guessed(text: str) -> None:
    assert refused(text) == ("bad_time", "since")
    assert refused("24h", text) == ("bad_time", "until")


def test_a_refusal_says_how_to_write_it_and_not_what_was_written() -> None:
    with pytest.raises(InvalidInput) as caught:
        read("Tuesday")
    assert "Tuesday" not in str(caught.value)
    assert "2026-05-26T09:00:00Z" in caught.value.fix


def test_milliseconds_are_written_only_where_there_are_any() -> None:
    assert rfc3339(NOW) == "2026-07-01T12:00:00Z"
    assert rfc3339(NOW + timedelta(milliseconds=7)) == "2026-07-01T12:00:00.007Z"
    assert rfc3339(NOW.astimezone(timezone(timedelta(hours=-7)))) == "2026-07-01T12:00:00Z"
    assert rfc3339(datetime(1, 1, 1, tzinfo=UTC)) == "0001-01-01T00:00:00Z"


def test_a_window_without_an_end_holds_what_happened_this_instant() -> None:
    window = parse_window("24h", None, NOW)
    assert window.since == NOW - timedelta(hours=24)
    assert window.since <= NOW < window.until
    assert parse_window("0m", None, NOW).since == NOW


def test_a_window_may_span_all_of_time() -> None:
    window = parse_window("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", NOW)
    assert window == Window(datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC))


@pytest.mark.parametrize(
    ("since", "until"),
    [
        ("1h", "2h"),
        ("1h", "1h"),
        ("2026-07-01T12:00:00Z", "2026-07-01T14:00:00+02:00"),
        ("2027-01-01T00:00:00Z", None),
        ("9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z"),
    ],
)
def test_a_window_that_holds_nothing_is_refused(since: str, until: str | None) -> None:
    assert refused(since, until) == ("empty_window", "since")
