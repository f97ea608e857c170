"""The gate denies unless something says yes, and a refusal tells nothing about what lies outside the grant."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chekt_mcp.auth.gate import choose_app, require_scope
from chekt_mcp.domain.scope import Grant, Scope
from chekt_mcp.errors import InvalidInput, NotFound, NotPermitted


def grant(*apps: str, scopes: frozenset[Scope] = frozenset()) -> Grant:
    return Grant("acme", "app:desk", "api_key", apps[0] if apps else None, apps, scopes)


@pytest.mark.parametrize("scope", Scope)
def test_a_missing_scope_is_refused_by_name_with_who_can_grant_it(scope: Scope) -> None:
    others = frozenset(Scope) - {scope}
    with pytest.raises(NotPermitted) as caught:
        require_scope(grant("desk", scopes=others), "rotate_key", scope)
    assert (caught.value.code, caught.value.missing_scope) == ("permission_denied", scope.value)
    assert scope.value in caught.value.message
    assert f"chekt-mcp app scopes desk --add {scope.value}" in caught.value.fix


@pytest.mark.parametrize("scope", [*Scope, None])
def test_a_held_scope_opens(scope: Scope | None) -> None:
    require_scope(grant("desk", scopes=frozenset({scope} if scope else ())), "rotate_key", scope)


def test_the_only_app_need_not_be_named() -> None:
    assert choose_app(grant("desk"), None) == "desk"
    assert choose_app(grant("desk"), "desk") == "desk"


def test_one_of_several_apps_has_to_be_named() -> None:
    with pytest.raises(InvalidInput) as caught:
        choose_app(grant("desk", "shop"), None)
    assert (caught.value.code, caught.value.field) == ("app_required", "app")
    assert caught.value.fix == "Covered: desk, shop."
    assert choose_app(grant("desk", "shop"), "shop") == "shop"


def test_a_grant_of_no_app_opens_none() -> None:
    with pytest.raises(InvalidInput):
        choose_app(grant(), None)
    with pytest.raises(NotFound):
        choose_app(grant(), "desk")


def answer(named: str) -> tuple[str, str, str, str]:
    with pytest.raises(NotFound) as caught:
        choose_app(grant("desk", "shop"), named)
    error = caught.value
    return error.code, error.field, error.message, error.fix


@given(st.text())
def test_every_app_outside_the_grant_gets_the_very_same_answer(named: str) -> None:
    foreign = "another-dealers-app"  # there is no way in by which its existence could change the answer
    if named not in {"desk", "shop"}:
        assert answer(named) == answer(foreign) == answer("no-such-app")
        assert answer(named)[:2] == ("unknown_app", "app")


@pytest.mark.parametrize(
    "named", ["Desk", "desk ", " desk", "d\N{CYRILLIC SMALL LETTER IE}sk", "desk\0", "desk,shop", ""]
)
def test_a_look_alike_of_a_covered_app_is_outside(named: str) -> None:
    assert answer(named)[0] == "unknown_app"
