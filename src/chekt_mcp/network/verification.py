"""What OpenSSL's codes for a refused certificate and a failed handshake mean here (openssl/x509_vfy.h)."""

from __future__ import annotations

import ssl

from chekt_mcp.domain.endpoint.chain import Chain

_NAME_CODES = frozenset((62, 64))  # host name, IP address
_CHAINS = {
    2: Chain.ISSUER_MISSING,
    9: Chain.EXPIRED,
    10: Chain.EXPIRED,
    18: Chain.SELF_SIGNED,
    19: Chain.UNKNOWN_AUTHORITY,
    20: Chain.ISSUER_MISSING,
    21: Chain.ISSUER_MISSING,
    24: Chain.WRONG_PURPOSE,
    26: Chain.WRONG_PURPOSE,
    66: Chain.WEAK,
    67: Chain.WEAK,
    68: Chain.WEAK,
}
_OTHER_PROTOCOL = frozenset(("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG", "RECORD_LAYER_FAILURE"))


def chain_of(error: ssl.SSLCertVerificationError) -> Chain:
    """Return what a refusal says of the chain; a wrong name says nothing against it."""
    return Chain.TRUSTED if is_about_the_name(error) else _CHAINS.get(error.verify_code, Chain.BROKEN)


def is_about_the_name(error: ssl.SSLCertVerificationError) -> bool:
    """Tell whether the certificate is not for the host."""
    return error.verify_code in _NAME_CODES


def is_not_tls(error: OSError) -> bool:
    """Tell whether what was received are no TLS records."""
    return isinstance(error, ssl.SSLError) and error.reason in _OTHER_PROTOCOL
