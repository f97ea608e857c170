"""What operations know of the network: somebody who looks at an endpoint."""

from __future__ import annotations

from typing import Protocol

from chekt_mcp.domain.endpoint.observation import Observation
from chekt_mcp.domain.endpoint.url import EndpointUrl


class EndpointProbe(Protocol):
    """Contacts public addresses only, follows nothing, and keeps nothing but an answer's status and `Location`."""

    async def look(self, url: EndpointUrl) -> Observation:
        """Look at an https URL once, within a limit of time; what goes wrong is part of the observation."""
        ...
