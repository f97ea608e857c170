"""What a look at an endpoint brought to light: facts only, judged elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from chekt_mcp.domain.endpoint.certificate import CertificateFacts
from chekt_mcp.domain.endpoint.chain import Chain
from chekt_mcp.domain.endpoint.response import Head, NoHead


class Reach(StrEnum):
    """How far the look came."""

    NOT_RESOLVED = "not_resolved"
    NOT_PUBLIC = "not_public"
    REFUSED = "refused"
    TIMED_OUT = "timed_out"
    NO_ROUTE = "no_route"
    NO_TLS = "no_tls"
    HANDSHAKE_FAILED = "handshake_failed"
    TLS_TOO_OLD = "tls_too_old"
    TLS = "tls"


@dataclass(frozen=True, slots=True)
class OldTls:
    """Which versions before TLS 1.2 the server takes, and which could not be tested from here."""

    offered: tuple[str, ...] = ()
    untested: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Observation:
    """One look.

    Attributes:
        reach: how far it came; what lies behind that was not seen.
        not_public: why addresses of the name were refused, one word each; only with `Reach.NOT_PUBLIC`.
        address: the one address that was contacted.
        tls_version: as negotiated, e.g. `TLSv1.3`.
        certificate: None when it was not sent or cannot be read.
        chain: whether the certificate leads to a public authority; its names and its own dates left aside.
        misnamed: the verification found that the certificate is not for the host.
        old_tls: see `OldTls`; None when not looked at.
        response: the answer to a HEAD request, or why there is none.
    """

    reach: Reach
    not_public: tuple[str, ...] = ()
    address: str | None = None
    tls_version: str | None = None
    certificate: CertificateFacts | None = None
    chain: Chain = Chain.NOT_CHECKED
    misnamed: bool = False
    old_tls: OldTls | None = None
    response: Head | NoHead = NoHead.NOT_ASKED
