"""TLS as this server speaks it: 1.2 and later, with forward secrecy and authenticated encryption only (RFC 9325)."""

from __future__ import annotations

import ssl

from chekt_mcp.errors import InvalidInput
from chekt_mcp.serving.options import Tls

TLS_1_2_SUITES = "ECDHE+AESGCM:ECDHE+CHACHA20"
HSTS = b"max-age=63072000; includeSubDomains; preload"
"""Two years, as the preload list asks for (RFC 6797; hstspreload.org)."""


def server_context(tls: Tls) -> ssl.SSLContext:
    """Return a context with the certificate loaded.

    Raises:
        InvalidInput: code `bad_certificate`: a file cannot be read, or certificate and key do not fit.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(TLS_1_2_SUITES)
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION | ssl.OP_CIPHER_SERVER_PREFERENCE
    context.set_alpn_protocols(["http/1.1"])
    try:
        context.load_cert_chain(tls.certificate, tls.key, password=_no_passphrase)
    except (OSError, ValueError) as error:
        raise InvalidInput(
            "The TLS certificate and key cannot be used.",
            field="tls-cert",
            code="bad_certificate",
            fix="Both are PEM files that belong together, without a passphrase, and this user may read them.",
        ) from error
    return context


def _no_passphrase() -> str:
    """Answer in OpenSSL's stead: it would ask at the terminal."""
    return ""
