"""Where published ranges come from, and what is got from there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from chekt_mcp.domain.published_document import Answer, KeptCopy
from chekt_mcp.domain.published_ranges import PublishedList
from chekt_mcp.domain.range_text import Origin
from chekt_mcp.operations.ranges.range_providers import PROVIDERS, Provider
from chekt_mcp.operations.services import Clock


class Documents(Protocol):
    """Asks for one document over https; what goes wrong is an answer too."""

    async def fetch(self, url: str, etag: str | None = None) -> Answer:
        """Return the document, or that the copy with this entity tag still is it."""
        ...


class KeptDocuments(Protocol):
    """Copies of documents, for times without a network. Both methods return in words what was wrong, or ""."""

    def load(self, url: str) -> tuple[KeptCopy | None, str]:
        """Return the copy, if there is a usable one."""
        ...

    def save(self, url: str, copy: KeptCopy) -> str:
        """Put a copy in place of the one there is."""
        ...


@dataclass(frozen=True, slots=True)
class RangeSources:
    """The outside world of this job."""

    documents: Documents
    kept: KeptDocuments
    clock: Clock
    providers: Mapping[str, Provider] = field(default_factory=lambda: PROVIDERS)


@dataclass(frozen=True, slots=True)
class Obtained:
    """The lists of a document, whence they are, and what a person should know about that."""

    lists: tuple[PublishedList, ...]
    origin: Origin
    notes: tuple[str, ...]
