r"""A filter's text: several values, none of them, and how a comma or a first `!` is written."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chekt_mcp.domain.choice import MOST_VALUES, Choice, any_of, none_of, parse_choice, written
from chekt_mcp.errors import InvalidInput

READ: dict[str, Choice[str]] = {
    "ok": any_of("ok"),
    "ok,denied": any_of("denied", "ok"),
    "!ok": none_of("ok"),
    "!ok,denied": none_of("denied", "ok"),
    " ! ok , denied ": none_of("denied", "ok"),
    "ok,ok": any_of("ok"),
    "null": any_of("null"),
    r"Smith\, Jane": any_of("Smith, Jane"),
    r"\!important": any_of("!important"),
    r"!\!important,b": none_of("!important", "b"),
    r"DOMAIN\jane": any_of("DOMAIN\\jane"),
    r"back\\,slash": any_of("back\\", "slash"),
    r"\ padded\ ": any_of(" padded "),
    "hey!": any_of("hey!"),
    "night watch": any_of("night watch"),
}


@pytest.mark.parametrize(("text", "choice"), READ.items(), ids=READ)
def test_a_choice_is_read_as_it_is_written(text: str, choice: Choice[str]) -> None:
    assert parse_choice(text, "actor") == choice


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "empty_value"),
        (" ", "empty_value"),
        ("!", "empty_value"),
        ("a,,b", "empty_value"),
        ("a,", "empty_value"),
        ("a,!b", "misplaced_not"),
        ("!!a", "misplaced_not"),
        (",".join(map(str, range(MOST_VALUES + 1))), "too_many"),
    ],
)
def test_what_could_mean_two_things_is_refused(text: str, code: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_choice(text, "actor")
    assert (refused.value.code, refused.value.field) == (code, "actor")


@given(st.sets(st.text(st.sampled_from("ab,! \\\n\ud800") | st.characters(), min_size=1), min_size=1), st.booleans())
def test_every_choice_can_be_written_and_has_one_writing(values: set[str], negated: bool) -> None:  # noqa: FBT001 -- drawn
    choice = Choice(tuple(sorted(values)), negated)
    assert parse_choice(written(choice), "actor") == choice
    assert written(Choice(tuple(reversed(choice.values)), negated)) == written(choice)


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(InvalidInput):
        assert parse_choice(text, "actor").values
