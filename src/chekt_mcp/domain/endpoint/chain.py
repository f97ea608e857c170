"""Whether a certificate leads to a public authority (RFC 5280 section 6), and what to do when it does not."""

from __future__ import annotations

from enum import StrEnum

from chekt_mcp.domain.endpoint.finding import INTERNAL_AUTHORITY, Code, Finding, critical


class Chain(StrEnum):
    """How the check of the chain ended."""

    TRUSTED = "trusted"
    NOT_CHECKED = "not_checked"
    SELF_SIGNED = "self_signed"
    UNKNOWN_AUTHORITY = "unknown_authority"
    ISSUER_MISSING = "issuer_missing"
    EXPIRED = "expired"
    WEAK = "weak"
    WRONG_PURPOSE = "wrong_purpose"
    BROKEN = "broken"


_PUBLIC = "Use a certificate of a public authority. "
_FINDINGS = {
    Chain.SELF_SIGNED: critical(
        Code.SELF_SIGNED,
        "The certificate is self-signed: nobody but its owner vouches for it.",
        _PUBLIC + INTERNAL_AUTHORITY,
    ),
    Chain.UNKNOWN_AUTHORITY: critical(
        Code.CHAIN_NOT_TRUSTED,
        "The certificate comes from an authority that is not public.",
        _PUBLIC + INTERNAL_AUTHORITY,
    ),
    Chain.ISSUER_MISSING: critical(
        Code.CHAIN_NOT_TRUSTED,
        "No chain leads from the certificate to a public authority: the server does not send the intermediate "
        "certificate (browsers often find it by themselves, webhook senders do not), or the authority is not public.",
        "Serve the full chain (fullchain.pem instead of cert.pem). For an internal authority: " + INTERNAL_AUTHORITY,
    ),
    Chain.EXPIRED: critical(
        Code.CHAIN_EXPIRED,
        "A certificate in the chain above the server's own is expired or not yet valid.",
        "Serve the current intermediate certificates of the authority.",
    ),
    Chain.WEAK: critical(
        Code.WEAK_SIGNATURE,
        "A certificate in the chain has a key or a signature that is too weak.",
        "Serve the current intermediate certificates of the authority, or have the certificate issued anew.",
    ),
    Chain.WRONG_PURPOSE: critical(
        Code.CHAIN_NOT_TRUSTED,
        "The certificate, or one in its chain, was not issued for web servers.",
        "Have one issued for server authentication.",
    ),
    Chain.BROKEN: critical(
        Code.CHAIN_NOT_TRUSTED,
        "The chain of the certificate does not stand up to a check.",
        "Serve the chain exactly as the authority issued it.",
    ),
}


def chain_finding(chain: Chain) -> Finding | None:
    """Return what is wrong with the chain; None when it is trusted, or could not be checked."""
    return _FINDINGS.get(chain)
