"""A credential sent over HTTP becomes one grant or nothing, and being refused costs the same whatever was wrong."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from mcp.server.auth.provider import TokenVerifier, principal_components

from chekt_mcp.auth.bearer import BearerTokens, BearerVerifier
from chekt_mcp.auth.granted import GrantedToken, Refused, caller_of
from chekt_mcp.auth.signed_token import LONGEST
from chekt_mcp.domain import api_key
from chekt_mcp.domain.api_key import Key, KeyKind, KeyState
from chekt_mcp.domain.app import App, Authority, ConfirmBy, Environment
from chekt_mcp.domain.scope import Scope
from chekt_mcp.storage.interface import Storage

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
OURS = api_key.mint(KeyKind.API_KEY, Environment.TEST, lambda count: b"\x0e" * count)
NEXT = api_key.mint(KeyKind.API_KEY, Environment.TEST, lambda count: b"\x0f" * count)
OTHER_ENVIRONMENT = OURS.replace("chekt_test_", "chekt_live_")
SECRET = "chekt_whsec_test_" + "EXAMPLE0" * 4
APP = App(
    dealer="acme",
    name="front-desk",
    environment=Environment.TEST,
    authority=Authority.LOCAL,
    scopes=frozenset({Scope.KEYS_READ}),
    confirm=ConfirmBy.CLIENT,
    created_at=NOW,
    covers=("shop",),
)
KEY = Key("key_a", "acme", "front-desk", KeyKind.API_KEY, KeyState.CURRENT, "chekt_test_…EEEE", NOW - HOUR)


class CountingStore:
    """Keys by value, one app, and how often each was looked for."""

    def __init__(self, *keys: tuple[str, Key]) -> None:
        self.asked: Counter[str] = Counter()
        self._keys = {api_key.key_hash(value): key for value, key in keys}

    async def key_by_hash(self, value_hash: bytes) -> Key | None:
        self.asked["key"] += 1
        return self._keys.get(value_hash)

    async def app(self, dealer: str, name: str) -> App | None:
        self.asked["app"] += 1
        return APP if (dealer, name) == ("acme", "front-desk") else None

    async def read(self, work: Any) -> Any:
        self.asked["read"] += 1
        return await work(self)


def verifier(store: CountingStore) -> BearerTokens:
    return BearerTokens(cast("Storage", store), lambda: NOW)


async def granted(value: str, *keys: tuple[str, Key]) -> GrantedToken:
    token = await verifier(CountingStore(*keys)).verify_token(value)
    assert isinstance(token, GrantedToken)
    return token


async def test_a_current_key_is_carried_with_its_grant_and_not_itself() -> None:
    token = await granted(OURS, (OURS, KEY))
    assert token.grant.apps == ("front-desk", "shop")
    assert token.scopes == ["keys:read"]
    assert OURS not in repr(token) + token.model_dump_json()
    assert caller_of(token).key_id == "key_a"


async def test_sessions_outlive_a_rotation_and_are_another_dealers_never() -> None:
    previous = replace(KEY, state=KeyState.PREVIOUS, valid_until=NOW + HOUR)
    old = await granted(OURS, (OURS, previous))
    new = await granted(NEXT, (NEXT, replace(KEY, key_id="key_b")))
    assert principal_components(old) == principal_components(new) == ("acme/app:front-desk", None, "app:front-desk")


@pytest.mark.parametrize(
    ("value", "state", "code"),
    [
        (OURS, KeyState.REVOKED, "revoked_key"),
        (OURS, KeyState.PREVIOUS, "expired_key"),
        (OURS, KeyState.PENDING, "key_not_active"),
        (NEXT, KeyState.CURRENT, "unknown_key"),
        (OTHER_ENVIRONMENT, KeyState.CURRENT, "unknown_key"),
        (OURS[:-1], KeyState.CURRENT, "unknown_key"),
        ("chekt_live_short", KeyState.CURRENT, "malformed_key"),
        (SECRET, KeyState.CURRENT, "signing_secret_given"),
    ],
)
async def test_a_refused_key_costs_what_an_accepted_one_does(value: str, state: KeyState, code: str) -> None:
    good, bad = CountingStore((OURS, KEY)), CountingStore((OURS, replace(KEY, state=state, valid_until=NOW)))
    await verifier(good).verify_token(OURS)
    judged = await verifier(bad).judge(value, NOW)
    assert isinstance(judged, Refused)
    assert judged.problem.code == code
    assert bad.asked == good.asked == {"read": 1, "key": 1, "app": 1}


async def test_a_revoked_key_is_recorded_under_its_app() -> None:
    judged = await verifier(CountingStore((OURS, replace(KEY, state=KeyState.REVOKED)))).judge(OURS, NOW)
    assert isinstance(judged, Refused)
    caller = judged.caller()
    assert (caller.dealer, caller.actor, caller.app, caller.key_id) == ("acme", "app:front-desk", "front-desk", "key_a")


@pytest.mark.parametrize("value", ["", "x", "chekt_live_\ud800", "chekt_live_é" * 9, "chekt_test_" + "A" * LONGEST])
async def test_what_has_the_form_of_no_credential_is_never_looked_up(value: str) -> None:
    store = CountingStore()
    judged = await verifier(store).judge(value, NOW)
    assert isinstance(judged, Refused)
    assert judged.caller().actor == "unknown"
    assert not store.asked


async def test_the_reason_is_logged_as_a_code_and_nothing_of_the_credential(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO"):
        assert await verifier(CountingStore()).verify_token(OURS) is None
    assert "unknown_key" in caplog.text
    assert OURS[-6:] not in caplog.text


def test_one_verifier_serves_the_sdk_and_the_edge() -> None:
    one = verifier(CountingStore())
    for_both: tuple[TokenVerifier, BearerVerifier] = (one, one)
    assert for_both == (one, one)
