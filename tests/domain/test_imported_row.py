"""A foreign row becomes an entry or a reason, never an exception, and never a credential in the log."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chekt_mcp.domain.audit import Kind, NewEntry, Result
from chekt_mcp.domain.exposure import MARK, contains_credential
from chekt_mcp.domain.imported_fields import FIELDS, LIMITS, missing_fields
from chekt_mcp.domain.imported_row import (
    DETAIL_LIMIT,
    DETAIL_NAME_LIMIT,
    DETAILS_LIMIT,
    Import,
    ImportedRow,
    Rejection,
    read_rows,
)
from chekt_mcp.domain.imported_value import RowCode, Times

TARGET = Import("acme", "imp_1")
FAKE_KEY = "chekt_test_" + "EXAMPLE" * 5
ROW: dict[str, object] = {
    "timestamp": "2026-06-30T23:59:00.000Z",
    "app": "front-desk",
    "actor": "app:front-desk",
    "kind": "api_call",
    "action": "GET /v1/devices",
    "scope": "devices:read",
    "result": "ok",
    "request_id": "req_1",
    "source_ip": "198.51.100.20",
    "key_id": "key_1",
    "user_agent": "front-desk/4.3.0",
}


def read_row(row: Mapping[str, object], target: Import) -> ImportedRow | Rejection:
    (found,) = read_rows([row], target)
    return found


def taken(**changes: object) -> ImportedRow:
    found = read_row({**ROW, **changes}, TARGET)
    assert isinstance(found, ImportedRow), found
    return found


def entry(**changes: object) -> NewEntry:
    return taken(**changes).entry


def refused(**changes: object) -> tuple[str, str]:
    found = read_row({**ROW, **changes}, TARGET)
    assert isinstance(found, Rejection), found
    return found.code.value, found.field


def test_every_field_of_the_platform_arrives_in_its_place() -> None:
    assert entry() == NewEntry(
        dealer="acme",
        timestamp=datetime(2026, 6, 30, 23, 59, tzinfo=UTC),
        actor="app:front-desk",
        kind=Kind.API_CALL,
        action="GET /v1/devices",
        result=Result.OK,
        request_id="req_1",
        app="front-desk",
        scope="devices:read",
        source="import",
        source_ip="198.51.100.20",
        key_id="key_1",
        origin="imp_1",
        details={"user_agent": "front-desk/4.3.0"},
    )


def test_the_platforms_words_for_fields_are_understood_in_any_case() -> None:
    page = {
        "Timestamp": "2026-06-30T23:59:00Z",
        "Actor Identifier": "app:a",
        "App name": "a",
        "Scope-Used": "sites:read",
        "Request ID": "req_2",
        "Source IP": "2001:db8::1",
        "RESULT": "Success",
        "action": "login",
    }
    found = read_row(page, TARGET)
    assert isinstance(found, ImportedRow)
    assert (found.entry.actor, found.entry.app, found.entry.scope) == ("app:a", "a", "sites:read")
    assert (found.entry.request_id, found.entry.source_ip) == ("req_2", "2001:db8::1")
    assert not missing_fields(page)


def test_columns_without_a_required_field_are_named() -> None:
    assert missing_fields(["Timestamp", "action", "note"]) == ["result", "request_id"]


@pytest.mark.parametrize("empty", ["", "  ", None])
def test_empty_and_null_are_absent(empty: str | None) -> None:
    found = entry(app=empty, scope=empty, source_ip=empty, key_id=empty, kind=empty, user_agent=empty, actor=empty)
    assert (found.app, found.scope, found.source_ip, found.key_id) == (None, None, None, None)
    assert (found.kind, found.actor, found.details) == (Kind.API_CALL, "unknown", {})


@pytest.mark.parametrize("field", ["timestamp", "action", "request_id", "result"])
@pytest.mark.parametrize("empty", ["", " ", None])
def test_a_row_without_a_needed_field_is_refused_by_its_name(field: str, empty: str | None) -> None:
    assert refused(**{field: empty}) == ("missing_field", field)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2026-06-30T23:59:00Z", datetime(2026, 6, 30, 23, 59, tzinfo=UTC)),
        ("2026-06-30t23:59:00.5z", datetime(2026, 6, 30, 23, 59, 0, 500_000, UTC)),
        ("2026-06-30 23:59:00+09:00", datetime(2026, 6, 30, 14, 59, tzinfo=UTC)),
        ("2026-06-30T23:59:00.123456789-01:30", datetime(2026, 7, 1, 1, 29, 0, 123_456, UTC)),
        ("1782863940", datetime(2026, 6, 30, 23, 59, tzinfo=UTC)),
        (1782863940, datetime(2026, 6, 30, 23, 59, tzinfo=UTC)),
        ("1782863940.25", datetime(2026, 6, 30, 23, 59, 0, 250_000, UTC)),
        (1782863940.25, datetime(2026, 6, 30, 23, 59, 0, 250_000, UTC)),
        (1782863940001, datetime(2026, 6, 30, 23, 59, 0, 1000, UTC)),
        ("1782863940001.5", datetime(2026, 6, 30, 23, 59, 0, 1500, UTC)),
        (0, datetime(1970, 1, 1, tzinfo=UTC)),
        ("9999-12-31T23:59:59.999999Z", datetime(9999, 12, 31, 23, 59, 59, 999_999, UTC)),
        ("253402300799999", datetime(9999, 12, 31, 23, 59, 59, 999_000, UTC)),
    ],
)
def test_times_with_an_offset_and_unix_times_are_read_exactly(written: object, read: datetime) -> None:
    found = entry(timestamp=written).timestamp
    assert (found, found.utcoffset()) == (read, timedelta(0))


@pytest.mark.parametrize(
    "written",
    ["2026-06-30T23:59:00", "2026-06-30 23:59:00.123", "2026-06-30T23:59", "2026-06-30", "2026-06-30 23:59:00,5"],
)
def test_a_time_without_an_offset_is_refused_and_not_guessed(written: str) -> None:
    assert refused(timestamp=written) == ("naive_time", "timestamp")


@pytest.mark.parametrize(
    "written",
    [
        *("yesterday", "15m", "2026-02-30T00:00:00Z", "2026-06-30T23:59:60Z", "2026-06-30T23:59:00+99:00"),
        *("0001-01-01T00:00:00Z", "1969-12-31T23:59:59Z", "-1", -1, "9999-12-31T23:59:59-01:00", "1e9"),
        *("999999999999999", float("inf"), float("nan"), 1e300, "\u0661\u0662\u0663", "30/Jun/2026:23:59:00 +0000"),
    ],
)
def test_what_is_no_time_or_lies_outside_1970_to_9999_is_refused(written: object) -> None:
    assert refused(timestamp=written) == ("bad_time", "timestamp")


BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2026-06-30T23:59:00", "2026-06-30T21:59:00+00:00"),
        ("2026-01-30 23:59", "2026-01-30T22:59:00+00:00"),
        ("2026-06-30t23:59:00,250", "2026-06-30T21:59:00.250000+00:00"),
        ("2026-06-30T23:59:00Z", "2026-06-30T23:59:00+00:00"),
    ],
)
def test_a_time_without_an_offset_is_read_in_the_zone_that_was_named(written: str, read: str) -> None:
    found = read_row({**ROW, "timestamp": written}, Import("acme", "imp_1", Times(zone=BERLIN)))
    assert isinstance(found, ImportedRow)
    assert found.entry.timestamp.isoformat() == read


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("2026-10-25T02:30:00", RowCode.AMBIGUOUS_TIME),
        ("2026-03-29T02:30:00", RowCode.AMBIGUOUS_TIME),
        ("2026-06-30", RowCode.BAD_TIME),
        ("0001-01-01T00:00:00", RowCode.BAD_TIME),
    ],
)
def test_a_time_that_the_zone_has_twice_or_never_is_refused(written: str, code: RowCode) -> None:
    found = read_row({**ROW, "timestamp": written}, Import("acme", "imp_1", Times(zone=BERLIN)))
    assert found == Rejection(code, "timestamp")


def test_a_row_older_than_what_is_kept_is_refused_for_its_own_reason() -> None:
    moment = datetime(2026, 6, 30, 23, 59, tzinfo=UTC)
    assert isinstance(read_row(ROW, Import("acme", "imp_1", Times(oldest=moment))), ImportedRow)
    found = read_row(ROW, Import("acme", "imp_1", Times(oldest=moment + timedelta(microseconds=1))))
    assert found == Rejection(RowCode.PAST_RETENTION, "timestamp")


def test_a_shift_is_added_to_the_time() -> None:
    found = read_row(ROW, Import("acme", "imp_1", Times(timedelta(days=2, seconds=1))))
    assert isinstance(found, ImportedRow)
    assert found.entry.timestamp == datetime(2026, 7, 2, 23, 59, 1, tzinfo=UTC)


def test_a_shift_beyond_the_calendar_is_a_bad_time() -> None:
    found = read_row(ROW, Import("acme", "imp_1", Times(timedelta(days=3_000_000))))
    assert found == Rejection(RowCode.BAD_TIME, "timestamp")


def test_a_time_later_than_the_import_allows_is_refused_for_its_own_reason() -> None:
    moment = datetime(2026, 6, 30, 23, 59, tzinfo=UTC)
    assert isinstance(read_row(ROW, Import("acme", "imp_1", Times(latest=moment))), ImportedRow)
    found = read_row(ROW, Import("acme", "imp_1", Times(timedelta(seconds=1), moment)))
    assert found == Rejection(RowCode.FUTURE_TIME, "timestamp")


@pytest.mark.parametrize(
    ("written", "read"),
    [
        *(("ok", Result.OK), ("OK", Result.OK), ("Success", Result.OK), ("allowed", Result.OK)),
        *((200, Result.OK), ("204", Result.OK), ("302", Result.OK)),
        *(("denied", Result.DENIED), ("Forbidden", Result.DENIED), ("401", Result.DENIED), (403, Result.DENIED)),
        *(("error", Result.ERROR), ("failed", Result.ERROR), ("404", Result.ERROR), (429, Result.ERROR)),
        *((500, Result.ERROR), ("599", Result.ERROR)),
    ],
)
def test_results_are_understood_as_words_and_as_http_statuses(written: object, read: Result) -> None:
    assert entry(result=written).result is read


def test_a_result_that_was_translated_is_kept_as_it_was_written() -> None:
    assert entry(result=429).details["result_given"] == "429"
    assert "result_given" not in entry(result="OK").details


@pytest.mark.parametrize("written", ["maybe", "100", "600", "2000", "null", 20.5])
def test_an_unknown_result_is_refused(written: object) -> None:
    assert refused(result=written) == ("bad_result", "result")


def test_kinds_are_understood_as_words_and_unknown_ones_refused() -> None:
    assert entry(kind="Webhook delivery").kind is Kind.WEBHOOK_DELIVERY
    assert entry(kind="operator_action").kind is Kind.OPERATOR_ACTION
    assert refused(kind="rumour") == ("bad_kind", "kind")


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        (" 203.0.113.7 ", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("::FFFF:cb00:7107", "203.0.113.7"),
        ("2001:0DB8:0:0::1", "2001:db8::1"),
    ],
)
def test_source_addresses_are_stored_in_one_spelling(written: str, stored: str) -> None:
    assert entry(source_ip=written).source_ip == stored


@pytest.mark.parametrize(
    "written", ["203.0.113.7:443", "203.0.113.0/24", "010.0.0.1", "host", "null", "fe80::1%eth0", 7]
)
def test_what_is_no_address_is_refused(written: object) -> None:
    assert refused(source_ip=written) == ("bad_address", "source_ip")


@pytest.mark.parametrize("value", [True, [], {"a": 1}, 10**400])
def test_a_known_field_takes_text_and_numbers_only(value: object) -> None:
    assert refused(request_id=value) == ("not_text", "request_id")


def test_a_number_too_long_to_be_written_is_refused() -> None:
    assert refused(request_id=10**5000) == ("not_text", "request_id")
    assert refused(note=10**5000) == ("not_text", "details")
    assert refused(note=[10**5000]) == ("not_text", "details")


def test_nesting_too_deep_to_be_written_is_refused() -> None:
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    assert refused(note=deep) == ("not_text", "details")


def test_a_number_may_stand_for_text() -> None:
    assert entry(request_id=12345).request_id == "12345"


def test_a_nul_character_is_refused_wherever_it_is() -> None:
    assert refused(action="GET /\0") == ("nul_character", "action")
    assert refused(user_agent="a\0b") == ("nul_character", "user_agent")
    assert refused(note="a\0b") == ("nul_character", "details")
    assert refused(**{"a\0b": "note"}) == ("nul_character", "details")


def test_lone_surrogates_are_written_out() -> None:
    assert entry(actor="app:\ud800").actor == "app:\\ud800"


@pytest.mark.parametrize("field", sorted(LIMITS))
def test_long_text_is_cut_to_its_limit_and_two_long_texts_stay_two(field: str) -> None:
    one, other = (getattr(entry(**{field: "x" * 5000 + end}), field) for end in "ab")
    assert len(one) == len(other) == LIMITS[field]
    assert one != other
    assert one == getattr(entry(**{field: "x" * 5000 + "a"}), field)


def test_text_at_its_limit_is_kept_whole() -> None:
    assert entry(action="x" * LIMITS["action"]).action == "x" * LIMITS["action"]


def test_unknown_fields_become_details_of_their_own_type() -> None:
    found = entry(
        status=200, cached=True, took=1.5, empty="", nothing=None, body={"a": [1]}, big=2**60, odd=float("nan")
    )
    assert found.details == {
        "user_agent": "front-desk/4.3.0",
        "status": 200,
        "cached": True,
        "took": 1.5,
        "body": '{"a":[1]}',
        "big": str(2**60),
        "odd": "nan",
    }


def test_details_of_a_log_of_our_own_are_opened() -> None:
    assert entry(details={"tool": "check_ip", "nested": {"a": 1}}).details == {
        "user_agent": "front-desk/4.3.0",
        "tool": "check_ip",
        "nested": '{"a":1}',
    }


def test_details_are_bounded_and_what_was_dropped_is_counted() -> None:
    found = entry(**{f"field_{number}" + "n" * 100: "v" * 5000 for number in range(100)})
    assert found.details["fields_dropped"] == 100 - (DETAILS_LIMIT - 1)
    assert len(found.details) == DETAILS_LIMIT + 1
    assert found.details["user_agent"] == "front-desk/4.3.0"
    assert max(map(len, found.details)) == DETAIL_NAME_LIMIT
    assert {len(str(value)) for value in found.details.values()} == {DETAIL_LIMIT, 2, 16}


def test_a_second_name_for_a_field_becomes_a_detail() -> None:
    found = read_row({"app_name": "one", **ROW, "app": "two"}, TARGET)
    assert isinstance(found, ImportedRow)
    assert found.entry.app == "one"
    assert found.entry.details["app"] == "two"


@pytest.mark.parametrize(
    "written",
    [
        FAKE_KEY,
        f"curl -H 'Authorization: Bearer {FAKE_KEY}'",
        FAKE_KEY.replace("_", "%5F"),
        base64.b64encode(f"user:{FAKE_KEY}".encode()).decode(),
    ],
)
@pytest.mark.parametrize("field", ["user_agent", "actor", "action", "key_id", "request_id", "note"])
def test_a_credential_is_never_stored_and_is_counted(field: str, written: str) -> None:
    found = taken(**{field: written})
    assert found.redacted == 1
    assert not contains_credential(json.dumps(shown(found.entry)))
    assert MARK in json.dumps(shown(found.entry))


def test_credentials_in_names_and_nested_values_are_found_too() -> None:
    found = taken(**{FAKE_KEY: 1, "headers": {"authorization": [FAKE_KEY]}})
    assert found.redacted == 2
    assert FAKE_KEY not in json.dumps(shown(found.entry))


def test_a_refusal_names_the_field_and_never_the_value() -> None:
    found = read_row({**ROW, "source_ip": "evil \x1b[2J", "surprise": "x"}, TARGET)
    assert found == Rejection(RowCode.BAD_ADDRESS, "source_ip")


def shown(found: NewEntry) -> dict[str, Any]:
    texts = {name: getattr(found, name) for name in ("actor", "action", "request_id", "app", "scope", "key_id")}
    return {**texts, "details": dict(found.details)}


def texts_of(found: NewEntry) -> list[str]:
    held = [*shown(found).values(), *found.details, *found.details.values()]
    return [value for value in held if isinstance(value, str)]


hostile_text = st.one_of(
    st.text(st.characters(), max_size=80),
    st.sampled_from(["null", "\0", "\ud800", FAKE_KEY, "=1+1", "9" * 400, "\u202e", "2026-06-30T23:59:00Z", "ok"]),
)
hostile_value: st.SearchStrategy[object] = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), hostile_text, st.just(10**400)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(hostile_text, inner, max_size=3)),
    max_leaves=8,
)
hostile_row = st.dictionaries(
    st.one_of(st.sampled_from([*FIELDS, "details"]), hostile_text), hostile_value, max_size=40
)
moments = st.datetimes(min_value=datetime(1970, 1, 2), max_value=datetime(9999, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001 -- hypothesis wants naive bounds


@given(hostile_row, st.booleans())
def test_no_row_raises_and_what_is_taken_can_be_stored(row: dict[str, object], complete: bool) -> None:  # noqa: FBT001 -- hypothesis draws it
    found = read_row({**row, **ROW} if complete else row, TARGET)
    if isinstance(found, Rejection):
        assert found.field in {*FIELDS.values(), "details"}
        return
    stored = json.dumps(shown(found.entry), allow_nan=False, ensure_ascii=False)
    assert not any("\0" in text for text in texts_of(found.entry))
    assert len(stored.encode()) < 200_000
    assert not contains_credential(stored)
    assert len(found.entry.details) <= DETAILS_LIMIT + 1
    assert all(len(getattr(found.entry, name) or "") <= limit for name, limit in LIMITS.items())


@given(moments, st.integers(-23 * 60, 23 * 60))
def test_a_moment_survives_any_way_of_writing_it(moment: datetime, minutes: int) -> None:
    elsewhere = moment.astimezone(timezone(timedelta(minutes=minutes)))
    assert entry(timestamp=elsewhere.isoformat()).timestamp == moment


@given(hostile_row)
def test_the_same_row_is_always_the_same_entry(row: dict[str, object]) -> None:
    assert repr(read_row({**ROW, **row}, TARGET)) == repr(read_row({**ROW, **row}, TARGET))
