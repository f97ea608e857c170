"""A certificate's bytes read into facts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chekt_mcp.domain.endpoint.certificate import CertificateFacts

if TYPE_CHECKING:
    from cryptography.x509 import Certificate, SubjectAlternativeName


def read_certificate(der: bytes | None) -> CertificateFacts | None:
    """Return what the certificate says; None when it cannot be read."""
    from cryptography import x509  # noqa: PLC0415 -- start-up is measured, and few calls read a certificate

    try:
        return _facts(x509.load_der_x509_certificate(der or b""))
    except ValueError:
        return None


def _facts(certificate: Certificate) -> CertificateFacts:
    dns_names, addresses = _names(certificate)
    key, bits = _key(certificate)
    return CertificateFacts(
        subject=certificate.subject.rfc4514_string(),
        issuer=certificate.issuer.rfc4514_string(),
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        self_signed=_is_self_signed(certificate),
        dns_names=dns_names,
        addresses=addresses,
        key=key,
        key_bits=bits,
        signature_hash=_signature_hash(certificate),
    )


def _names(certificate: Certificate) -> tuple[tuple[str, ...], tuple[str, ...]]:
    from cryptography import x509  # noqa: PLC0415 -- as above

    try:
        names: SubjectAlternativeName = certificate.extensions.get_extension_for_class(
            x509.SubjectAlternativeName
        ).value
    except (x509.ExtensionNotFound, x509.DuplicateExtension, x509.UnsupportedGeneralNameType):
        return (), ()
    addresses = tuple(str(address) for address in names.get_values_for_type(x509.IPAddress))
    return tuple(names.get_values_for_type(x509.DNSName)), addresses


def _key(certificate: Certificate) -> tuple[str, int]:
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415 -- as above
    from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa  # noqa: PLC0415 -- as above

    try:
        key = certificate.public_key()
    except UnsupportedAlgorithm:
        return "other", 0
    kinds: dict[type[object], str] = {
        rsa.RSAPublicKey: "RSA",
        ec.EllipticCurvePublicKey: "EC",
        ed25519.Ed25519PublicKey: "Ed25519",
        ed448.Ed448PublicKey: "Ed448",
        dsa.DSAPublicKey: "DSA",
    }
    kind = next((name for shape, name in kinds.items() if isinstance(key, shape)), "other")
    return kind, getattr(key, "key_size", 0)


def _is_self_signed(certificate: Certificate) -> bool:
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm  # noqa: PLC0415 -- as above

    try:
        certificate.verify_directly_issued_by(certificate)
    except UnsupportedAlgorithm:  # a signature too old to be verified: its names must do
        return certificate.issuer == certificate.subject
    except (InvalidSignature, ValueError, TypeError):
        return False
    return True


def _signature_hash(certificate: Certificate) -> str | None:
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415 -- as above

    try:
        algorithm = certificate.signature_hash_algorithm
    except UnsupportedAlgorithm:
        return None
    return algorithm.name if algorithm else None
