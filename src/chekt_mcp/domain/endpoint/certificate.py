"""What a server's certificate says, and what is wrong with it at a given moment (RFC 5280, RFC 9525)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from chekt_mcp.domain.allow_list.address import read_address
from chekt_mcp.domain.endpoint.finding import Code, Finding, critical, warning
from chekt_mcp.domain.wording import counted

EXPIRES_SOON = timedelta(days=21)
LEAST_BITS = {"RSA": 2048, "EC": 256}
"""What public authorities may sign (CA/Browser Forum baseline requirements, section 6.1.5)."""
SOUND_KEYS = frozenset(("RSA", "EC", "Ed25519", "Ed448"))
BROKEN_HASHES = frozenset(("md2", "md4", "md5", "sha1"))


@dataclass(frozen=True, slots=True)
class CertificateFacts:
    """A certificate as read.

    Attributes:
        subject, issuer: distinguished names (RFC 4514), the certificate's own text, not yet escaped.
        self_signed: signed with its own key.
        dns_names, addresses: what it is for (subjectAltName); a common name counts for nothing (RFC 9525).
        key, key_bits: kind of the public key, `other` when unknown, and its size, 0 where that says nothing.
        signature_hash: the hash the issuer signed with, None where the signature has none of its own.
    """

    subject: str
    issuer: str
    not_before: datetime
    not_after: datetime
    self_signed: bool
    dns_names: tuple[str, ...]
    addresses: tuple[str, ...]
    key: str
    key_bits: int
    signature_hash: str | None


def certificate_findings(facts: CertificateFacts, host: str, now: datetime) -> Iterator[Finding]:
    """Yield what is wrong with the certificate for `host`; whether its chain is trusted is another matter."""
    yield from _time_findings(facts, now)
    if not names_host(facts, host):
        yield _name_mismatch(facts)
    yield from _strength_findings(facts)


def names_host(facts: CertificateFacts, host: str) -> bool:
    """Tell whether the certificate is for `host`: a `*` stands for one whole first label (RFC 9525 section 6.3)."""
    address = read_address(host)
    if address is not None:
        return any(read_address(one) == address for one in facts.addresses)
    rest = host.partition(".")[2]
    names = {name.lower().removesuffix(".") for name in facts.dns_names}
    return host in names or ("." in rest and f"*.{rest}" in names)


def _time_findings(facts: CertificateFacts, now: datetime) -> Iterator[Finding]:
    if now > facts.not_after:
        yield critical(
            Code.CERTIFICATE_EXPIRED,
            f"The certificate expired {_days(now - facts.not_after)} ago.",
            "Renew it, have the server load the new one, and automate renewal (ACME).",
        )
    elif now < facts.not_before:
        yield critical(
            Code.CERTIFICATE_NOT_YET_VALID,
            f"The certificate becomes valid only in {_days(facts.not_before - now)}.",
            "Serve one that is valid now; if it should be, correct the clock of the machine that issued it.",
        )
    elif facts.not_after - now < EXPIRES_SOON:
        yield warning(
            Code.CERTIFICATE_EXPIRES_SOON,
            f"The certificate expires in {_days(facts.not_after - now)}.",
            "Renew it now, and see why automatic renewal has not.",
        )


def _name_mismatch(facts: CertificateFacts) -> Finding:
    names_none = not facts.dns_names and not facts.addresses
    message = "The certificate is not for this host."
    if names_none:
        message = "The certificate names no host in subjectAltName; a common name alone counts for nothing."
    return critical(
        Code.NAME_MISMATCH,
        message,
        "Have one issued that names the host, or see why the server presents another site's (SNI, default site).",
    )


def _strength_findings(facts: CertificateFacts) -> Iterator[Finding]:
    if facts.key not in SOUND_KEYS or facts.key_bits < LEAST_BITS.get(facts.key, 0):
        yield critical(
            Code.WEAK_KEY,
            f"The certificate's key is too weak ({facts.key}, {facts.key_bits} bits).",
            "Have one issued for a new key: ECDSA with P-256, or RSA with 2,048 bits or more.",
        )
    if facts.signature_hash in BROKEN_HASHES:
        yield critical(
            Code.WEAK_SIGNATURE,
            f"The certificate is signed with {facts.signature_hash}, which can be forged.",
            "Have it issued anew; every public authority signs with SHA-256 or better.",
        )


def _days(span: timedelta) -> str:
    return counted(span.days, "day", "days") if span.days else counted(span.seconds // 3600, "hour", "hours")
