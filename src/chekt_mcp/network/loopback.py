"""This machine itself, for receivers that a developer runs beside their editor.

What is sent here never leaves the machine, so neither encryption nor a certificate has anybody to keep out.
"""

from __future__ import annotations

import ssl
from ipaddress import IPv4Address, ip_address, ip_network

from chekt_mcp.network.guard import Resolved

LOOPBACK = ip_network("127.0.0.0/8")
"""RFC 1122 section 3.2.1.3. Of IPv6 it is one address alone (RFC 4291 section 2.5.3)."""


class LoopbackGuard:
    """Gives out addresses of this machine and no others. No name is looked up, so no DNS has a say in it."""

    async def check(self, host: str) -> Resolved:
        """Return what `host` stands for: an address as it is, `localhost` as RFC 6761 section 6.3 has it."""
        if host == "localhost" or host.endswith(".localhost"):
            return Resolved(("127.0.0.1", "::1"))
        return Resolved((host,)) if _is_loopback(host) else Resolved(refused=("elsewhere",))


def loopback_context() -> ssl.SSLContext:
    """Return a context for TLS 1.2 or higher that takes any certificate: no authority issues one for this machine."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _is_loopback(host: str) -> bool:
    try:
        address = ip_address(host)
    except ValueError:
        return False
    return address in LOOPBACK if isinstance(address, IPv4Address) else str(address) == "::1"
