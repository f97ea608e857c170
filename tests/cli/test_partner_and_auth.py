"""`chekt-mcp partner …` registers who may sign, and `chekt-mcp auth check` says what becomes of a credential."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from document_server import Page, Provider, serving
from terminal_child import PASSPHRASE, Machine
from token_mint import Mint, key_set
from vault_server import make_authority

RESOURCE = "https://mcp.example.com/mcp"
ISSUER = "https://partner.example.com"
SIGNS = Mint("ES256")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, tuple[Path, Path]]:
    return make_authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def provider() -> Provider:
    return Provider({"/jwks": Page(key_set(SIGNS.jwk)), "/oauth": Page(key_set(Mint().jwk))})


@pytest.fixture
def keys_at(provider: Provider, authority: tuple[Path, tuple[Path, Path]], ready: Machine) -> Iterator[str]:
    variables = {"CHEKT_MCP_ISSUER_HOSTS": "loopback", "CHEKT_MCP_ISSUER_CA_FILE": str(authority[0])}
    ready.variables.update(variables)
    with serving(provider, authority[1]) as address:
        yield address


def add(keys_at: str, *changes: str) -> tuple[str, ...]:
    given = ("--jwks", f"{keys_at}/jwks", "--issuer", ISSUER, "--apps", "shop", "--scopes", "keys:read")
    return ("partner", "add", "monitoring", *given, *changes)


def token(mint: Mint = SIGNS, **changed: object) -> str:
    now = int(time.time())  # the command's own clock
    claims = {"iss": ISSUER, "aud": RESOURCE, "sub": "dispatch", "jti": "one", "iat": now, "exp": now + 300}
    return mint.token({**claims, "scope": "keys:read", **changed}, typ="JWT" if mint is SIGNS else "at+jwt")


def test_a_partner_is_registered_listed_checked_and_removed(ready: Machine, keys_at: str) -> None:
    said = ready.ok(*add(keys_at))
    assert "Partner monitoring may sign for shop of dealer main." in said
    assert "It publishes 1 usable key now." in said
    assert ISSUER in ready.ok("partner", "list")
    for _ in range(2):  # a look uses nothing up
        checked = ready.ok("auth", "check", "--public-url", RESOURCE, typed=token())
        assert "Accepted: assertion of a partner" in checked
        assert "Principal: partner:monitoring#dispatch of dealer main" in checked
        assert "Scopes: keys:read" in checked
    assert "from the next call on" in ready.ok("partner", "remove", "monitoring")
    assert ready.ok("partner", "list") == "There is no partner.\n"
    refused = ready.run("auth", "check", "--public-url", RESOURCE, typed=token())
    assert (refused.code, refused.out.splitlines()[0]) == (1, "Refused: unknown_issuer")


def test_what_cannot_work_is_not_registered(ready: Machine) -> None:
    for changes, error in (
        (("--jwks", "http://partner.example.com/jwks"), "bad_url"),
        (("--issuer", "two words"), "bad_issuer"),
        (("--apps", "nowhere"), "unknown_app"),
        (("--apps", ","), "no_apps_named"),
        (("--scopes", "everything"), "unknown_scope"),
    ):
        refused = ready.run(*add("https://partner.example.com", *changes))
        assert (refused.code, refused.error) == (1, error)
    assert ready.ok("partner", "list") == "There is no partner.\n"


def test_a_name_is_given_once_and_unknown_ones_are_said_to_be_unknown(ready: Machine, keys_at: str) -> None:
    ready.ok(*add(keys_at))
    assert ready.run(*add(keys_at)).error == "partner_exists"
    unknown = ready.run("partner", "remove", "nobody")
    assert unknown.err.startswith("error: unknown_partner: ")
    assert "`chekt-mcp partner list` shows them." in unknown.err


def test_the_issuer_of_access_tokens_is_nobodys_partner(ready: Machine, keys_at: str) -> None:
    ready.variables.update(CHEKT_MCP_OAUTH_ISSUER=ISSUER, CHEKT_MCP_OAUTH_JWKS_URL=f"{keys_at}/oauth")
    assert ready.run(*add(keys_at)).error == "issuer_taken"


def test_keys_that_cannot_be_fetched_are_a_warning(ready: Machine, keys_at: str) -> None:
    done = ready.run(*add(keys_at, "--jwks", f"{keys_at}/nothing"))
    assert done.code == 0
    assert "warning: its keys cannot be fetched now" in done.err


def test_a_partner_needs_the_passphrase_where_there_is_one_and_taking_it_away_does_not(
    ready: Machine, keys_at: str
) -> None:
    ready.ok("app", "add", "prod", "--env", "live", "--passphrase-stdin", typed=f"{PASSPHRASE}\n")
    assert ready.run(*add(keys_at)).error == "passphrase_required"
    ready.ok(*add(keys_at, "--passphrase-stdin"), typed=f"{PASSPHRASE}\n")
    ready.ok("partner", "remove", "monitoring")


def test_an_access_token_is_explained(ready: Machine, keys_at: str) -> None:
    ready.variables.update(CHEKT_MCP_OAUTH_ISSUER="https://login.example.com")
    ready.variables.update(CHEKT_MCP_OAUTH_JWKS_URL=f"{keys_at}/oauth")
    claims: dict[str, object] = {"iss": "https://login.example.com", "chekt_dealer": "main", "chekt_apps": ["shop"]}
    good = ready.ok("auth", "check", "--public-url", RESOURCE, typed=f"Bearer {token(Mint(), **claims)}\n")
    assert "Accepted: OAuth 2.0 access token" in good
    for changed, code in (({"aud": "https://other.example.com"}, "wrong_audience"), ({"exp": 1}, "token_expired")):
        text = token(Mint(), **claims, **changed)
        refused = ready.run("auth", "check", "--public-url", RESOURCE, typed=text)
        assert (refused.code, refused.out.splitlines()[0]) == (1, f"Refused: {code}")
        assert len(refused.out.splitlines()) == 3
        assert text.split(".")[1] not in refused.out + refused.err


def test_a_key_is_explained_by_its_fingerprint(ready: Machine) -> None:
    value = (ready.secrets / "main" / "shop.api_key").read_text()
    good = ready.ok("auth", "check", typed=value)
    assert "Accepted: API key" in good
    assert value.strip()[12:] not in good
    refused = ready.run("auth", "check", typed="chekt_test_" + "EXAMPLE0" * 4)
    assert refused.out.startswith("Refused: unknown_key\n")
