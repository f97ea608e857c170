"""Tokens as issuers sign them, and as attackers would like to: headers and claims as bytes, any key, any algorithm."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm, get_default_algorithms

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


def encoded(raw: bytes) -> str:
    """Return base64url without padding (RFC 7515, 2)."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


@cache
def private_key(algorithm: str, number: int = 0) -> PrivateKey:
    """Make a key once for each algorithm and number."""
    assert number >= 0
    if algorithm == "RS256":
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)
    if algorithm == "RS256 weak":
        return rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505 -- weak on purpose
    if algorithm == "ES256":
        return ec.generate_private_key(ec.SECP256R1())
    if algorithm == "ES384":
        return ec.generate_private_key(ec.SECP384R1())
    return ed25519.Ed25519PrivateKey.generate()


def jwk(key: PrivateKey, **members: object) -> dict[str, Any]:
    """Return the public half as an issuer publishes it (RFC 7517)."""
    public = key.public_key()
    if isinstance(public, rsa.RSAPublicKey):
        written = RSAAlgorithm.to_jwk(public, as_dict=True)
    elif isinstance(public, ec.EllipticCurvePublicKey):
        written = ECAlgorithm.to_jwk(public, as_dict=True)
    else:
        written = OKPAlgorithm.to_jwk(public, as_dict=True)
    written.pop("key_ops", None)
    return {**written, **members}


def key_set(*keys: Mapping[str, Any]) -> bytes:
    """Return a JWK Set."""
    return json.dumps({"keys": list(keys)}).encode()


def signed(header: bytes, claims: bytes, algorithm: str, key: Any) -> str:
    """Sign any bytes, well-formed or not; for HS256 `key` is the secret."""
    signing_input = f"{encoded(header)}.{encoded(claims)}"
    if algorithm == "HS256":
        signature = hmac.digest(key, signing_input.encode(), hashlib.sha256)
    else:
        signature = get_default_algorithms()[algorithm].sign(signing_input.encode(), key)
    return f"{signing_input}.{encoded(signature)}"


@dataclass(frozen=True)
class Mint:
    """An issuer's way to sign: one algorithm, one key."""

    algorithm: str = "RS256"
    kid: str | None = "key-1"
    number: int = 0

    @property
    def key(self) -> PrivateKey:
        return private_key(self.algorithm, self.number)

    @property
    def jwk(self) -> dict[str, Any]:
        return jwk(self.key, **({} if self.kid is None else {"kid": self.kid}))

    def token(self, claims: Mapping[str, object], **header: object) -> str:
        """Sign claims; a header member given as None is left out."""
        members = {"alg": self.algorithm, "typ": "at+jwt", "kid": self.kid, **header}
        kept = {name: value for name, value in members.items() if value is not None}
        return signed(json.dumps(kept).encode(), json.dumps(claims).encode(), self.algorithm, self.key)


def private_jwk(mint: Mint) -> dict[str, Any]:
    """Return an RSA key as nobody should publish it: with its private half."""
    assert isinstance(mint.key, rsa.RSAPrivateKey)
    written = RSAAlgorithm.to_jwk(mint.key, as_dict=True)
    written.pop("key_ops", None)
    return written
