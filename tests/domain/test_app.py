"""An app's name can be typed to confirm; live apps are confirmed elsewhere than in the caller's client."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chekt_mcp.domain.app import App, Authority, ConfirmBy, Environment, check_name, default_confirmation
from chekt_mcp.errors import InvalidInput


@given(st.from_regex(r"[a-z0-9]([a-z0-9-]{0,46}[a-z0-9])?", fullmatch=True))
def test_a_well_formed_name_is_taken_as_it_is(name: str) -> None:
    assert check_name(name) == name


@pytest.mark.parametrize(
    "name",
    ["", "-", "-a", "a-", "A", "front desk", "front_desk", "fr\N{CYRILLIC SMALL LETTER O}nt-desk",
     "front\N{HYPHEN}desk", "\N{FULLWIDTH LATIN SMALL LETTER F}ront-desk", "café", "desk\n",
     "desk\u200b", "a" * 49, "a.b", "a/b", "../a", "٣"],
)  # fmt: skip
def test_a_name_that_could_look_like_another_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        check_name(name, field="covers")
    assert (caught.value.code, caught.value.field) == ("bad_name", "covers")


def test_a_refusal_does_not_repeat_the_name() -> None:
    with pytest.raises(InvalidInput) as caught:
        check_name("Example Name")
    assert "Example" not in str(caught.value)


def test_a_form_in_a_client_suffices_for_test_apps_only() -> None:
    assert default_confirmation(Environment.TEST) is ConfirmBy.CLIENT
    assert default_confirmation(Environment.LIVE) is ConfirmBy.OUT_OF_BAND


def test_the_principal_outlives_any_key() -> None:
    at = datetime(2026, 7, 1, tzinfo=UTC)
    app = App("acme", "front-desk", Environment.LIVE, Authority.LOCAL, frozenset(), ConfirmBy.OUT_OF_BAND, at)
    assert app.principal == "app:front-desk"


@pytest.mark.parametrize(
    ("environment", "principal", "by"),
    [
        (Environment.TEST, "app:nightly", ConfirmBy.UNATTENDED),
        (Environment.TEST, "app:other", ConfirmBy.CLIENT),
        (Environment.TEST, "nightly", ConfirmBy.CLIENT),
        (Environment.LIVE, "app:nightly", ConfirmBy.CLIENT),
    ],
)
def test_only_named_callers_of_test_apps_are_unattended(
    environment: Environment, principal: str, by: ConfirmBy
) -> None:
    at = datetime(2026, 7, 1, tzinfo=UTC)
    app = App("acme", "shop", environment, Authority.LOCAL, frozenset(), ConfirmBy.CLIENT, at, unattended=("nightly",))
    assert app.confirmed_by(principal) is by
