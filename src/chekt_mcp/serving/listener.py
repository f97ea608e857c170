"""The sockets a server listens on."""

from __future__ import annotations

import os
import socket

from chekt_mcp.domain.allow_list.address import ParsedAddress
from chekt_mcp.errors import InvalidInput

BACKLOG = 1_024


def listen(address: ParsedAddress, port: int) -> socket.socket:
    """Return a listening socket; its connections send small answers at once.

    Raises:
        InvalidInput: code `port_unavailable`.
    """
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6  # noqa: PLR2004 -- the version of the protocol
    try:
        return socket.create_server((address.text, port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise InvalidInput(
            f"The port cannot be used: {os.strerror(error.errno or 0)}.",
            field="port",
            code="port_unavailable",
            fix="Choose another with --port.",
        ) from error
