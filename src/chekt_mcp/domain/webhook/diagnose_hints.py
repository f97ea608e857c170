"""Diagnosis where no signature fits: what can be read off the delivery, said as no more than it is."""

from __future__ import annotations

import re
from collections.abc import Sequence

from chekt_mcp.domain.webhook.cause import Cause
from chekt_mcp.domain.webhook.delivery import OLDER_SIGNATURE_HEADER
from chekt_mcp.domain.webhook.diagnose_headers import Values, claims
from chekt_mcp.domain.webhook.diagnose_secret import doubtful_secret
from chekt_mcp.domain.webhook.signature import SigningSecret

_EMPTY_VALUES = (b"{}", b"[]", b"null", b'""', b"undefined")
_PAGE = re.compile(rb"\s*<(?:!doctype|html|\?xml)", re.IGNORECASE)
_PRINTED = re.compile(rb"\[object \w+\]|b['\"].*|\{'.*|<.* object at 0x.*", re.DOTALL)
_REPLACEMENT_CHARACTER = b"\xef\xbf\xbd"
_DIGITS = re.compile(r"[0-9]{1,12}")


def hint(defect: Cause | None, values: Values, body: bytes, secrets: Sequence[SigningSecret]) -> Cause | None:
    """Return a cause that needs no proof by signature, or None. `defect` is the cause `verify` gave.

    A malformed header decides: it is what stands in the way, whatever else there is.
    """
    if defect is Cause.SIGNATURE_HEADER_MISSING and values.get(OLDER_SIGNATURE_HEADER.lower()):
        return Cause.ONLY_OLDER_SIGNATURE_HEADER
    if any(claim.causes == (Cause.HEADERS_SWAPPED,) for claim in claims(values)):
        return Cause.HEADERS_SWAPPED
    if defect is not Cause.SIGNATURE_MISMATCH:
        return defect
    return doubtful_secret(secrets) or doubtful_body(values, body)


def doubtful_body(values: Values, body: bytes) -> Cause | None:
    """Return what speaks against `body` being the one that was sent."""
    stripped = body.strip()
    if not stripped:
        return Cause.BODY_EMPTY
    if stripped in _EMPTY_VALUES or _PAGE.match(body):
        return Cause.BODY_REPLACED
    if _PRINTED.fullmatch(stripped):
        return Cause.BODY_IS_PRINTED_OBJECT
    if _REPLACEMENT_CHARACTER in body:
        return Cause.UNDECODABLE_BYTES_REPLACED
    return Cause.BODY_LENGTH_DIFFERS if _length_differs(values, body) else None


def _length_differs(values: Values, body: bytes) -> bool:
    lengths = {text for text in values.get("content-length", []) if isinstance(text, str) and _DIGITS.fullmatch(text)}
    encoded = values.get("content-encoding", ["identity"]) != ["identity"]
    return len(lengths) == 1 and int(lengths.pop()) != len(body) and not encoded
