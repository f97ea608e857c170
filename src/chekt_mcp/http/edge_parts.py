"""What the edge is made of: the operator's decisions, those it asks, and those it tells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from chekt_mcp.auth.bearer import BearerVerifier
from chekt_mcp.http.challenge import Needed
from chekt_mcp.http.client_of import ClientOf
from chekt_mcp.http.limits import EdgeRates
from chekt_mcp.http.refusal_log import RefusalLog
from chekt_mcp.http.request_head import OwnNames
from chekt_mcp.http.visit import Visit
from chekt_mcp.operations.allow_list.compiled_lists import CompiledLists


@dataclass(frozen=True, slots=True)
class EdgeSettings:
    """What the operator decided.

    Attributes:
        own: what Host and Origin may say.
        metadata_url: where a client learns which authorization servers there are (RFC 9728).
        client_of: how a request's address is told.
        challenge: OAuth callers get a 403 for a missing scope; without it, an answer inside the protocol.
        body_seconds: how long a body may take.
    """

    own: OwnNames
    metadata_url: str
    client_of: ClientOf
    challenge: bool = True
    body_seconds: float = 10


class EdgeObserver(Protocol):
    """Is told of what happens at the edge, for logs and metrics."""

    def refusal(self, visit: Visit, code: str, logged: str, *, tell: bool) -> None:
        """Take note of a refusal; with `tell` it was rare enough for a line of its own."""
        ...

    def response(self, visit: Visit) -> None:
        """Take note of an answer."""
        ...


@dataclass(frozen=True, slots=True)
class EdgeParts:
    """What the edge asks: who presents a credential, which scope a call needs, how often, and where refusals go."""

    verifier: BearerVerifier
    needed: Needed
    rates: EdgeRates
    refusals: RefusalLog
    compiled: CompiledLists
    observer: EdgeObserver
