from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chekt_mcp.domain.webhook import Event, parse_event


def test_an_event_of_any_type_is_read() -> None:
    body = json.dumps({"id": "evt_1", "type": "door.ajar", "created_at": "2026-02-16T00:00:00Z", "data": {}}).encode()
    assert parse_event(body) == Event("evt_1", "door.ajar", "2026-02-16T00:00:00Z")


def test_type_and_time_may_be_missing_but_the_id_may_not() -> None:
    assert parse_event(b'{"id":"evt_1"}') == Event("evt_1", None, None)
    assert parse_event(b'{"type":"alarm.created"}') is None


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b'"evt_1"',
        b"\xff\xfe\x00",
        b'{"id":7}',
        b'{"id":""}',
        b'{"id":"' + b"x" * 257 + b'"}',
        b'{"id":"a\\u0000b"}',
        b'{"id":"\\ud800"}',
        b'{"id":"a\\u202eb"}',
        b'{"id":"evt_1"' * 2,
        b"[" * 200_000,
        b'{"id":' + b"9" * 5000 + b"}",
        '{"id":"evt_1"}'.encode("utf-16"),
    ],
)
def test_a_body_without_a_usable_id_holds_no_event(body: bytes) -> None:
    assert parse_event(body) is None


@given(st.binary(max_size=400))
def test_no_body_raises(body: bytes) -> None:
    parse_event(body)
