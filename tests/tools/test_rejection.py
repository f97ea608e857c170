"""A refusal is `code (field): sentence.`, as text only, and never repeats what was sent."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mcp_types import TextContent
from pydantic import ValidationError

from chekt_mcp.domain.exposure import MARK, contains_credential
from chekt_mcp.errors import Conflict, InvalidInput, NotFound, NotPermitted
from chekt_mcp.tools.arguments import Arguments
from chekt_mcp.tools.inputs import (
    CheckIpInput,
    RotateKeyInput,
    SearchAuditLogInput,
    UpdateAllowListInput,
    VerifyWebhookInput,
    WhoAmIInput,
)
from chekt_mcp.tools.rejection import bad_arguments, failure, rejection, sentence

KEY = "chekt_test_" + "EXAMPLE0" * 4
SENT = "what-was-sent"


def refusal(takes: type[Arguments], given: dict[Any, Any]) -> InvalidInput:
    with pytest.raises(ValidationError) as caught:
        takes.model_validate(given)
    return bad_arguments(caught.value, takes)


def words(result: Any) -> str:
    (content,) = result.content
    assert isinstance(content, TextContent)
    return content.text


@pytest.mark.parametrize(
    ("takes", "given", "code", "field"),
    [
        (CheckIpInput, {}, "missing_argument", "addresses"),
        (CheckIpInput, {"addresses": SENT}, "wrong_type", "addresses"),
        (CheckIpInput, {"addresses": []}, "too_short", "addresses"),
        (CheckIpInput, {"addresses": [SENT] * 1001}, "too_long", "addresses"),
        (CheckIpInput, {"addresses": ["192.0.2.1", SENT * 10]}, "too_long", "addresses.1"),
        (CheckIpInput, {"addresses": [None]}, "wrong_type", "addresses.0"),
        (CheckIpInput, {"addresses": ["192.0.2.1"], "app": "\ud800"}, "bad_text", "app"),
        (RotateKeyInput, {"reason": SENT}, "bad_value", "reason"),
        (RotateKeyInput, {"reason": "other", "force": SENT}, "wrong_type", "force"),
        (RotateKeyInput, {"reason": "other", "confirmed": True}, "unknown_argument", "confirmed"),
        (UpdateAllowListInput, {"reason": "", "disable": True}, "too_short", "reason"),
        (UpdateAllowListInput, {"reason": "x", "expected_version": -1}, "out_of_range", "expected_version"),
        (UpdateAllowListInput, {"reason": "x", "expected_version": "7"}, "wrong_type", "expected_version"),
        (SearchAuditLogInput, {"limit": 201}, "out_of_range", "limit"),
        (SearchAuditLogInput, {"limit": 1.5}, "wrong_type", "limit"),
        (VerifyWebhookInput, {"headers": [SENT]}, "wrong_type", "headers"),
        (VerifyWebhookInput, {"headers": {"x-a": 1}}, "wrong_type", "headers.x-a"),
        (VerifyWebhookInput, {"headers": {"a" * 201: "x"}}, "too_long", f"headers.{'a' * 51}…"),
    ],
)
def test_every_mistake_has_a_code_and_its_field(
    takes: type[Arguments], given: dict[str, Any], code: str, field: str
) -> None:
    error = refusal(takes, given)
    assert (error.code, error.field) == (code, field)
    assert sentence(error).startswith(f"{code} ({field}): ")
    assert SENT not in sentence(error)


def test_all_mistakes_are_told_at_once_and_many_are_counted() -> None:
    two = sentence(refusal(RotateKeyInput, {"reason": "because", "force": 1}))
    assert two.splitlines() == [
        "bad_value (reason): One of 'scheduled', 'team_change', 'suspected_compromise' or 'other' is expected.",
        "wrong_type (force): true or false is expected.",
    ]
    many = sentence(refusal(RotateKeyInput, {"reason": "other", **{f"extra{n}": 1 for n in range(9)}}))
    assert many.splitlines()[5] == "and 4 more."
    assert len(many.splitlines()) == 7


def test_who_sends_an_unknown_argument_is_told_the_known_ones() -> None:
    assert sentence(refusal(CheckIpInput, {"Addresses": ["192.0.2.1"]})).splitlines() == [
        "missing_argument (addresses): It is required.",
        "unknown_argument (Addresses): There is no such argument, and nothing was done.",
        "It takes: addresses, app.",
    ]
    assert sentence(refusal(WhoAmIInput, {"app": "x"})).endswith("\nIt takes: nothing.")


@given(st.text(st.characters(), min_size=1).filter(lambda name: name not in RotateKeyInput.model_fields))
def test_a_strange_name_can_neither_break_the_line_nor_hide(name: str) -> None:
    error = refusal(RotateKeyInput, {"reason": "other", name: 1})
    first, known = sentence(error).split("\n")
    assert first.isprintable()
    assert known.startswith("It takes: app, kind, reason")
    assert len(error.field) <= 60


def test_a_name_that_holds_a_credential_is_not_repeated() -> None:
    error = refusal(RotateKeyInput, {"reason": "other", KEY: 1})
    assert (error.code, error.field) == ("unknown_argument", "unreadable name")
    assert refusal(VerifyWebhookInput, {"headers": {KEY: 1}}).field == "unreadable name"


@given(
    st.sampled_from([CheckIpInput, RotateKeyInput, SearchAuditLogInput, UpdateAllowListInput, VerifyWebhookInput]),
    st.dictionaries(st.text(), st.none() | st.booleans() | st.integers() | st.just(SENT) | st.lists(st.just(SENT))),
)
def test_any_arguments_are_taken_or_refused_without_being_repeated(
    takes: type[Arguments], given: dict[str, Any]
) -> None:
    try:
        takes.model_validate(given)
    except ValidationError as error:
        text = sentence(bad_arguments(error, takes))
        assert SENT not in text
        assert "pydantic" not in text
        assert "input_value" not in text


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (InvalidInput("No.", field="app"), "invalid_input (app): No."),
        (InvalidInput("No."), "invalid_input: No."),
        (NotFound("No.", field="app", code="unknown_app", fix="Do."), "unknown_app (app): No. Do."),
        (NotPermitted("No.", missing_scope="keys:write", fix="Ask."), "permission_denied: No. Ask."),
        (Conflict("No.", code="idempotency_conflict"), "idempotency_conflict: No."),
    ],
)
def test_our_errors_read_alike_and_are_text_only(error: Any, text: str) -> None:
    result = rejection(error)
    assert words(result) == text
    assert result.is_error
    assert result.structured_content is None


def test_a_credential_in_an_error_is_the_last_thing_to_leave() -> None:
    text = words(rejection(InvalidInput(f"Cannot use {KEY} here.", field="app")))
    assert text == f"invalid_input (app): Cannot use {MARK} here."
    assert not contains_credential(words(failure(KEY.encode().hex())))
