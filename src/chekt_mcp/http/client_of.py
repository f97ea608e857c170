"""Where a request comes from: the peer, or whom our own proxies name."""

from __future__ import annotations

from dataclasses import dataclass

from chekt_mcp.domain.allow_list.behind_proxies import ClientAddress, ForwardingHeader, client_address, is_trusted
from chekt_mcp.http.asgi import Scope


@dataclass(frozen=True, slots=True)
class ClientOf:
    """Tells a request's client address. Without `trusted` proxies it is the peer's, whatever a header claims.

    With proxies nobody else may connect: who comes past them speaks in clear, and without what they hold back. A
    request of theirs without the header is nobody's: `Connection: X-Forwarded-For` makes some proxies drop it again.
    """

    trusted: tuple[str, ...] = ()
    header: ForwardingHeader | None = None

    def __call__(self, scope: Scope) -> str | None:
        """Return the address in canonical form, or None where it cannot be told: then nobody is let in."""
        peer = scope.get("client")
        if not peer:
            return None
        lines = self._lines(scope)
        if self.trusted and not (lines and is_trusted(str(peer[0]), self.trusted)):
            return None
        found = client_address(str(peer[0]), self.trusted, self.header, lines)
        return found.address if isinstance(found, ClientAddress) else None

    def _lines(self, scope: Scope) -> list[str]:
        if self.header is None:
            return []
        name = self.header.lower().encode()
        return [value.decode("latin-1") for key, value in scope["headers"] if key == name]
