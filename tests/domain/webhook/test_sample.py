"""Made-up events: in the shape of real ones, and written so that the commonest mistake of receivers shows."""

from __future__ import annotations

import json

import pytest

from chekt_mcp.domain.webhook import MAX_BODY_BYTES, SigningSecret, diagnose, parse_event, sign
from chekt_mcp.domain.webhook.sample import SAMPLES, given_data, sample_body, sample_data
from chekt_mcp.errors import InvalidInput
from world import Randomness

AT = "2026-07-01T12:00:00Z"
SECRET = "chekt_whsec_test_EXAMPLE0000000000000000000000000"  # noqa: S105 -- a made-up one
KEY = "chekt_test_" + "EXAMPLE" * 5


def body_of(event_type: str) -> bytes:
    return sample_body(event_type, "evt_1", AT, sample_data(event_type, Randomness()))


@pytest.mark.parametrize("event_type", SAMPLES)
def test_every_sample_has_the_shape_of_a_real_event(event_type: str) -> None:
    document = json.loads(body_of(event_type))
    assert list(document) == ["id", "type", "created_at", "data"]
    assert {"site", "device", f"{event_type.partition('.')[0]}_id"} < set(document["data"])
    event = parse_event(body_of(event_type))
    assert event is not None
    assert (event.id, event.type, event.created_at) == ("evt_1", event_type, AT)


def test_two_samples_of_a_type_are_about_different_things() -> None:
    random = Randomness()
    first, second = sample_data("alarm.created", random), sample_data("alarm.created", random)
    assert first["alarm_id"] != second["alarm_id"]


@pytest.mark.parametrize("options", [{}, {"separators": (",", ":")}, {"separators": (",", ":"), "ensure_ascii": False}])
def test_a_receiver_that_writes_the_body_anew_is_found_out(options: dict[str, object]) -> None:
    body = body_of("alarm.created")
    rewritten = json.dumps(json.loads(body), **options).encode()  # type: ignore[arg-type]  # as given
    assert rewritten != body
    headers = {"X-CHeKT-Signature": sign(SECRET, 1, body), "X-CHeKT-Timestamp": "1"}
    why = diagnose(headers, rewritten, [SigningSecret(SECRET, "current")], now=1)
    assert why is not None
    assert why.proven


@pytest.mark.parametrize("event_type", ["alarm.unheard_of", "", "Alarm.created", "alarm.created\n", "a" * 500])
def test_a_type_without_a_sample_is_refused_and_the_samples_named(event_type: str) -> None:
    with pytest.raises(InvalidInput, match=r"alarm\.created, alarm\.acknowledged") as refused:
        sample_data(event_type, Randomness())
    assert refused.value.code == "unknown_event"


def test_with_data_of_ones_own_any_type_goes() -> None:
    assert given_data("site.armed_by_schedule", '{"zones": [1, 2]}') == {"zones": [1, 2]}


@pytest.mark.parametrize("event_type", ["", "alarm", "Alarm.created", "alarm.created\n", "alarm..x", "a." + "b" * 40])
def test_what_cannot_be_a_type_is_refused_with_data_too(event_type: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        given_data(event_type, "{}")
    assert refused.value.code == "unknown_event"


@pytest.mark.parametrize("text", ["", "[]", "null", '"x"', "{", "[" * 100_000, '{"a": ' + "1" * 5000 + "}"])
def test_data_that_is_no_json_object_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        given_data("alarm.created", text)
    assert refused.value.code == "bad_data"


@pytest.mark.parametrize("text", ['{"a": "\\ud800"}', '{"a": NaN}', '{"a": 1e999}'])
def test_data_that_no_receiver_could_read_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        sample_body("alarm.created", "evt_1", AT, given_data("alarm.created", text))
    assert refused.value.code == "bad_data"


def test_an_event_of_more_than_a_mebibyte_is_refused() -> None:
    with pytest.raises(InvalidInput) as refused:
        sample_body("alarm.created", "evt_1", AT, {"a": "x" * MAX_BODY_BYTES})
    assert refused.value.code == "bad_data"


def test_data_with_a_key_in_it_is_refused_without_an_echo() -> None:
    with pytest.raises(InvalidInput) as refused:
        given_data("alarm.created", json.dumps({"note": KEY}))
    assert refused.value.code == "credential_exposed"
    assert "EXAMPLE" not in str(refused.value)
