"""An OAuth access token opens what its apps hold here; every way to forge, bend or outlive one is refused by name."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st
from mcp.server.auth.provider import principal_components

from chekt_mcp.auth.access_token import AccessTokens, Issuer
from chekt_mcp.auth.bearer import BearerTokens
from chekt_mcp.auth.granted import GrantedToken, Refused
from chekt_mcp.auth.key_set import KeySet
from chekt_mcp.auth.signed_token import LONGEST, SignedToken, read_signed_token
from chekt_mcp.auth.token_problem import Fault, problem_of
from chekt_mcp.domain.app import App, Authority, ConfirmBy, Environment
from chekt_mcp.domain.scope import Scope
from chekt_mcp.storage.interface import Storage
from token_mint import Mint, encoded, jwk, key_set, private_jwk, private_key, signed

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)
AT = int(NOW.timestamp())
ISSUER = "https://login.example.com"
RESOURCE = "https://mcp.example.com/mcp"
RS256 = Mint()
ALL_ALGORITHMS = frozenset({"RS256", "ES256", "EdDSA"})
CLAIMS: Mapping[str, object] = {
    "iss": ISSUER,
    "aud": RESOURCE,
    "sub": "kim",
    "client_id": "assistant",
    "iat": AT,
    "exp": AT + 3600,
    "scope": "keys:read operators:read",
    "chekt_dealer": "acme",
    "chekt_apps": ["front-desk"],
}


def app(name: str, *scopes: Scope) -> App:
    return App("acme", name, Environment.TEST, Authority.LOCAL, frozenset(scopes), ConfirmBy.CLIENT, NOW)


class Apps:
    """The part of a store that a token's grant is cut down to."""

    def __init__(self) -> None:
        self.known = {
            "front-desk": app("front-desk", Scope.KEYS_READ, Scope.OPERATORS_READ, Scope.ALLOWLIST_READ),
            "shop": app("shop", Scope.KEYS_READ),
        }

    async def app(self, dealer: str, name: str) -> App | None:
        return self.known.get(name) if dealer == "acme" else None

    async def read(self, work: Any) -> Any:
        return await work(self)


def verifier(*keys: Mapping[str, Any], issuer: Issuer | None = None) -> BearerTokens:
    async def fetch() -> bytes | None:
        return key_set(*(keys or (RS256.jwk,)))

    storage = cast("Storage", Apps())
    taken = issuer or Issuer(ISSUER, ALL_ALGORITHMS)
    return BearerTokens(storage, lambda: NOW, AccessTokens(storage, taken, RESOURCE, KeySet(fetch)))


async def granted(token: str, tokens: BearerTokens | None = None) -> GrantedToken:
    found = await (tokens or verifier()).judge(token, NOW)
    assert isinstance(found, GrantedToken), found
    return found


async def fault(token: str, tokens: BearerTokens | None = None) -> str:
    found = await (tokens or verifier()).judge(token, NOW)
    assert isinstance(found, Refused)
    assert await (tokens or verifier()).verify_token(token) is None
    return found.problem.code


@pytest.mark.parametrize("algorithm", sorted(ALL_ALGORITHMS))
async def test_a_token_signed_by_the_issuer_opens_what_it_says(algorithm: str) -> None:
    mint = Mint(algorithm)
    found = await granted(mint.token(CLAIMS), verifier(mint.jwk))
    grant = found.grant
    assert (grant.credential, grant.principal) == ("oauth", f"oauth:{ISSUER}#kim")
    assert (grant.dealer, grant.app, grant.apps) == ("acme", "front-desk", ("front-desk",))
    assert grant.scopes == {Scope.KEYS_READ, Scope.OPERATORS_READ}
    assert (found.expires_at, found.resource) == (AT + 3600, RESOURCE)


async def test_sessions_belong_to_dealer_client_issuer_and_subject_and_outlive_a_refresh() -> None:
    first, second = await granted(RS256.token(CLAIMS)), await granted(RS256.token({**CLAIMS, "jti": "next"}))
    assert principal_components(first) == principal_components(second) == ("acme/assistant", ISSUER, "kim")
    assert first.token not in RS256.token(CLAIMS)


def header_change(**members: object) -> Callable[[], str]:
    return lambda: RS256.token(CLAIMS, **members)


def without_signature(algorithm: str) -> Callable[[], str]:
    header = encoded(json.dumps({"alg": algorithm, "typ": "at+jwt", "kid": "key-1"}).encode())
    return lambda: f"{header}.{encoded(json.dumps(CLAIMS).encode())}."


def shared_secret(form: PublicFormat, encoding: Encoding) -> Callable[[], str]:
    """Sign with the public key as if it were a shared secret (RFC 8725, 2.1)."""

    def forged() -> str:
        secret = RS256.key.public_key().public_bytes(encoding, form)
        header = json.dumps({"alg": "HS256", "typ": "at+jwt", "kid": "key-1"}).encode()
        return signed(header, json.dumps(CLAIMS).encode(), "HS256", secret)

    return forged


def raw(header: bytes, claims: bytes) -> Callable[[], str]:
    return lambda: signed(header, claims, "RS256", RS256.key)


HEADER = b'{"alg":"RS256","typ":"at+jwt","kid":"key-1"}'
PLAIN = json.dumps(CLAIMS).encode()
FORGERIES: dict[str, tuple[Callable[[], str], Fault]] = {
    "none": (without_signature("none"), Fault.NOT_A_TOKEN),
    "none signed": (header_change(alg="none"), Fault.WRONG_ALGORITHM),
    "nOnE": (header_change(alg="nOnE"), Fault.WRONG_ALGORITHM),
    "HS256 PEM": (shared_secret(PublicFormat.SubjectPublicKeyInfo, Encoding.PEM), Fault.WRONG_ALGORITHM),
    "HS256 DER": (shared_secret(PublicFormat.SubjectPublicKeyInfo, Encoding.DER), Fault.WRONG_ALGORITHM),
    "HS256 PKCS1": (shared_secret(PublicFormat.PKCS1, Encoding.PEM), Fault.WRONG_ALGORITHM),
    "RS384": (header_change(alg="RS384"), Fault.WRONG_ALGORITHM),
    "PS256": (header_change(alg="PS256"), Fault.WRONG_ALGORITHM),
    "no alg": (header_change(alg=None), Fault.NOT_A_TOKEN),
    "alg list": (header_change(alg=["RS256"]), Fault.NOT_A_TOKEN),
    "other type of key": (header_change(alg="ES256"), Fault.UNKNOWN_SIGNING_KEY),
    "kid path": (header_change(kid="../../../../dev/null"), Fault.UNKNOWN_SIGNING_KEY),
    "kid SQL": (header_change(kid="' UNION SELECT 'x' --"), Fault.UNKNOWN_SIGNING_KEY),
    "kid URL": (header_change(kid="https://attacker.example/key"), Fault.UNKNOWN_SIGNING_KEY),
    "kid NUL": (header_change(kid="key-1\x00"), Fault.UNKNOWN_SIGNING_KEY),
    "kid long": (header_change(kid="k" * 129), Fault.NOT_A_TOKEN),
    "kid empty": (header_change(kid=""), Fault.NOT_A_TOKEN),
    "kid number": (header_change(kid=1), Fault.NOT_A_TOKEN),
    "kid object": (header_change(kid={"$ne": ""}), Fault.NOT_A_TOKEN),
    "jwk": (header_change(jwk=jwk(private_key("RS256", 9))), Fault.KEY_IN_HEADER),
    "jku": (header_change(jku="https://attacker.example/keys"), Fault.KEY_IN_HEADER),
    "x5u": (header_change(x5u="https://attacker.example/chain"), Fault.KEY_IN_HEADER),
    "x5c": (header_change(x5c=["MIIB"]), Fault.KEY_IN_HEADER),
    "crit": (header_change(crit=["exp"]), Fault.CRITICAL_HEADER),
    "crit empty": (header_change(crit=[]), Fault.CRITICAL_HEADER),
    "b64": (header_change(b64=False), Fault.CRITICAL_HEADER),
    "enc": (header_change(enc="A256GCM"), Fault.ENCRYPTED),
    "JWE": (lambda: "eyJhbGciOiJSU0EtT0FFUCJ9.AA.AA.AA.AA", Fault.ENCRYPTED),
    "four parts": (lambda: RS256.token(CLAIMS) + ".AA", Fault.NOT_A_TOKEN),
    "two parts": (lambda: RS256.token(CLAIMS).rpartition(".")[0], Fault.OPAQUE),
    "typ JWT": (header_change(typ="JWT"), Fault.WRONG_TYPE),
    "typ missing": (header_change(typ=None), Fault.WRONG_TYPE),
    "typ of something else": (header_change(typ="secevent+jwt"), Fault.WRONG_TYPE),
    "typ number": (header_change(typ=7), Fault.NOT_A_TOKEN),
    "header twice": (raw(b'{"alg":"none","alg":"RS256","kid":"key-1"}', PLAIN), Fault.NOT_A_TOKEN),
    "header array": (raw(b"[]", PLAIN), Fault.NOT_A_TOKEN),
    "header not JSON": (raw(b"alg=RS256", PLAIN), Fault.NOT_A_TOKEN),
    "header not UTF-8": (raw(b'{"alg":"\xff"}', PLAIN), Fault.NOT_A_TOKEN),
    "claims twice": (raw(HEADER, PLAIN[:-1] + b',"sub":"root"}'), Fault.NOT_A_TOKEN),
    "claims twice inside": (raw(HEADER, PLAIN[:-1] + b',"act":{"sub":"a","sub":"b"}}'), Fault.NOT_A_TOKEN),
    "claims bomb": (raw(HEADER, b'{"a":' + b"[" * 2000 + b"]" * 2000 + b"}"), Fault.NOT_A_TOKEN),
    "header bomb": (raw(b'{"a":' + b"[" * 2000 + b"]" * 2000 + b"}", PLAIN), Fault.NOT_A_TOKEN),
    "claims array": (raw(HEADER, b"[]"), Fault.NOT_A_TOKEN),
    "claims with more after": (raw(HEADER, PLAIN + b"{}"), Fault.NOT_A_TOKEN),
    "claims NaN": (raw(HEADER, PLAIN[:-1] + b',"nbf":NaN}'), Fault.NOT_A_TOKEN),
    "claims of 5,000 digits": (raw(HEADER, PLAIN[:-1] + b',"nbf":' + b"9" * 5000 + b"}"), Fault.NOT_A_TOKEN),
    "enormous": (lambda: RS256.token({**CLAIMS, "pad": "x" * LONGEST}), Fault.NOT_A_TOKEN),
    "padding": (lambda: RS256.token(CLAIMS) + "==", Fault.OPAQUE),
    "line break": (lambda: RS256.token(CLAIMS) + "\n", Fault.OPAQUE),
    "changed": (lambda: swapped_claims(RS256.token(CLAIMS)), Fault.BAD_SIGNATURE),
    "another's key": (lambda: Mint(number=1).token(CLAIMS), Fault.BAD_SIGNATURE),
    "signature of nothing": (lambda: RS256.token(CLAIMS).rpartition(".")[0] + ".AAAA", Fault.BAD_SIGNATURE),
    "signature spelt otherwise": (lambda: respelt(RS256.token(CLAIMS)), Fault.NOT_A_TOKEN),
}


def swapped_claims(token: str) -> str:
    header, _, signature = token.split(".")
    return f"{header}.{encoded(json.dumps({**CLAIMS, 'sub': 'root'}).encode())}.{signature}"


def respelt(token: str) -> str:
    """Change bits of the last character that carry nothing: other text, the same bytes."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return token[:-1] + alphabet[alphabet.index(token[-1]) ^ 1]


@pytest.mark.parametrize("name", FORGERIES)
async def test_a_forged_or_bent_token_is_refused(name: str) -> None:
    forged, expected = FORGERIES[name]
    assert await fault(forged()) == expected


def times(**changed: object) -> dict[str, object]:
    return {name: value for name, value in {**CLAIMS, **changed}.items() if value is not None}


BAD_CLAIMS: dict[str, tuple[dict[str, object], Fault]] = {
    "other issuer": (times(iss="https://login.example.com.attacker.example"), Fault.UNKNOWN_ISSUER),
    "issuer with a slash": (times(iss=ISSUER + "/"), Fault.UNKNOWN_ISSUER),
    "issuer list": (times(iss=[ISSUER]), Fault.UNKNOWN_ISSUER),
    "no issuer": (times(iss=None), Fault.UNKNOWN_ISSUER),
    "other audience": (times(aud="https://other.example.com/mcp"), Fault.WRONG_AUDIENCE),
    "audience of the site": (times(aud="https://mcp.example.com"), Fault.WRONG_AUDIENCE),
    "no audience": (times(aud=None), Fault.WRONG_AUDIENCE),
    "audience object": (times(aud={RESOURCE: 1}), Fault.WRONG_AUDIENCE),
    "nested audience": (times(aud=[[RESOURCE]]), Fault.WRONG_AUDIENCE),
    "no end": (times(exp=None), Fault.NO_TIMES),
    "no beginning": (times(iat=None), Fault.NO_TIMES),
    "end as text": (times(exp=str(AT + 60)), Fault.NO_TIMES),
    "end as truth": (times(exp=True), Fault.NO_TIMES),
    "end beyond time": (times(exp=1e300), Fault.NO_TIMES),
    "end before time": (times(exp=-1), Fault.NO_TIMES),
    "over": (times(exp=AT - 30), Fault.EXPIRED),
    "future": (times(iat=AT + 31), Fault.FROM_THE_FUTURE),
    "not yet": (times(nbf=AT + 31), Fault.NOT_YET),
    "not before what": (times(nbf="now"), Fault.NOT_YET),
    "overlong": (times(exp=AT + 24 * 3600 + 1), Fault.TOO_LONG_LIVED),
    "without an end, as some say it": (times(exp=253_402_300_799), Fault.TOO_LONG_LIVED),
    "no subject": (times(sub=None), Fault.NO_SUBJECT),
    "empty subject": (times(sub=""), Fault.NO_SUBJECT),
    "subject of two lines": (times(sub="kim\nroot"), Fault.NO_SUBJECT),
    "half a character": (times(sub="\ud800"), Fault.NO_SUBJECT),
    "endless subject": (times(sub="k" * 201), Fault.NO_SUBJECT),
    "no dealer": (times(chekt_dealer=None), Fault.NO_DEALER),
    "dealer of another form": (times(chekt_dealer="../acme"), Fault.NO_DEALER),
    "no apps": (times(chekt_apps=None), Fault.NO_APPS),
    "too many apps": (times(chekt_apps=[f"app-{number}" for number in range(101)]), Fault.NO_APPS),
    "unknown app": (times(chekt_apps=["front-desk", "nowhere"]), Fault.UNKNOWN_APP),
    "another dealer's app": (times(chekt_dealer="other"), Fault.UNKNOWN_APP),
}


@pytest.mark.parametrize("name", BAD_CLAIMS)
async def test_claims_that_do_not_hold_are_refused(name: str) -> None:
    claims, expected = BAD_CLAIMS[name]
    assert await fault(RS256.token(claims)) == expected


@pytest.mark.parametrize(
    "claims",
    [
        times(exp=AT - 29),
        times(iat=AT + 30, nbf=AT + 30),
        times(exp=AT + 24 * 3600),
        times(aud=["https://other.example.com", RESOURCE + "/"]),
        times(exp=AT + 0.5),
        times(client_id="\ud800"),
    ],
)
async def test_claims_at_the_edge_of_what_is_allowed_hold(claims: dict[str, object]) -> None:
    token = await granted(RS256.token(claims))
    assert token.grant.app == "front-desk"
    assert token.model_dump_json()  # sessions and what clients carry are tied to it, written out


@pytest.mark.parametrize(
    ("claims", "apps", "scopes"),
    [
        (times(scope="keys:read keys:write admin *"), ("front-desk",), {"keys:read"}),
        (times(scope=None, scp=["allowlist:read"]), ("front-desk",), {"allowlist:read"}),
        (times(scope=None), ("front-desk",), set()),
        (times(scope={"keys:read": True}), ("front-desk",), set()),
        (times(chekt_apps="front-desk shop"), ("front-desk", "shop"), {"keys:read"}),
        (times(chekt_apps=["shop", "shop"], scope="operators:read"), ("shop",), set()),
    ],
)
async def test_a_token_never_opens_more_than_every_one_of_its_apps_holds(
    claims: dict[str, object], apps: tuple[str, ...], scopes: set[str]
) -> None:
    grant = (await granted(RS256.token(claims))).grant
    assert (grant.apps, set(grant.scopes)) == (apps, scopes)


async def test_a_scope_taken_from_the_app_is_gone_from_its_tokens_at_once() -> None:
    tokens, token = verifier(), RS256.token(CLAIMS)
    assert Scope.KEYS_READ in (await granted(token, tokens)).grant.scopes
    cast("Apps", tokens.storage).known["front-desk"] = app("front-desk", Scope.OPERATORS_READ)
    assert (await granted(token, tokens)).grant.scopes == {Scope.OPERATORS_READ}


async def test_an_operator_can_name_dealer_apps_claims_and_types_of_an_issuer() -> None:
    issuer = Issuer(ISSUER, types=frozenset({"jwt"}), dealer="acme", apps_claim="groups", apps=("shop",))
    claims = times(chekt_dealer=None, chekt_apps=["front-desk"])
    tokens = verifier(issuer=issuer)
    assert (await granted(RS256.token(claims, typ="JWT"), tokens)).grant.apps == ("shop",)
    assert (await granted(RS256.token(claims, typ=None), tokens)).grant.apps == ("shop",)
    assert (
        await granted(RS256.token({**claims, "groups": ["front-desk"]}, typ="JWT"), tokens)
    ).grant.app == "front-desk"
    assert await fault(RS256.token(claims), tokens) == Fault.WRONG_TYPE


async def test_subjects_that_look_alike_stay_apart() -> None:
    names = [(await granted(RS256.token(times(sub=sub)))).grant.principal for sub in ("a b", "a%20b", "\u0430", "a")]
    assert len(set(names)) == 4
    assert all(name.isascii() and " " not in name for name in names)


@pytest.mark.parametrize(
    ("published", "expected"),
    [
        (lambda: (jwk(private_key("RS256 weak"), kid="key-1"),), Fault.WEAK_SIGNING_KEY),
        (lambda: ({**private_jwk(RS256), "kid": "key-1"},), Fault.WEAK_SIGNING_KEY),
        (lambda: ({**RS256.jwk, "n": "!!"},), Fault.WEAK_SIGNING_KEY),
        (lambda: ({**RS256.jwk, "use": "enc"},), Fault.UNKNOWN_SIGNING_KEY),
        (lambda: ({**RS256.jwk, "key_ops": ["encrypt"]},), Fault.UNKNOWN_SIGNING_KEY),
        (lambda: ({**RS256.jwk, "alg": "RS512"},), Fault.UNKNOWN_SIGNING_KEY),
        (lambda: ({**RS256.jwk, "kid": "k" * 129},), Fault.UNKNOWN_SIGNING_KEY),
        (lambda: ({"kty": "oct", "k": "AAAA", "kid": "key-1", "alg": "HS256"},), Fault.UNKNOWN_SIGNING_KEY),
        (lambda: ({"kty": ["RSA"], "kid": "key-1"},), Fault.UNKNOWN_SIGNING_KEY),
        (lambda: (jwk(private_key("ES384"), kid="key-1"),), Fault.UNKNOWN_SIGNING_KEY),
        (lambda: (RS256.jwk, Mint(number=1).jwk), Fault.AMBIGUOUS_SIGNING_KEY),
    ],
)
async def test_a_key_that_is_weak_or_not_for_this_checks_no_signature(
    published: Callable[[], tuple[dict[str, Any], ...]], expected: Fault
) -> None:
    mint = Mint("RS256 weak") if expected is Fault.WEAK_SIGNING_KEY else RS256
    token = signed(HEADER, PLAIN, "RS256", mint.key)
    assert await fault(token, verifier(*published())) == expected


@pytest.mark.parametrize("algorithm", sorted(ALL_ALGORITHMS))
@pytest.mark.parametrize("length", [1, 63, 64, 65, 256, 1000])
async def test_a_signature_of_any_length_is_refused_unless_it_is_the_issuers(algorithm: str, length: int) -> None:
    mint = Mint(algorithm)
    unsigned = mint.token(CLAIMS).rpartition(".")[0]
    assert await fault(f"{unsigned}.{encoded(bytes(length))}", verifier(mint.jwk)) == Fault.BAD_SIGNATURE


async def test_a_token_without_kid_needs_an_issuer_with_one_key_for_its_algorithm() -> None:
    token = RS256.token(CLAIMS, kid=None)
    assert (await granted(token, verifier(RS256.jwk, Mint("ES256").jwk))).grant.app == "front-desk"
    assert await fault(token, verifier(RS256.jwk, Mint(kid="key-2", number=1).jwk)) == Fault.AMBIGUOUS_SIGNING_KEY


@given(
    st.text(alphabet="eyJ.AQ-_=\x00é ", max_size=60) | st.binary(max_size=90).map(lambda raw: f"eyJ.{encoded(raw)}.A")
)
def test_whatever_comes_is_read_or_refused(text: str) -> None:
    assert isinstance(read_signed_token(text), SignedToken | Fault)


@given(st.binary(max_size=60), st.binary(max_size=60))
def test_what_is_read_is_what_was_signed(header: bytes, claims: bytes) -> None:
    token = read_signed_token(f"{encoded(header)}.{encoded(claims)}.AAAA")
    assert isinstance(token, Fault) or token.claims == json.loads(claims)


def test_every_fault_says_what_to_do() -> None:
    for one in Fault:
        said = problem_of(one)
        assert said.code == one
        assert said.message.endswith(".")
        assert said.fix.endswith(".")


async def test_time_is_judged_by_the_clock_passed_in() -> None:
    tokens, token = verifier(), RS256.token(CLAIMS)
    late = await tokens.judge(token, NOW + timedelta(hours=1, seconds=30))
    assert isinstance(late, Refused)
    assert late.problem.code == Fault.EXPIRED
