"""The keys an issuer publishes (JWK Set, RFC 7517), and whether a token is signed by one. Signatures are PyJWT's.

A key has one algorithm, told by its own type and never by a token: with that no token can make a public key a shared
secret (RFC 8725, 2.1). What is not meant for signatures, is weak, or is published with its private half opens nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from chekt_mcp.auth.signed_token import LONGEST_NAME, SignedToken
from chekt_mcp.auth.strict_json import read_object
from chekt_mcp.auth.token_problem import Fault

if TYPE_CHECKING:
    from jwt.algorithms import Algorithm

MOST_KEYS = 100
SMALLEST_RSA, LARGEST_RSA = 2048, 8192
"""Bits: below, it can be broken; above, checking one signature takes longer than a call is worth."""
ALGORITHMS = {"RSA": "RS256", "EC P-256": "ES256", "OKP Ed25519": "EdDSA"}
"""Key type and curve → the one algorithm it is used with here (RFC 7518, RFC 8037)."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A published key. `public` is None where it must not be used, however well a signature fits."""

    key_id: str | None
    algorithm: str
    public: Any = field(repr=False)


def read_keys(document: bytes) -> tuple[SigningKey, ...] | None:
    """Return the keys of a JWK Set that are for signatures, or None when it is no such document."""
    found = read_object(document)
    keys = None if found is None else found.get("keys")
    if not isinstance(keys, list) or len(keys) > MOST_KEYS:
        return None
    return tuple(key for one in keys if isinstance(one, dict) and (key := _key(one)))


def choose(keys: Sequence[SigningKey], algorithm: str, key_id: str | None) -> SigningKey | Fault:
    """Return the one key that a token names; without a `kid`, the only one there is for its algorithm."""
    fitting = [key for key in keys if key.algorithm == algorithm and key_id in (None, key.key_id)]
    if not fitting:
        return Fault.UNKNOWN_SIGNING_KEY
    if len(fitting) > 1:
        return Fault.AMBIGUOUS_SIGNING_KEY
    return Fault.WEAK_SIGNING_KEY if fitting[0].public is None else fitting[0]


def signed_by(token: SignedToken, key: SigningKey) -> bool:
    """Tell whether `key` made the token's signature, with the key's own algorithm."""
    return bool(_algorithms()[key.algorithm].verify(token.signing_input, key.public, token.signature))


@cache
def _algorithms() -> Mapping[str, Algorithm]:
    """Return PyJWT's algorithms by name; making them takes longer than checking a signature."""
    from jwt.algorithms import get_default_algorithms  # noqa: PLC0415 -- start-up is measured; stdio has no tokens

    return get_default_algorithms()


def _key(jwk: Mapping[str, Any]) -> SigningKey | None:
    kind = "RSA" if jwk.get("kty") == "RSA" else f"{jwk.get('kty')} {jwk.get('crv')}"
    algorithm = ALGORITHMS.get(kind)
    key_id, operations = jwk.get("kid"), jwk.get("key_ops", ["verify"])
    if algorithm is None or jwk.get("alg", algorithm) != algorithm or jwk.get("use", "sig") != "sig":
        return None
    if not isinstance(operations, list) or "verify" not in operations:
        return None
    if not (key_id is None or (isinstance(key_id, str) and 0 < len(key_id) <= LONGEST_NAME)):
        return None
    return SigningKey(key_id, algorithm, None if "d" in jwk else _public(jwk, algorithm))


def _public(jwk: Mapping[str, Any], algorithm: str) -> Any:
    from jwt.exceptions import PyJWTError  # noqa: PLC0415 -- as above

    try:
        public = _algorithms()[algorithm].from_jwk(dict(jwk))
    except (PyJWTError, ValueError, TypeError, AttributeError, OverflowError):
        return None
    size = getattr(public, "key_size", SMALLEST_RSA) if algorithm == "RS256" else SMALLEST_RSA
    return public if SMALLEST_RSA <= size <= LARGEST_RSA else None
