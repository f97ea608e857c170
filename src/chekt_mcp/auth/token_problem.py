"""Why a token is refused: a code for the log, and what to do for whoever runs this server. No outsider reads either."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from chekt_mcp.auth.credential import Problem


class Fault(StrEnum):
    """Which check a token did not pass."""

    NOT_A_TOKEN = "not_a_token"  # noqa: S105 -- the name of a fault
    ENCRYPTED = "encrypted_token"
    CRITICAL_HEADER = "critical_header"
    KEY_IN_HEADER = "key_in_header"
    WRONG_ALGORITHM = "wrong_algorithm"
    WRONG_TYPE = "wrong_token_type"
    UNKNOWN_ISSUER = "unknown_issuer"
    UNKNOWN_SIGNING_KEY = "unknown_signing_key"
    AMBIGUOUS_SIGNING_KEY = "ambiguous_signing_key"
    WEAK_SIGNING_KEY = "weak_signing_key"
    BAD_SIGNATURE = "bad_signature"
    WRONG_AUDIENCE = "wrong_audience"
    NO_TIMES = "times_missing"
    EXPIRED = "token_expired"
    NOT_YET = "token_not_yet_valid"
    FROM_THE_FUTURE = "issued_in_the_future"
    TOO_LONG_LIVED = "token_lives_too_long"
    NO_SUBJECT = "subject_missing"
    NO_DEALER = "dealer_missing"
    NO_APPS = "apps_missing"
    UNKNOWN_APP = "token_for_unknown_app"
    NO_TOKEN_ID = "token_id_missing"  # noqa: S105 -- the name of a fault
    USED = "token_already_used"
    NOT_ACTIVE = "token_not_active"
    NOT_AN_APPROVER = "not_an_approver"
    OPAQUE = "opaque_token_not_taken"
    ISSUER_UNAVAILABLE = "issuer_unavailable"
    ISSUER_BUSY = "issuer_asked_too_often"


_SAID: Mapping[Fault, tuple[str, str]] = {
    Fault.NOT_A_TOKEN: (
        "It is no signed token that every program reads alike (three parts in base64url, plain JSON, 8 KiB at most).",
        "Send the access token exactly as it was issued, without quotes, spaces or line breaks.",
    ),
    Fault.ENCRYPTED: (
        "It is an encrypted token (JWE), and this server has no key to open one.",
        "Let the issuer sign access tokens without encrypting them.",
    ),
    Fault.CRITICAL_HEADER: (
        "Its header demands an extension (`crit`) that this server does not know.",
        "Let the issuer leave it out.",
    ),
    Fault.KEY_IN_HEADER: (
        "It brings its own key (`jwk`, `jku`, `x5c` or `x5u`), and a token cannot vouch for itself.",
        "Let the issuer leave that out and name its key by `kid`.",
    ),
    Fault.WRONG_ALGORITHM: (
        "It is signed with an algorithm that is not taken from this issuer.",
        "CHEKT_MCP_OAUTH_ALGORITHMS says which are (RS256, ES256, EdDSA); assertions are ES256.",
    ),
    Fault.WRONG_TYPE: (
        "Its type (`typ`) is not one that is taken: it may be an ID token or was made for something else.",
        "Send the access token; if the issuer gives those another type, say so in CHEKT_MCP_OAUTH_TYPES.",
    ),
    Fault.UNKNOWN_ISSUER: (
        "Nobody this server knows issued it: `iss` is neither CHEKT_MCP_OAUTH_ISSUER nor a partner's.",
        "Compare `iss` character for character; `chekt-mcp partner list` shows the partners' issuers.",
    ),
    Fault.UNKNOWN_SIGNING_KEY: (
        "Its issuer publishes no usable key of that `kid` and algorithm.",
        "If the issuer has just rotated its keys, try again in a minute; else look at the key set it publishes.",
    ),
    Fault.AMBIGUOUS_SIGNING_KEY: (
        "Its issuer publishes several keys that it could be signed with.",
        "Give every key a `kid` of its own, and name it in the token.",
    ),
    Fault.WEAK_SIGNING_KEY: (
        "Its issuer signs with a key that cannot be trusted: RSA below 2048 bits or above 8192, or published whole.",
        "Let the issuer rotate to a sound key.",
    ),
    Fault.BAD_SIGNATURE: ("Its signature is not its issuer's.", "It was changed, or signed with another key."),
    Fault.WRONG_AUDIENCE: (
        "It was issued for another server: `aud` does not hold this resource.",
        "Ask the issuer for a token with `resource` set to the URL that the metadata of this server names (RFC 8707).",
    ),
    Fault.NO_TIMES: (
        "It does not say when it was issued and when it ends (`iat`, `exp`).",
        "Let the issuer put both in.",
    ),
    Fault.EXPIRED: ("Its time is over.", "Get a fresh one. If it is fresh, compare the clocks."),
    Fault.NOT_YET: ("It is not valid yet (`nbf`).", "Wait, or compare the clocks of issuer and server."),
    Fault.FROM_THE_FUTURE: ("It was issued in the future (`iat`).", "Compare the clocks of issuer and server."),
    Fault.TOO_LONG_LIVED: (
        "It lives longer than is taken: 24 hours for an access token, 10 minutes for an assertion.",
        "Let the issuer shorten it.",
    ),
    Fault.NO_SUBJECT: (
        "It does not say for whom it was issued (`sub`).",
        "Let the issuer put a stable subject in, of 200 characters at most.",
    ),
    Fault.NO_DEALER: (
        "It names no dealer.",
        "Let the issuer put one into the claim CHEKT_MCP_OAUTH_DEALER_CLAIM, or set CHEKT_MCP_OAUTH_DEALER.",
    ),
    Fault.NO_APPS: (
        "It names no app.",
        "Let the issuer put them into the claim CHEKT_MCP_OAUTH_APPS_CLAIM, or set CHEKT_MCP_OAUTH_APPS.",
    ),
    Fault.UNKNOWN_APP: (
        "It names an app that the dealer does not have here.",
        "`chekt-mcp app list` shows which there are; every app a token names must be one of them.",
    ),
    Fault.NO_TOKEN_ID: ("It has no id (`jti`), so it could be used again.", "Put one in, new for every assertion."),
    Fault.USED: ("It has been used already.", "Sign a new assertion for every request."),
    Fault.NOT_ACTIVE: ("Its issuer says that it is not active.", "It has ended or was revoked: get a fresh one."),
    Fault.NOT_AN_APPROVER: (
        "Its issuer does not name its subject an approver.",
        "Let the issuer set the claim CHEKT_MCP_OAUTH_APPROVER_CLAIM to true for those who approve.",
    ),
    Fault.OPAQUE: (
        "It is neither an API key nor a signed token, and no issuer is set that could be asked about it.",
        "Send an API key or a signed access token, or set CHEKT_MCP_OAUTH_INTROSPECTION_URL.",
    ),
    Fault.ISSUER_UNAVAILABLE: (
        "Its issuer cannot be asked, and what it published is too old to go by.",
        "Look whether this server reaches the issuer; what is there is asked again within half a minute.",
    ),
    Fault.ISSUER_BUSY: (
        "Its issuer has been asked about too many tokens in a short time.",
        "Wait a minute. If it stays so, somebody is trying tokens: see the refused credentials in the log.",
    ),
}

PASSING = frozenset({Fault.ISSUER_UNAVAILABLE, Fault.ISSUER_BUSY})
"""Faults of the moment: another time the same token may be taken."""


def problem_of(fault: Fault) -> Problem:
    """Say a fault in words."""
    message, fix = _SAID[fault]
    return Problem(fault.value, message, fix)
