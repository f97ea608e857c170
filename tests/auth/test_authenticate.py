"""A key opens the grant of its own app, or the reason why not is told; a wrong form is never looked up."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from chekt_mcp.auth.authenticate import authenticate
from chekt_mcp.auth.caller import NO_DEALER, Caller, by_key
from chekt_mcp.auth.credential import NO_KEY, KeySource, Problem
from chekt_mcp.domain import api_key
from chekt_mcp.domain.api_key import Key, KeyKind, KeyState
from chekt_mcp.domain.app import App, Authority, ConfirmBy, Environment
from chekt_mcp.domain.scope import Grant, Scope
from chekt_mcp.storage.interface import Reader, Storage

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
OURS = api_key.mint(KeyKind.API_KEY, Environment.TEST, lambda count: b"\x0e" * count)
ADOPTED = "chekt_live_" + "EXAMPLE0" * 4
SECRET = "chekt_whsec_test_" + "EXAMPLE0" * 4
APP = App(
    dealer="acme",
    name="front-desk",
    environment=Environment.TEST,
    authority=Authority.LOCAL,
    scopes=frozenset({Scope.KEYS_READ, Scope.OPERATORS_READ}),
    confirm=ConfirmBy.CLIENT,
    created_at=NOW,
    covers=("shop", "warehouse"),
)
KEY = Key("key_a", "acme", "front-desk", KeyKind.API_KEY, KeyState.CURRENT, "chekt_test_…EEEE", NOW - HOUR)


class Known:
    """The part of a store that authentication asks: one key by its value, and one app."""

    def __init__(self, value: str = OURS, key: Key = KEY, app: App | None = APP) -> None:
        self.looked_up = 0
        self._hash, self._key, self._app = api_key.key_hash(value), key, app

    async def key_by_hash(self, value_hash: bytes) -> Key | None:
        self.looked_up += 1
        return self._key if value_hash == self._hash else None

    async def app(self, dealer: str, name: str) -> App | None:
        return self._app if (dealer, name) == (self._key.dealer, self._key.app) else None

    async def read(self, work: Any) -> Any:
        return await work(self)


async def problem(value: str, known: Known) -> tuple[str, Key | None]:
    found, key = await authenticate(cast("Reader", known), value, NOW)
    assert isinstance(found, Problem)
    assert found.fix
    assert len(value) < len("chekt_test_short") or value not in found.message + found.fix
    return found.code, key


async def test_a_current_key_opens_the_grant_of_its_app() -> None:
    grant, key = await authenticate(cast("Reader", Known()), OURS, NOW)
    assert key == KEY
    assert grant == Grant(
        dealer="acme",
        principal="app:front-desk",
        credential="api_key",
        app="front-desk",
        apps=("front-desk", "shop", "warehouse"),
        scopes=APP.scopes,
        key_id="key_a",
    )


async def test_an_adopted_key_needs_no_checksum() -> None:
    grant, _ = await authenticate(cast("Reader", Known(ADOPTED)), ADOPTED, NOW)
    assert isinstance(grant, Grant)


async def test_an_app_that_covers_itself_is_counted_once() -> None:
    known = Known(app=replace(APP, covers=("front-desk",)))
    grant, _ = await authenticate(cast("Reader", known), OURS, NOW)
    assert isinstance(grant, Grant)
    assert grant.apps == ("front-desk",)


async def test_a_previous_key_opens_the_same_grant_until_its_grace_ends() -> None:
    previous = replace(KEY, state=KeyState.PREVIOUS, valid_until=NOW + timedelta(microseconds=1))
    grant, _ = await authenticate(cast("Reader", Known(key=previous)), OURS, NOW)
    assert isinstance(grant, Grant)
    assert grant.principal == "app:front-desk"


@pytest.mark.parametrize(
    "value",
    ["", "x", "chekt_live_", "chekt_test_short", OURS + "\n", " " + OURS, f'"{OURS}"', OURS.upper(), OURS[:-1] + "é",
     OURS + "\ud800", "Bearer " + OURS, OURS[:11] + "E" * 201, "chekt_test_…EEEE"],
)  # fmt: skip
async def test_what_has_not_the_form_of_a_key_is_refused_without_being_looked_up(value: str) -> None:
    known = Known()
    assert await problem(value, known) == ("malformed_key", None)
    assert known.looked_up == 0


async def test_a_signing_secret_in_place_of_a_key_is_told_apart_and_not_looked_up() -> None:
    known = Known(SECRET)
    assert await problem(SECRET, known) == ("signing_secret_given", None)
    assert known.looked_up == 0


async def test_an_unknown_key_with_a_right_checksum_is_unknown() -> None:
    found, _ = await authenticate(cast("Reader", Known(ADOPTED)), OURS, NOW)
    assert isinstance(found, Problem)
    assert found.code == "unknown_key"
    assert "checksum" not in found.message


async def test_an_unknown_key_with_a_wrong_checksum_is_told_that_it_may_be_mistyped() -> None:
    typo = OURS[:-1] + ("0" if OURS[-1] != "0" else "1")
    found, key = await authenticate(cast("Reader", Known()), typo, NOW)
    assert isinstance(found, Problem)
    assert (found.code, key) == ("unknown_key", None)
    assert "checksum" in found.message


async def test_a_stored_signing_secret_never_opens_a_grant() -> None:
    known = Known(key=replace(KEY, kind=KeyKind.SIGNING_SECRET))
    assert await problem(OURS, known) == ("unknown_key", None)


@pytest.mark.parametrize(
    ("state", "valid_until", "code"),
    [
        (KeyState.REVOKED, None, "revoked_key"),
        (KeyState.REVOKED, NOW + HOUR, "revoked_key"),
        (KeyState.VOID, None, "revoked_key"),
        (KeyState.PREVIOUS, NOW, "expired_key"),
        (KeyState.PREVIOUS, NOW - HOUR, "expired_key"),
        (KeyState.PREVIOUS, None, "expired_key"),
        (KeyState.PENDING, None, "key_not_active"),
    ],
)
async def test_a_key_that_is_no_longer_or_not_yet_good_says_which(
    state: KeyState, valid_until: datetime | None, code: str
) -> None:
    dead = replace(KEY, state=state, valid_until=valid_until)
    assert await problem(OURS, Known(key=dead)) == (code, dead)


async def test_a_key_whose_app_is_gone_opens_nothing() -> None:
    assert await problem(OURS, Known(app=None)) == ("unknown_key", KEY)


async def caller(value: str | None, known: Known) -> Caller:
    keys = KeySource(file=None, value=value, read_file=lambda _: "")
    return await by_key(keys)(cast("Storage", known), NOW)


async def test_a_valid_caller_is_recorded_under_its_principal_app_and_key() -> None:
    found = await caller(OURS, Known())
    assert isinstance(found.grant, Grant)
    assert (found.dealer, found.actor, found.app, found.key_id) == ("acme", "app:front-desk", "front-desk", "key_a")


async def test_a_caller_with_a_dead_key_is_recorded_under_its_app_and_dealer() -> None:
    found = await caller(OURS, Known(key=replace(KEY, state=KeyState.REVOKED)))
    assert isinstance(found.grant, Problem)
    assert (found.dealer, found.actor, found.app, found.key_id) == ("acme", "app:front-desk", "front-desk", "key_a")


@pytest.mark.parametrize(("value", "code"), [(None, NO_KEY.code), ("x", "malformed_key"), (ADOPTED, "unknown_key")])
async def test_a_caller_of_whom_nothing_is_known_is_recorded_as_that(value: str | None, code: str) -> None:
    found = await caller(value, Known())
    assert isinstance(found.grant, Problem)
    assert found.grant.code == code
    assert (found.dealer, found.actor, found.app, found.key_id) == (NO_DEALER, "unknown", None, None)


async def rotated_by_another_process(first: KeyState, tmp_path: Path) -> Caller:
    """Call with a key, put a new one that is not in force yet into the file, and call again."""
    file = tmp_path / "key"
    keys = {api_key.key_hash(OURS): KEY, api_key.key_hash(ADOPTED): replace(KEY, key_id="key_b")}
    known = Known()
    known.key_by_hash = lambda value_hash: _given(keys.get(value_hash))  # type: ignore[method-assign]
    identify = by_key(KeySource(file=file, value=None, read_file=lambda path: path.read_text()))
    file.write_text(OURS)
    assert isinstance((await identify(cast("Storage", known), NOW)).grant, Grant)
    keys[api_key.key_hash(OURS)] = replace(KEY, state=first)
    keys[api_key.key_hash(ADOPTED)] = replace(KEY, key_id="key_b", state=KeyState.PENDING)
    file.write_text(ADOPTED)
    return await identify(cast("Storage", known), NOW)


async def _given(key: Key | None) -> Key | None:
    return key


async def test_a_session_goes_on_with_its_key_until_the_next_one_is_in_force(tmp_path: Path) -> None:
    found = await rotated_by_another_process(KeyState.CURRENT, tmp_path)
    assert isinstance(found.grant, Grant)
    assert found.key_id == "key_a"


async def test_a_key_that_was_revoked_meanwhile_is_not_gone_on_with(tmp_path: Path) -> None:
    found = await rotated_by_another_process(KeyState.REVOKED, tmp_path)
    assert isinstance(found.grant, Problem)
    assert (found.grant.code, found.key_id) == ("key_not_active", "key_b")
