"""Throwaway certificates for servers on loopback: good ones, and every kind of bad one."""

from __future__ import annotations

import hashlib
import ipaddress
import ssl
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

HOST = "hooks.example.com"
Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
IN_YEARS = datetime(2090, 1, 1, tzinfo=UTC)
SHA256_WITH_RSA = bytes.fromhex("2a864886f70d01010b")
SHA1_WITH_RSA = bytes.fromhex("2a864886f70d010105")
SHA1_DIGEST_INFO = bytes.fromhex("3021300906052b0e03021a05000414")


def new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


@dataclass(frozen=True)
class Identity:
    """A server's certificate, with what it sends above it, and its key; PEM."""

    chain: bytes
    key: bytes

    def context(self, folder: Path) -> ssl.SSLContext:
        """Return a server's context, as lax as OpenSSL lets it be."""
        file = folder / f"{abs(hash(self.chain))}.pem"
        file.write_bytes(self.key + self.chain)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.load_cert_chain(file)
        return context


@dataclass(frozen=True)
class Authority:
    """A certificate authority made for one test, or an intermediate below one."""

    common: str = "Public Test Authority"
    above: Authority | None = None
    not_after: datetime = IN_YEARS
    key: Key = field(default_factory=new_key)

    @property
    def subject(self) -> x509.Name:
        return name(self.common)

    def certificate(self) -> x509.Certificate:
        issuer = self.above or self
        builder = _builder(self.subject, issuer.subject, self.key, LONG_AGO, self.not_after)
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        return builder.sign(issuer.key, hashes.SHA256())

    def certificate_pem(self) -> bytes:
        return pem(self.certificate())

    def trusted(self, context: ssl.SSLContext) -> None:
        """Put this authority, and no other, into a context: for a probe's `trust`."""
        context.load_verify_locations(cadata=self.certificate_pem().decode())

    def issue(self, *hosts: str, send_chain: bool = True, **changes: Any) -> Identity:
        """Issue for hosts (names and addresses); `changes`: not_before, not_after, key, usage."""
        key: Key = changes.get("key") or new_key()
        certificate = _leaf(hosts, self.subject, self.key, key, changes)
        sent = [certificate, *([self.certificate()] if send_chain and self.above else [])]
        return Identity(b"".join(map(pem, sent)), _key_pem(key))


def self_signed(*hosts: str, **changes: Any) -> Identity:
    key = new_key()
    certificate = _leaf(hosts, name(hosts[0]), key, key, changes)
    return Identity(pem(certificate), _key_pem(key))


def signed_with_sha1(identity: Identity, authority: Authority) -> Identity:
    """Sign a certificate anew, by hand: no library does it any more (RFC 8017 section 9.2). RSA authorities only."""
    key = authority.key
    assert isinstance(key, rsa.RSAPrivateKey)
    certificate = x509.load_pem_x509_certificate(identity.chain)
    signed = certificate.tbs_certificate_bytes.replace(SHA256_WITH_RSA, SHA1_WITH_RSA)
    digest = SHA1_DIGEST_INFO + hashlib.sha1(signed, usedforsecurity=False).digest()
    size = key.key_size // 8
    padded = b"\x00\x01" + b"\xff" * (size - 3 - len(digest)) + b"\x00" + digest
    numbers = key.private_numbers()
    signature = pow(int.from_bytes(padded), numbers.d, numbers.public_numbers.n).to_bytes(size)
    whole = certificate.public_bytes(serialization.Encoding.DER).replace(SHA256_WITH_RSA, SHA1_WITH_RSA)
    return Identity(ssl.DER_cert_to_PEM_cert(whole[:-size] + signature).encode(), identity.key)


def pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _leaf(
    hosts: tuple[str, ...], issuer: x509.Name, issuer_key: Key, key: Key, changes: dict[str, Any]
) -> x509.Certificate:
    first, last = changes.get("not_before", LONG_AGO), changes.get("not_after", IN_YEARS)
    builder = _builder(name(hosts[0] if hosts else "nothing"), issuer, key, first, last)
    usage = changes.get("usage", ExtendedKeyUsageOID.SERVER_AUTH)
    builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
    if hosts and changes.get("alternative_names", True):
        builder = builder.add_extension(x509.SubjectAlternativeName([_general(host) for host in hosts]), critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


def _builder(
    subject: x509.Name, issuer: x509.Name, key: Key, first: datetime, last: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(first)
        .not_valid_after(last)
    )


def _general(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _key_pem(key: Key) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
