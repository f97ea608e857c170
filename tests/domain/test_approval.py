"""An approval stands for one request, on one state, by one caller, until it expires; and a look-alike is no answer."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from chekt_mcp.domain.app import ConfirmBy
from chekt_mcp.domain.approval import (
    Approval,
    ApprovalState,
    Challenge,
    Intent,
    Refusal,
    answers_match,
    mismatch,
    request_digest,
    state_digest,
    undecidable,
)

NOW = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)
TTL = timedelta(minutes=10)
INTENT = Intent(
    dealer="acme",
    app="front-desk",
    tool="rotate_key",
    requester="app:front-desk",
    confirm=ConfirmBy.OUT_OF_BAND,
    arguments={"app": "front-desk", "kind": "api_key", "reason": "scheduled", "force": False},
    state={"current": "key_a", "previous": None},
    words="Rotate the API key of app front-desk.",
    challenges=(Challenge("app", "Type the app's name", "front-desk"),),
)
BOTH = (*INTENT.challenges, Challenge("override", "Type: rotate again", "rotate again"))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def approval(**change: object) -> Approval:
    stored = Approval(
        approval_id="apr_example",
        dealer=INTENT.dealer,
        app=INTENT.app,
        tool=INTENT.tool,
        requester=INTENT.requester,
        confirm=INTENT.confirm,
        digest=INTENT.digest,
        state_digest=INTENT.state_digest,
        words=INTENT.words,
        challenges=INTENT.challenges,
        created_at=NOW,
        expires_at=NOW + TTL,
    )
    return replace(stored, **change)  # type: ignore[arg-type]  # each test names fields of its own


LOOK_ALIKES = {
    "a Cyrillic o": "fr\N{CYRILLIC SMALL LETTER O}nt-desk",
    "a full-width letter": "\N{FULLWIDTH LATIN SMALL LETTER F}ront-desk",
    "a mathematical letter": "\N{MATHEMATICAL SANS-SERIF SMALL F}ront-desk",
    "another hyphen": "front\N{HYPHEN}desk",
    "a minus sign": "front\N{MINUS SIGN}desk",
    "upper case": "FRONT-DESK",
    "title case": "Front-desk",
    "a trailing space": "front-desk ",
    "a leading space": " front-desk",
    "a line break": "front-desk\n",
    "a no-break space": "front-desk\u00a0",
    "a zero-width space": "front\u200b-desk",
    "a soft hyphen": "front\u00ad-desk",
    "a right-to-left mark": "front-desk\u200f",
    "a variation selector": "front-desk\ufe0f",
    "a combining accent": "front-desk\u0301",
    "a NUL": "front-desk\0",
    "a lone surrogate": "front-desk\ud800",
    "quotes": '"front-desk"',
    "a beginning": "front-des",
    "twice": "front-deskfront-desk",
    "nothing": "",
    "yes": "yes",
}


@pytest.mark.parametrize("typed", LOOK_ALIKES.values(), ids=LOOK_ALIKES)
def test_a_look_alike_of_the_apps_name_is_no_answer(typed: str) -> None:
    assert not answers_match(INTENT.challenges, {"app": typed})


@given(st.text(st.characters()))
def test_nothing_but_the_very_text_is_an_answer(typed: str) -> None:
    assert answers_match(INTENT.challenges, {"app": typed}) is (typed == "front-desk")


@given(st.text(min_size=1))
def test_normalisation_makes_no_text_equal_to_another(expected: str) -> None:
    decomposed = unicodedata.normalize("NFD", expected)
    assume(decomposed != expected)
    assert not answers_match((Challenge("word", "Type it", expected),), {"word": decomposed})
    assert answers_match((Challenge("word", "Type it", expected),), {"word": expected})


@pytest.mark.parametrize("given", [True, 1, None, ["front-desk"], {"app": "front-desk"}, b"front-desk"])
def test_what_is_no_text_is_no_answer(given: object) -> None:
    assert not answers_match(INTENT.challenges, {"app": given})


@pytest.mark.parametrize(
    "answers",
    [
        {},
        {"app": "front-desk"},
        {"override": "rotate again"},
        {"app": "rotate again", "override": "front-desk"},
        {"app": "front-desk", "override": "Rotate again"},
        {"App": "front-desk", "override": "rotate again"},
    ],
)
def test_every_challenge_has_to_be_answered(answers: Mapping[str, object]) -> None:
    assert not answers_match(BOTH, answers)


def test_the_right_texts_are_an_answer_whatever_else_was_filled_in() -> None:
    assert answers_match(BOTH, {"app": "front-desk", "override": "rotate again", "note": "x"})


def test_an_approval_that_asks_for_nothing_cannot_be_answered() -> None:
    assert not answers_match((), {})
    assert not answers_match((), {"app": "front-desk"})


@pytest.mark.parametrize(
    "change",
    [
        {"dealer": "other"},
        {"app": "shop"},
        {"tool": "revoke_previous_key"},
        {"requester": "app:shop"},
        {"arguments": {**INTENT.arguments, "reason": "other"}},
        {"arguments": {**INTENT.arguments, "force": True}},
        {"arguments": {**INTENT.arguments, "force": 0}},
        {"arguments": {**INTENT.arguments, "force": "false"}},
        {"arguments": {**INTENT.arguments, "force": None}},
        {"arguments": {**INTENT.arguments, "more": None}},
        {"arguments": {key: value for key, value in INTENT.arguments.items() if key != "force"}},
    ],
    ids=str,
)
def test_the_digest_tells_every_part_of_a_request_apart(change: dict[str, object]) -> None:
    other = replace(INTENT, **change)  # type: ignore[arg-type]  # fields are named in the cases
    assert other.digest != INTENT.digest
    assert mismatch(approval(), other, NOW) in {Refusal.UNKNOWN, Refusal.OTHER_REQUEST}


def test_the_digest_does_not_depend_on_order_words_or_state() -> None:
    shuffled = dict(sorted(INTENT.arguments.items(), reverse=True))
    other = replace(INTENT, arguments=shuffled, words="Other words.", state={"current": "key_b"}, challenges=BOTH)
    assert other.digest == INTENT.digest
    assert other.state_digest != INTENT.state_digest


def test_text_cannot_move_from_one_part_to_the_next() -> None:
    assert request_digest("a", "bc", "t", "r", {}) != request_digest("ab", "c", "t", "r", {})
    assert request_digest("a", "b", "t", "r", {"x": "y"}) != request_digest("a", "b", "t", 'r",{"x":"y"}', {})


@given(st.dictionaries(st.text(), JSON), st.dictionaries(st.text(), JSON))
def test_different_requests_have_different_digests(one: dict[str, object], two: dict[str, object]) -> None:
    assume(one != two)
    assert request_digest("d", "a", "t", "r", one) != request_digest("d", "a", "t", "r", two)
    assert state_digest(one) != state_digest(two)


def test_an_approval_stands_for_its_own_request_on_its_own_state() -> None:
    assert mismatch(approval(), INTENT, NOW) is None
    assert mismatch(approval(state=ApprovalState.APPROVED), INTENT, NOW + TTL - timedelta(microseconds=1)) is None


@pytest.mark.parametrize(
    ("stored", "intent", "now", "refusal"),
    [
        (approval(dealer="other"), INTENT, NOW, Refusal.UNKNOWN),
        (approval(requester="app:shop"), INTENT, NOW, Refusal.UNKNOWN),
        (approval(requester="app:shop", digest="x", expires_at=NOW), INTENT, NOW, Refusal.UNKNOWN),
        (approval(), replace(INTENT, tool="update_allow_list"), NOW, Refusal.OTHER_REQUEST),
        (approval(), replace(INTENT, tool="update_allow_list"), NOW + TTL, Refusal.OTHER_REQUEST),
        (approval(), INTENT, NOW + TTL, Refusal.EXPIRED),
        (approval(state=ApprovalState.APPROVED), INTENT, NOW + TTL, Refusal.EXPIRED),
        (approval(), replace(INTENT, state={"current": "key_b"}), NOW + TTL, Refusal.EXPIRED),
        (approval(), replace(INTENT, state={"current": "key_b"}), NOW, Refusal.OUTDATED),
        (approval(state=ApprovalState.APPROVED), replace(INTENT, state={}), NOW, Refusal.OUTDATED),
    ],
)
def test_an_approval_does_not_stand_for_anything_else(
    stored: Approval, intent: Intent, now: datetime, refusal: Refusal
) -> None:
    assert mismatch(stored, intent, now) is refusal


def test_a_used_approval_is_recognised_when_its_change_has_altered_the_state() -> None:
    used = approval(state=ApprovalState.USED)
    assert mismatch(used, replace(INTENT, state={"current": "key_b"}), NOW + TTL) is None
    assert mismatch(used, replace(INTENT, tool="update_allow_list"), NOW) is Refusal.OTHER_REQUEST
    assert mismatch(used, replace(INTENT, requester="app:shop"), NOW) is Refusal.UNKNOWN


@pytest.mark.parametrize(
    ("stored", "decider", "now", "refusal"),
    [
        (approval(), "person:ops", NOW, None),
        (approval(), "person:ops", NOW + TTL - timedelta(microseconds=1), None),
        (approval(), "app:front-desk", NOW, Refusal.OWN_REQUEST),
        (approval(state=ApprovalState.APPROVED), "app:front-desk", NOW + TTL, Refusal.OWN_REQUEST),
        (approval(), "person:ops", NOW + TTL, Refusal.EXPIRED),
        (approval(state=ApprovalState.APPROVED), "person:ops", NOW, Refusal.ALREADY_DECIDED),
        (approval(state=ApprovalState.DENIED), "person:ops", NOW, Refusal.ALREADY_DECIDED),
        (approval(state=ApprovalState.USED), "person:ops", NOW, Refusal.ALREADY_DECIDED),
        (approval(state=ApprovalState.DENIED), "person:ops", NOW + TTL, Refusal.ALREADY_DECIDED),
    ],
)
def test_a_decision_is_made_once_in_time_and_by_somebody_else(
    stored: Approval, decider: str, now: datetime, refusal: Refusal | None
) -> None:
    assert undecidable(stored, decider, now) is refusal


@pytest.mark.parametrize(
    ("state", "now", "standing"),
    [
        (ApprovalState.PENDING, NOW, "pending"),
        (ApprovalState.PENDING, NOW + TTL, "expired"),
        (ApprovalState.APPROVED, NOW, "approved"),
        (ApprovalState.APPROVED, NOW + TTL, "expired"),
        (ApprovalState.DENIED, NOW, "denied"),
        (ApprovalState.USED, NOW, "used"),
        (ApprovalState.USED, NOW + TTL, "used"),
    ],
)
def test_expiry_is_read_off_the_clock(state: ApprovalState, now: datetime, standing: str) -> None:
    assert approval(state=state).standing(now) == standing
