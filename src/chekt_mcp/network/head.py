"""Asking for the head of an answer: one HEAD request, at most 16 KiB read, nothing followed."""

from __future__ import annotations

import ssl

from chekt_mcp import __version__
from chekt_mcp.domain.endpoint.response import Head, NoHead, final_head
from chekt_mcp.domain.endpoint.url import EndpointUrl
from chekt_mcp.network.connection import TlsConnection

LONGEST_HEAD = 16 * 1024


async def ask_head(connection: TlsConnection, url: EndpointUrl) -> Head | NoHead:
    """Send the request and read the final head. The caller limits the time."""
    try:
        connection.writer.write(_request(url))
        return await _read_head(connection)
    except ssl.SSLError as error:
        return NoHead.CERTIFICATE_ASKED if "CERTIFICATE_REQUIRED" in (error.reason or "") else NoHead.CLOSED
    except OSError:
        return NoHead.CLOSED


def _request(url: EndpointUrl) -> bytes:
    lines = (
        f"HEAD {url.target} HTTP/1.1",
        f"Host: {url.authority}",
        f"User-Agent: chekt-mcp/{__version__} (endpoint check)",
        "Accept: */*",
        "Connection: close",
    )
    return ("\r\n".join(lines) + "\r\n\r\n").encode("ascii")


async def _read_head(connection: TlsConnection) -> Head | NoHead:
    data = b""
    while (found := final_head(data)) is None and len(data) < LONGEST_HEAD:
        chunk = await connection.reader.read(LONGEST_HEAD - len(data))
        if not chunk:
            return NoHead.CLOSED
        data += chunk
    return found or NoHead.TOO_LARGE
