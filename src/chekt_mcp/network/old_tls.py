"""Which versions before TLS 1.2 a server still takes (RFC 8996), as far as the local OpenSSL can speak them."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from enum import Enum, auto

from chekt_mcp.domain.endpoint.certificate import CertificateFacts
from chekt_mcp.domain.endpoint.observation import OldTls
from chekt_mcp.network.certificate_reader import read_certificate
from chekt_mcp.network.connection import Target, connect
from chekt_mcp.network.tls_contexts import OLD_VERSIONS, TlsContexts

NOT_THIS_VERSION = frozenset(("UNSUPPORTED_PROTOCOL", "WRONG_VERSION_NUMBER", "WRONG_SSL_VERSION"))

Limit = Callable[[], AbstractAsyncContextManager[object]]
"""Makes the limit of time for one connection."""


class _Answer(Enum):
    REFUSED = auto()
    UNTESTED = auto()


@dataclass(frozen=True, slots=True)
class Accepted:
    """An old version that came about, and the certificate it was served with."""

    version: str | None
    certificate: CertificateFacts | None


@dataclass(frozen=True, slots=True)
class OldTlsLook:
    """The answer for people, and the newest connection that came about, if one did."""

    versions: OldTls
    newest: Accepted | None


async def look_for_old_tls(target: Target, contexts: TlsContexts, limit: Limit) -> OldTlsLook:
    """Try each old version once, all at a time."""
    answers = await asyncio.gather(*(_try(target, contexts.old(version), limit) for version in OLD_VERSIONS.values()))
    named = dict(zip(OLD_VERSIONS, answers, strict=True))
    accepted = {name: answer for name, answer in named.items() if isinstance(answer, Accepted)}
    untested = tuple(name for name, answer in named.items() if answer is _Answer.UNTESTED)
    return OldTlsLook(OldTls(tuple(accepted), untested), next(reversed(accepted.values()), None))


async def _try(target: Target, context: ssl.SSLContext | None, limit: Limit) -> Accepted | _Answer:
    if context is None:
        return _Answer.UNTESTED
    try:
        async with limit():
            connection = await connect(target, context)
    except OSError as error:  # TimeoutError is one
        return _answer(error)
    connection.close()
    return Accepted(connection.version, read_certificate(connection.certificate))


def _answer(error: OSError) -> _Answer:
    """Tell a server that says no from a failure of ours, or of the way there."""
    reason = getattr(error, "reason", None) or ""
    said_no = isinstance(
        error, ConnectionResetError | ConnectionAbortedError | ssl.SSLEOFError | ssl.SSLZeroReturnError
    )
    return _Answer.REFUSED if said_no or "ALERT" in reason or reason in NOT_THIS_VERSION else _Answer.UNTESTED
