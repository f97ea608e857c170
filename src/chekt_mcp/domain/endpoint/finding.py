"""What can be said about an endpoint: one thing that is wrong, or worth knowing, and how to mend it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from chekt_mcp.domain.allow_list.finding import Severity


class Code(StrEnum):
    """Which kind of finding; programs may rely on these."""

    NOT_HTTPS = "not_https"
    CREDENTIALS_IN_URL = "credentials_in_url"
    PORT_NOT_LOOKED_AT = "port_not_looked_at"
    LOCAL_NAME = "local_name"
    NAME_NOT_RESOLVED = "name_not_resolved"
    ADDRESS_NOT_PUBLIC = "address_not_public"
    UNREACHABLE = "unreachable"
    NO_TLS = "no_tls"
    HANDSHAKE_FAILED = "handshake_failed"
    CLIENT_CERTIFICATE_ASKED = "client_certificate_asked"
    TLS_TOO_OLD = "tls_too_old"
    OLD_TLS_OFFERED = "old_tls_offered"
    OLD_TLS_NOT_TESTED = "old_tls_not_tested"
    CERTIFICATE_UNREADABLE = "certificate_unreadable"
    CERTIFICATE_EXPIRED = "certificate_expired"
    CERTIFICATE_NOT_YET_VALID = "certificate_not_yet_valid"
    CERTIFICATE_EXPIRES_SOON = "certificate_expires_soon"
    SELF_SIGNED = "self_signed"
    NAME_MISMATCH = "name_mismatch"
    CHAIN_NOT_TRUSTED = "chain_not_trusted"
    CHAIN_EXPIRED = "chain_expired"
    WEAK_KEY = "weak_key"
    WEAK_SIGNATURE = "weak_signature"
    REDIRECTS = "redirects"
    NOT_HTTP = "not_http"
    NO_ANSWER = "no_answer"
    REFUSES_CALLERS = "refuses_callers"
    PATH_NOT_FOUND = "path_not_found"
    SERVER_ERROR = "server_error"


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding. A critical one means that deliveries would not arrive, or that CHeKT would not register the URL.

    Attributes:
        code: which kind.
        severity: see `Severity`.
        message: what is so, in words of ours; nothing that the endpoint sent.
        fix: what to do about it.
    """

    code: Code
    severity: Severity
    message: str
    fix: str


def critical(code: Code, message: str, fix: str) -> Finding:
    """Return a finding that makes an endpoint unfit."""
    return Finding(code, Severity.CRITICAL, message, fix)


def warning(code: Code, message: str, fix: str) -> Finding:
    """Return a finding that somebody should look at."""
    return Finding(code, Severity.WARNING, message, fix)


INTERNAL_AUTHORITY: Final = (
    "CHeKT rejects such certificates by default; with a legitimate internal-CA case, write to security@chekt.com."
)
"""The platform's way out (seeds/platform-security.txt, "Data in transit")."""
