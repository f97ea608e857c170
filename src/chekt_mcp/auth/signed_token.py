"""A signed token by its form (RFC 7515 compact, RFC 7519), before anything in it is believed. RFC 8725 throughout.

1. Size, three parts, base64url as an encoder writes it.
2. The header: strict JSON, no key of its own, no extension, an algorithm and at most one short `kid`.
3. The claims: strict JSON.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from chekt_mcp.auth.strict_json import read_object
from chekt_mcp.auth.token_problem import Fault

LONGEST = 8_192
"""Characters of a token; what common servers take as one header line."""
LONGEST_NAME = 128
"""Characters of `alg`, `kid` and `typ`."""
_PARTS = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*){2,4}", re.ASCII)
_SIGNED, _ENCRYPTED = 3, 5
_OWN_KEYS = frozenset({"jwk", "jku", "x5c", "x5u"})


@dataclass(frozen=True, slots=True)
class SignedToken:
    """A token in parts. Nothing here is proven until its signature is.

    Attributes:
        typ: the type without `application/`, in lower case; "" where there is none.
    """

    algorithm: str
    key_id: str | None
    typ: str
    claims: Mapping[str, object] = field(repr=False)
    signing_input: bytes = field(repr=False)
    signature: bytes = field(repr=False)


def looks_signed(text: str) -> bool:
    """Tell whether this has the form of a signed or encrypted token, as opposed to one that only its issuer reads."""
    return len(text) <= LONGEST and _PARTS.fullmatch(text) is not None


def read_signed_token(text: str) -> SignedToken | Fault:
    """Take the module's steps."""
    parts = text.split(".") if looks_signed(text) else []
    if len(parts) == _ENCRYPTED:
        return Fault.ENCRYPTED
    raw = [_decoded(part) for part in parts]
    if len(raw) != _SIGNED or raw[0] is None or raw[1] is None or not raw[2]:
        return Fault.NOT_A_TOKEN
    header, claims = read_object(raw[0]), read_object(raw[1])
    if header is None or claims is None:
        return Fault.NOT_A_TOKEN
    named = _names(header)
    if isinstance(named, Fault):
        return named
    return SignedToken(*named, claims, text.rpartition(".")[0].encode(), raw[2])


def _names(header: Mapping[str, object]) -> tuple[str, str | None, str] | Fault:
    """Return algorithm, key id and type that a header names, if nothing in it is forbidden."""
    if "enc" in header or "zip" in header:
        return Fault.ENCRYPTED
    if "crit" in header or "b64" in header:
        return Fault.CRITICAL_HEADER
    if _OWN_KEYS & header.keys():
        return Fault.KEY_IN_HEADER
    algorithm, key_id, typ = header.get("alg"), header.get("kid"), header.get("typ", "")
    if not (_is_name(algorithm) and (key_id is None or _is_name(key_id)) and (typ == "" or _is_name(typ))):
        return Fault.NOT_A_TOKEN
    kind = str(typ).lower().removeprefix("application/")
    return str(algorithm), None if key_id is None else str(key_id), kind


def _is_name(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= LONGEST_NAME


def _decoded(part: str) -> bytes | None:
    """Decode base64url without padding, in the one spelling that encoding it again would give."""
    try:
        raw = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except (ValueError, binascii.Error):
        return None
    return raw if base64.urlsafe_b64encode(raw).rstrip(b"=") == part.encode() else None
