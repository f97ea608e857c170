"""A look at an endpoint from the outside: address, TLS, certificate, and the head of one answer.

1. The host is resolved once and every address checked (`guard.py`).
2. One checked address is contacted, the same for everything that follows.
3. TLS as CHeKT would want it: version, chain, dates, strength and name verified.
4. Only if all that holds: one HEAD request, whose answer's status and `Location` are kept.
5. Otherwise the certificate is read over connections that carry nothing.
6. Versions before TLS 1.2 are tried.
"""

from __future__ import annotations

import asyncio

from chekt_mcp.domain.endpoint.observation import Observation
from chekt_mcp.domain.endpoint.url import EndpointUrl
from chekt_mcp.network.guard import AddressGuard
from chekt_mcp.network.look import Look, Patience
from chekt_mcp.network.tls_contexts import TlsContexts, Trust, public_authorities


class TlsProbe:
    """See the module. Every parameter is for tests; no argument, setting or environment variable reaches them."""

    def __init__(
        self,
        guard: AddressGuard | None = None,
        trust: Trust = public_authorities,
        patience: Patience = Patience(),  # noqa: B008 -- frozen
    ) -> None:
        self._guard = guard or AddressGuard()
        self._contexts = TlsContexts(trust)
        self._patience = patience

    async def look(self, url: EndpointUrl) -> Observation:
        """Look once; see `EndpointProbe`."""
        deadline = asyncio.get_running_loop().time() + self._patience.whole
        return await Look(url, self._contexts, self._patience, deadline).through(self._guard)
