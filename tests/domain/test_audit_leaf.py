from __future__ import annotations

import json
import math
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from chekt_mcp.domain.audit import Entry, Kind, Result
from chekt_mcp.domain.audit_leaf import canonical_entry, leaf_hash, numbered_leaf, storable
from chekt_mcp.domain.canonical_json import DEPTH, EXACT, NOT_KEPT, details_from, details_text, number_text

SALT = bytes(range(16))
ENTRY = Entry(
    dealer="acme",
    timestamp=datetime(2026, 11, 21, 8, 30, tzinfo=UTC),
    actor="api_key:CHK_1",
    kind=Kind.API_CALL,
    action="devices.list",
    result=Result.OK,
    request_id="req_1",
    seq=7,
)
UNICODE = st.text(st.characters(exclude_categories=["Cs"]))
ANY_TEXT = st.one_of(
    UNICODE, st.text(), st.sampled_from(["\0", "\udc80", "\ud83d\ude00", "\U0001f600\ue000", '"\\\x1f\x7f'])
)
KEYS = st.one_of(UNICODE, st.sampled_from(["\U0001f600", "\ue000", "\uffff", "a", "é"]))
EXACT_VALUES = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(-EXACT, EXACT), st.floats(allow_nan=False, allow_infinity=False), UNICODE
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(KEYS, inner, max_size=4)),
    max_leaves=12,
)
ODD_VALUES = st.recursive(
    st.one_of(
        EXACT_VALUES, st.integers(), st.floats(), ANY_TEXT, st.datetimes(), st.sampled_from([Kind.API_CALL, b"x"])
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.tuples(inner),
        st.dictionaries(st.one_of(ANY_TEXT, st.integers(), st.booleans(), st.none()), inner, max_size=4),
    ),
    max_leaves=8,
)
DETAILS = st.dictionaries(KEYS, EXACT_VALUES, max_size=6)
OPTIONAL = st.one_of(st.none(), ANY_TEXT)
ENTRIES = st.builds(
    Entry,
    dealer=ANY_TEXT,
    timestamp=st.datetimes(
        timezones=st.sampled_from([UTC, timezone(timedelta(hours=-7))]),
        min_value=datetime(1970, 1, 2),  # noqa: DTZ001 -- hypothesis adds the zone
    ),
    actor=ANY_TEXT,
    kind=st.sampled_from(Kind),
    action=ANY_TEXT,
    result=st.sampled_from(Result),
    request_id=ANY_TEXT,
    app=OPTIONAL,
    scope=OPTIONAL,
    source=OPTIONAL,
    source_ip=OPTIONAL,
    key_id=OPTIONAL,
    origin=OPTIONAL,
    details=DETAILS,
    seq=st.integers(1, 2**40),
)


def as_object(entry: Entry) -> dict[str, Any]:
    """The entry as the format page describes it, without any of the code under test but `storable`."""
    logged = {field.name for field in fields(entry)} - {"odd"}  # what reading it came to is no part of it
    values = {name: getattr(entry, name) for name in logged}
    moment = entry.timestamp.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ").rjust(27, "0")
    kept = {
        name: storable(str(value)) if isinstance(value, str) else value
        for name, value in values.items()
        if value is not None and value != {}
    }
    return {**kept, "timestamp": moment, "salt": SALT.hex()}


@given(ENTRIES)
def test_an_entry_is_written_as_rfc8785_does(entry: Entry) -> None:
    assert canonical_entry(entry, SALT) == rfc8785.dumps(as_object(entry))


@given(st.dictionaries(KEYS, EXACT_VALUES))
def test_details_are_written_as_rfc8785_does(details: dict[str, Any]) -> None:
    assert details_text(details).encode() == rfc8785.dumps(details)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_are_written_as_rfc8785_does(number: float) -> None:
    assert number_text(number).encode() == rfc8785.dumps(number)


@given(st.dictionaries(st.one_of(ANY_TEXT, st.integers(), st.none()), ODD_VALUES, max_size=5))
def test_whatever_details_hold_reads_back_to_the_same_bytes(details: dict[Any, Any]) -> None:
    text = details_text(details)
    assert rfc8785.dumps(json.loads(text, parse_int=float)) == text.encode()
    assert details_text(details_from(text)) == text


def test_numbers_that_json_cannot_keep_become_text() -> None:
    details = {"large": 2**53, "small": -(2**80), "nan": math.nan, "infinite": [math.inf, -math.inf]}
    assert json.loads(details_text(details)) == {
        "large": "9007199254740992",
        "small": "-1208925819614629174706176",
        "nan": "NaN",
        "infinite": ["Infinity", "-Infinity"],
    }
    assert details_text({"digits": 10**5000}) == NOT_KEPT


def test_a_lone_surrogate_is_seen_and_cannot_take_another_texts_place() -> None:
    assert details_text({"a": "\udc80", "\ud800": 1}) == '{"\\\\ud800":1,"a":"\\\\udc80"}'
    assert b'"actor":"\\\\udc80"' in canonical_entry(replace(ENTRY, actor="\udc80"), SALT)
    assert b'"actor":"\\\\x00"' in canonical_entry(replace(ENTRY, actor="\0"), SALT)
    assert b'"details":{"a":"\\u0000"}' in canonical_entry(replace(ENTRY, actor="\0", details={"a": "\0"}), SALT)


def test_details_that_cannot_be_written_leave_a_note() -> None:
    deep: dict[str, Any] = {}
    for _ in range(DEPTH):
        deep = {"a": deep}
    circle: dict[str, Any] = {}
    circle["a"] = circle
    assert details_text(deep) == details_text(circle) == NOT_KEPT
    assert details_text(deep["a"]) != NOT_KEPT


def test_the_leaf_is_the_hash_of_the_canonical_entry() -> None:
    written = (
        b'{"action":"devices.list","actor":"api_key:CHK_1","dealer":"acme","kind":"api_call","request_id":"req_1",'
        b'"result":"ok","salt":"000102030405060708090a0b0c0d0e0f","seq":7,"timestamp":"2026-11-21T08:30:00.000000Z"}'
    )
    assert canonical_entry(ENTRY, SALT) == written
    assert leaf_hash(ENTRY, SALT) == sha256(b"\0" + written).digest() == numbered_leaf(ENTRY, 7, SALT, "{}")


def test_a_moment_without_a_time_zone_is_not_guessed() -> None:
    with pytest.raises(TypeError, match="time zone"):
        canonical_entry(replace(ENTRY, timestamp=datetime(2026, 1, 1)), SALT)  # noqa: DTZ001 -- the point of the test


def test_the_format_page_is_about_this_program() -> None:
    page = (Path(__file__).parents[2] / "docs" / "audit-log-format.md").read_text("utf-8")
    lines = page.partition("```jsonl\n")[2].partition("```")[0].splitlines()
    for line in lines:
        written = json.loads(line)
        salt, moment = bytes.fromhex(written.pop("salt")), datetime.fromisoformat(written.pop("timestamp"))
        kind, result = Kind(written.pop("kind")), Result(written.pop("result"))
        assert canonical_entry(Entry(timestamp=moment, kind=kind, result=result, **written), salt) == line.encode()
    assert len(lines) == 5
