"""A mapping says which names and words of another log stand for ours, and everything that is wrong with it at once."""

from __future__ import annotations

import json
from datetime import UTC
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from chekt_mcp.domain.audit import Kind, Result
from chekt_mcp.domain.import_mapping import NO_MAPPING, ImportMapping, Reading
from chekt_mcp.domain.import_mapping_text import MappingProblem, read_mapping
from chekt_mcp.domain.imported_row import Import, ImportedRow, read_rows

FAKE_KEY = "chekt_test_" + "EXAMPLE" * 5
THEIRS: dict[str, object] = {
    "time": "2026-06-30T23:59:00Z",
    "http": {"reqId": "req_1", "path": "/v1/devices"},
    "what": "GET /v1/devices",
    "outcome": "Throttled",
    "action": "a word of theirs",
    "note": "kept",
}
MAPPING = {
    "fields": {"timestamp": "time", "request_id": "http.reqId", "action": "what", "result": "outcome", "kind": "sort"},
    "constants": {"app": "night-watch"},
    "results": {"THROTTLED": "denied"},
    "kinds": {"hook": "webhook_delivery"},
}


def mapping(**members: Any) -> ImportMapping:
    found = read_mapping(json.dumps(members))
    assert isinstance(found, ImportMapping), found
    return found


def places(text: str | dict[str, Any]) -> set[str]:
    found = read_mapping(text if isinstance(text, str) else json.dumps(text))
    assert isinstance(found, tuple), found
    return {one.place for one in found}


def test_a_row_of_another_log_arrives_under_our_names_and_words() -> None:
    (found,) = read_rows([{**THEIRS, "sort": "Hook"}], Import("acme", "imp_1", mapping=mapping(**MAPPING)))
    assert isinstance(found, ImportedRow)
    entry = found.entry
    assert (entry.request_id, entry.action, entry.app) == ("req_1", "GET /v1/devices", "night-watch")
    assert (entry.result, entry.kind) == (Result.DENIED, Kind.WEBHOOK_DELIVERY)
    assert entry.details == {
        "result_given": "Throttled",
        "http": '{"reqId":"req_1","path":"/v1/devices"}',
        "their_action": "a word of theirs",
        "note": "kept",
    }


def test_a_constant_stands_whatever_the_row_says() -> None:
    applied = mapping(constants={"app": "night-watch"}).applied({"app": "other", "note": 1})
    assert applied == {"app": "night-watch", "their_app": "other", "note": 1}


def test_names_that_the_mapping_does_not_mention_are_understood_as_before() -> None:
    assert mapping(fields={"actor": "who"}).applied({"who": "maria", "Request ID": "req_1"}) == {
        "actor": "maria",
        "Request ID": "req_1",
    }


def test_the_columns_that_are_mapped_and_absent_are_named() -> None:
    chosen = mapping(fields={"actor": "who", "app": "client"})
    assert chosen.absent(["client", "time"]) == ["who"]
    assert chosen.names(["client", "time"]) == ["actor", "app", "time"]


def test_everything_wrong_is_said_at_once() -> None:
    assert places(
        {
            "field": {},
            "fields": {"reqid": "a", "timestamp": 7, "actor": "who"},
            "constants": {"timestamp": "x", "actor": "y", "source_ip": "evil", "app": FAKE_KEY, "kind": "party"},
            "results": {"OK": "ok", "ok": "error", "gone": "lost"},
            "kinds": [],
        }
    ) == {
        *("field", "fields.reqid", "fields.timestamp", "constants.timestamp", "constants.actor", "kinds"),
        *("constants.source_ip", "constants.app", "constants.kind", "results.ok", "results.gone"),
    }


def test_no_message_holds_what_was_written() -> None:
    found = read_mapping(json.dumps({"constants": {"app": FAKE_KEY}}))
    assert isinstance(found, tuple)
    assert FAKE_KEY not in "".join(one.message for one in found)


def test_a_member_that_stands_there_twice_is_a_problem() -> None:
    assert places('{"fields": {"actor": "a", "actor": "b"}}') == {"actor"}


def test_what_is_no_object_is_a_problem_as_a_whole() -> None:
    assert read_mapping("fields: {}") == (MappingProblem("", "This is not JSON."),)
    assert read_mapping("[]") == (MappingProblem("", "This is not a JSON object."),)


@given(st.recursive(st.none() | st.integers() | st.text(), lambda one: st.lists(one) | st.dictionaries(st.text(), one)))
def test_no_text_raises(value: object) -> None:
    read_mapping(json.dumps({"fields": value, "constants": {"app": value}, "results": value}))
    read_mapping(json.dumps(value)[1:])


def test_two_readings_of_one_file_are_told_apart() -> None:
    readings = [
        *(Reading(), Reading(mapping(**MAPPING)), Reading(mapping(constants={"app": "other"}))),
        Reading(zone_name="Europe/Berlin", zone=UTC),
    ]
    assert Reading().digest == ""
    assert len({one.digest for one in readings}) == len(readings)
    assert Reading(mapping()).mapping == NO_MAPPING
