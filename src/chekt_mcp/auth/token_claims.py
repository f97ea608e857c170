"""What a token says of itself, checked against what its issuer may say (RFC 7519, 4.1; RFC 9068, 4; RFC 8725, 3.8).

1. Issuer: exactly the one whose keys the signature was checked with.
2. Audience: this resource is in it (RFC 8707); a slash at the end makes no difference.
3. Times: `exp` and `iat` are there and are numbers; clocks may differ by 30 s.
4. Life: from `iat` to `exp` no longer than allowed.
5. Subject: there, and of a length that a log can hold.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

from chekt_mcp.auth.token_problem import Fault

LEEWAY = timedelta(seconds=30)
"""How far the issuer's clock may be off ours."""
LATEST = 253_402_300_799
"""The last second of the year 9999."""
_SUBJECT = re.compile("[^\x00-\x1f\x7f\ud800-\udfff]{1,200}")
_PLAIN = "!$&'()*+,;=:@/?|~"
"""Besides letters, digits and `_.-~`, what stands in a principal as it is."""


@dataclass(frozen=True, slots=True)
class Expected:
    """Who issued a token, for which resource, and how long it may live."""

    issuer: str
    resource: str
    longest: timedelta


@dataclass(frozen=True, slots=True)
class Checked:
    """Claims that hold. `subject` is percent-encoded where it is not plain ASCII, so no two look alike."""

    subject: str
    expires_at: datetime


def check_claims(claims: Mapping[str, object], expected: Expected, now: datetime) -> Checked | Fault:
    """Take the module's steps."""
    if claims.get("iss") != expected.issuer:
        return Fault.UNKNOWN_ISSUER
    if not _is_for(claims.get("aud"), expected.resource):
        return Fault.WRONG_AUDIENCE
    expires_at = check_times(claims, expected.longest, now)
    if isinstance(expires_at, Fault):
        return expires_at
    subject = read_subject(claims.get("sub"))
    return Fault.NO_SUBJECT if subject is None else Checked(subject, expires_at)


def check_times(claims: Mapping[str, object], longest: timedelta, now: datetime) -> datetime | Fault:
    """Take steps 3 and 4; return when the token ends."""
    issued_at, expires_at = _moment(claims.get("iat")), _moment(claims.get("exp"))
    if issued_at is None or expires_at is None:
        return Fault.NO_TIMES
    if issued_at > now + LEEWAY:
        return Fault.FROM_THE_FUTURE
    not_before = _moment(claims["nbf"]) if "nbf" in claims else issued_at
    if not_before is None or not_before > now + LEEWAY:
        return Fault.NOT_YET
    if now - LEEWAY >= expires_at:
        return Fault.EXPIRED
    return Fault.TOO_LONG_LIVED if expires_at - issued_at > longest else expires_at


def read_subject(value: object) -> str | None:
    """Return a subject, or a client, as principals and sessions have it; None where it cannot be one."""
    if not isinstance(value, str) or not _SUBJECT.fullmatch(value):
        return None
    return quote(value, safe=_PLAIN)


def _is_for(audience: object, resource: str) -> bool:
    named = audience if isinstance(audience, list) else [audience]
    return any(isinstance(one, str) and one.removesuffix("/") == resource.removesuffix("/") for one in named)


def _moment(value: object) -> datetime | None:
    """Read a NumericDate (RFC 7519, 2)."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= LATEST:
        return None
    return datetime.fromtimestamp(value, UTC)
