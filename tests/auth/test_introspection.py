"""A token that only its issuer can read is asked about, and what was said counts for half a minute at most."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import cast

import pytest

from chekt_mcp.auth.access_token import AccessTokens, Issuer
from chekt_mcp.auth.bearer import BearerTokens
from chekt_mcp.auth.granted import GrantedToken, Refused
from chekt_mcp.auth.introspection import MOST_KEPT, Introspection
from chekt_mcp.auth.token_problem import Fault
from chekt_mcp.domain.app import App, Authority, ConfirmBy, Environment
from chekt_mcp.domain.scope import Scope
from chekt_mcp.storage.interface import Storage
from token_mint import Mint

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)
AT = int(NOW.timestamp())
SECOND = timedelta(seconds=1)
ISSUER, RESOURCE = "https://login.example.com", "https://mcp.example.com/mcp"
ACTIVE: dict[str, object] = {
    "active": True,
    "sub": "kim",
    "client_id": "assistant",
    "aud": RESOURCE,
    "iat": AT,
    "exp": AT + 600,
    "scope": "keys:read",
    "chekt_dealer": "acme",
    "chekt_apps": ["front-desk"],
}


class Store:
    """One app."""

    async def app(self, dealer: str, name: str) -> App | None:
        known = (dealer, name) == ("acme", "front-desk")
        scopes = frozenset({Scope.KEYS_READ})
        return App(dealer, name, Environment.TEST, Authority.LOCAL, scopes, ConfirmBy.CLIENT, NOW) if known else None

    async def read(self, work: object) -> object:
        return await work(self)  # type: ignore[operator] # the one way it is called


class Server:
    """An issuer that says the same of every token; counts the questions."""

    def __init__(self, said: dict[str, object] | None) -> None:
        self.said = said
        self.asked: list[str] = []

    async def __call__(self, token: str) -> bytes | None:
        self.asked.append(token)
        return None if self.said is None else json.dumps(self.said).encode()


def verifier(server: Server) -> BearerTokens:
    storage = cast("Storage", Store())
    tokens = AccessTokens(storage, Issuer(ISSUER), RESOURCE, None, Introspection(server, NOW))
    return BearerTokens(storage, lambda: NOW, tokens)


async def outcome(tokens: BearerTokens, text: str = "opaque-EXAMPLE", at: datetime = NOW) -> str:
    found = await tokens.judge(text, at)
    return found.problem.code if isinstance(found, Refused) else found.grant.principal


async def test_an_active_token_opens_what_its_issuer_says() -> None:
    found = await verifier(Server(ACTIVE)).judge("opaque-EXAMPLE", NOW)
    assert isinstance(found, GrantedToken)
    assert (found.grant.principal, found.grant.credential) == (f"oauth:{ISSUER}#kim", "oauth")
    assert found.grant.scopes == {Scope.KEYS_READ}


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"active": False}, Fault.NOT_ACTIVE),
        ({"active": "true"}, Fault.NOT_ACTIVE),
        ({"active": 1}, Fault.NOT_ACTIVE),
        ({"aud": "https://other.example.com"}, Fault.WRONG_AUDIENCE),
        ({"aud": None}, Fault.WRONG_AUDIENCE),
        ({"iss": "https://other.example.com"}, Fault.UNKNOWN_ISSUER),
        ({"exp": None}, Fault.NO_TIMES),
        ({"exp": AT - 60}, Fault.EXPIRED),
        ({"exp": AT + 25 * 3600}, Fault.TOO_LONG_LIVED),
        ({"sub": None}, Fault.NO_SUBJECT),
    ],
)
async def test_what_the_issuer_says_is_held_to_the_rules_of_signed_tokens(
    changed: dict[str, object], expected: Fault
) -> None:
    assert await outcome(verifier(Server({**ACTIVE, **changed}))) == expected


@pytest.mark.parametrize("said", [ACTIVE, {"active": False}])
async def test_what_was_said_counts_for_half_a_minute(said: dict[str, object]) -> None:
    server = Server(said)
    tokens = verifier(server)
    first = await outcome(tokens)
    server.said = {"active": False} if said is ACTIVE else ACTIVE
    assert await outcome(tokens, at=NOW + 29 * SECOND) == first
    assert await outcome(tokens, at=NOW + 30 * SECOND) != first
    assert len(server.asked) == 2


async def test_what_was_said_never_outlives_the_token() -> None:
    tokens = verifier(Server({**ACTIVE, "exp": AT - 20, "iat": AT - 60}))
    assert await outcome(tokens) == f"oauth:{ISSUER}#kim"
    assert await outcome(tokens, at=NOW + 10 * SECOND) == Fault.EXPIRED


async def test_an_outage_is_refused_as_such_and_not_remembered() -> None:
    server = Server(None)
    tokens = verifier(server)
    found = await tokens.judge("opaque-EXAMPLE", NOW)
    assert isinstance(found, Refused)
    assert found.temporary
    assert found.problem.code == Fault.ISSUER_UNAVAILABLE
    server.said = ACTIVE
    assert await outcome(tokens) == f"oauth:{ISSUER}#kim"


async def test_a_flood_of_tokens_does_not_reach_the_issuer_and_takes_no_room() -> None:
    server = Server({"active": False})
    tokens = verifier(server)
    codes = [await outcome(tokens, f"guess-{number}") for number in range(2 * MOST_KEPT)]
    assert codes.count(Fault.NOT_ACTIVE) == len(server.asked) == 600
    assert set(codes) == {Fault.NOT_ACTIVE.value, Fault.ISSUER_BUSY.value}
    assert await outcome(tokens, "guess-later", NOW + 60 * SECOND) == Fault.NOT_ACTIVE


async def test_room_for_answers_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chekt_mcp.auth.introspection.MOST_KEPT", 3)
    server = Server(ACTIVE)
    tokens = verifier(server)
    for number in (1, 2, 3, 4, 1):
        await outcome(tokens, f"token-{number}")
    assert server.asked == [f"token-{number}" for number in (1, 2, 3, 4, 1)]


async def test_a_signed_token_is_asked_about_where_no_keys_are_set() -> None:
    server = Server(ACTIVE)
    token = Mint().token({"iss": ISSUER})
    assert await outcome(verifier(server), token) == f"oauth:{ISSUER}#kim"
    assert server.asked == [token]


@pytest.mark.parametrize("token", ["", "two words", "with\x00NUL", "x" * 9000, "naïve", "line\nbreak"])
async def test_what_is_no_bearer_token_is_asked_about_nowhere(token: str) -> None:
    server = Server(ACTIVE)
    assert await outcome(verifier(server), token) in {Fault.OPAQUE.value, Fault.NOT_A_TOKEN.value}
    assert not server.asked
