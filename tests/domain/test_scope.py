"""Scopes are taken as they are named, and a grant opens what it holds and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chekt_mcp.domain.scope import SERVER_SCOPES, Grant, Scope, parse_scopes
from chekt_mcp.errors import InvalidInput

CATALOGUE = {
    "devices:read", "devices:write", "events:read", "events:write", "alarms:write", "snapshots:read", "sites:read",
    "operators:read", "allowlist:read", "allowlist:write", "webhooks:read", "keys:read", "keys:write",
}  # fmt: skip
"""platform/CHEKT.md, "Scopes in the public catalogue", and the five of ours."""


def grant(*scopes: Scope) -> Grant:
    return Grant("acme", "app:desk", "api_key", "desk", ("desk",), frozenset(scopes))


def test_the_catalogue_is_the_published_one_and_ours() -> None:
    assert {scope.value for scope in Scope} == CATALOGUE
    assert set(SERVER_SCOPES) <= set(Scope)


@pytest.mark.parametrize("scope", Scope)
def test_a_scope_opens_itself_and_never_another(scope: Scope) -> None:
    assert grant(scope).allows(scope)
    assert not any(grant(scope).allows(other) for other in Scope if other is not scope)
    assert not grant().allows(scope)


def test_what_needs_no_scope_is_open_to_any_valid_caller() -> None:
    assert grant().allows(None)


@given(st.sets(st.sampled_from(Scope), min_size=1), st.sampled_from([",", " ", ", ", "\n", " , "]))
def test_scopes_are_read_with_commas_or_spaces(scopes: set[Scope], separator: str) -> None:
    assert parse_scopes(separator.join(scopes)) == scopes


@pytest.mark.parametrize(
    "text",
    ["", " ", ",", "devices", "devices:*", "*", "Devices:read", "devices:read;keys:read", "devices:read admin",
     "keys:read\u200b", "keys\uff1aread"],
)  # fmt: skip
def test_an_unknown_scope_is_refused_and_never_dropped(text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_scopes(text)
    assert (caught.value.code, caught.value.field) == ("unknown_scope", "scopes")
    assert all(name in caught.value.fix for name in CATALOGUE)
