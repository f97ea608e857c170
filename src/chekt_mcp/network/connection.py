"""A TLS connection to one checked address, for one host name."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass
from socket import AF_INET, AF_INET6, SOCK_STREAM, socket

READ_AHEAD = 16 * 1024


@dataclass(frozen=True, slots=True)
class Target:
    """Where to connect, and the host name that the certificate must be for."""

    address: str
    port: int
    host: str


@dataclass(frozen=True, slots=True)
class TlsConnection:
    """An open connection: what was negotiated, and both directions of it."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    version: str | None
    certificate: bytes | None

    def close(self) -> None:
        """Drop the connection at once; a farewell could be waited for."""
        self.writer.transport.abort()


async def dial(target: Target) -> socket:
    """Connect to the target's address; no name is looked up.

    Raises:
        OSError: no connection.
    """
    opened = socket(AF_INET6 if ":" in target.address else AF_INET, SOCK_STREAM)
    opened.settimeout(0)  # the event loop waits, not the socket
    try:
        await asyncio.get_running_loop().sock_connect(opened, (target.address, target.port))
    except BaseException:
        opened.close()
        raise
    return opened


async def shake_hands(opened: socket, target: Target, context: ssl.SSLContext) -> TlsConnection:
    """Speak TLS over a dialled socket, which is closed if that fails.

    Raises:
        ssl.SSLCertVerificationError: `context` does not accept the certificate.
        OSError: no TLS came about (`ssl.SSLError` is one).
    """
    try:
        reader, writer = await asyncio.open_connection(
            sock=opened, ssl=context, server_hostname=target.host, limit=READ_AHEAD
        )
    except BaseException:
        opened.close()
        raise
    negotiated: ssl.SSLObject = writer.get_extra_info("ssl_object")
    return TlsConnection(reader, writer, negotiated.version(), negotiated.getpeercert(binary_form=True))


async def connect(target: Target, context: ssl.SSLContext) -> TlsConnection:
    """Dial and shake hands; raises as both do."""
    return await shake_hands(await dial(target), target, context)
