"""How strictly a server is met: as CHeKT would, its chain alone, without any trust, and as long ago.

Trust is in public authorities only (Mozilla's list, by certifi), not in this machine's store: that may hold an
internal authority, which CHeKT does not know.
"""

from __future__ import annotations

import ssl
import warnings
from collections.abc import Callable
from functools import cached_property

Trust = Callable[[ssl.SSLContext], None]
"""Puts the trusted authorities into a context."""

OLD_VERSIONS = {"TLS 1.0": ssl.TLSVersion.TLSv1, "TLS 1.1": ssl.TLSVersion.TLSv1_1}
ANY_STRENGTH = "ALL:@SECLEVEL=0"
NO_CHECK_TIME = ssl.VerifyFlags(0x200000)  # X509_V_FLAG_NO_CHECK_TIME, which the ssl module has no name for
LEGACY_SERVER_CONNECT = ssl.Options(0x4)  # the ssl module names it from Python 3.12 on


def public_authorities(context: ssl.SSLContext) -> None:
    """Trust the authorities that browsers trust; reads no setting and no environment variable."""
    import certifi  # noqa: PLC0415 -- start-up is measured

    context.load_verify_locations(cafile=certifi.where())


class TlsContexts:
    """Contexts made when first needed: reading the authorities takes 20 ms."""

    def __init__(self, trust: Trust = public_authorities) -> None:
        self._trust = trust

    @cached_property
    def strict(self) -> ssl.SSLContext:
        """TLS 1.2 or higher, chain, dates, strength and host name verified."""
        context = _client()
        context.hostname_checks_common_name = False
        context.set_alpn_protocols(["http/1.1"])
        self._trust(context)
        return context

    @cached_property
    def chain_only(self) -> ssl.SSLContext:
        """The chain verified, whatever the dates, strength and names say."""
        context = _client()
        context.check_hostname = False
        context.verify_flags |= NO_CHECK_TIME
        context.set_ciphers(ANY_STRENGTH)
        self._trust(context)
        return context

    @cached_property
    def unverified(self) -> ssl.SSLContext:
        """Nothing verified: only to read the certificate; nothing is ever sent over it."""
        return _unverified()

    def old(self, version: ssl.TLSVersion) -> ssl.SSLContext | None:
        """Return one that speaks nothing but `version`; None where the local OpenSSL cannot."""
        if not {ssl.TLSVersion.TLSv1: ssl.HAS_TLSv1, ssl.TLSVersion.TLSv1_1: ssl.HAS_TLSv1_1}[version]:
            return None
        context = _unverified()
        context.options |= LEGACY_SERVER_CONNECT
        try:
            with warnings.catch_warnings():  # old versions are deprecated: that is why they are looked for
                warnings.simplefilter("ignore", DeprecationWarning)
                context.minimum_version = context.maximum_version = version
        except ValueError:
            return None
        return context


def _client() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _unverified() -> ssl.SSLContext:
    context = _client()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_ciphers(ANY_STRENGTH)
    return context
