"""Providers whose ranges can be asked for by name.

GitHub: `GET /meta` of its REST API. CircleCI: the list that its page on IP ranges links to, with `macOS`, `jobs` and
`core`. GitLab publishes no feed, only a section of its documentation; that stands in `shipped_ranges/gitlab.json` with
its source. Its date is that of GitLab 19.0, the newest release that the page spoke of when it was read: the list is at
least that young.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import resources
from typing import Final


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider whose ranges all of its customers share.

    Attributes:
        name: what it is asked for by.
        url: its document; "" when the list is shipped.
        root: the key of the document under which its lists stand.
        advice: what to know before these ranges go into an allow list.
    """

    name: str
    url: str = ""
    root: str = ""
    advice: str = ""


@dataclass(frozen=True, slots=True)
class ShippedRanges:
    """A list that came with this program: the document, where it was taken from, and as of when."""

    content: bytes
    source: str
    as_of: datetime


PROVIDERS: Final[Mapping[str, Provider]] = {
    one.name: one
    for one in (
        Provider(
            "github",
            "https://api.github.com/meta",
            advice="Jobs on runners that GitHub hosts call from `actions` and `actions_macos`, webhooks from `hooks`.",
        ),
        Provider(
            "circleci",
            "https://circleci.com/docs/ip-ranges-list.json",
            root="IPRanges",
            advice="Jobs call from `jobs` only if they set circleci_ip_ranges: true; macOS jobs call from `macOS`.",
        ),
        Provider(
            "gitlab",
            advice="These are for webhooks and mirroring of GitLab.com: its CI/CD runners have no fixed addresses.",
        ),
    )
}


def provider_of(source: str, providers: Mapping[str, Provider]) -> Provider | None:
    """Return the provider that is meant by its name or by its document's URL."""
    by_url = {one.url: one for one in providers.values() if one.url}
    return providers.get(source) or by_url.get(source)


def shipped_ranges(name: str) -> ShippedRanges:
    """Return the list that is shipped for a provider."""
    folder = resources.files("chekt_mcp.operations.ranges") / "shipped_ranges"
    shipped = json.loads((folder / f"{name}.json").read_text("utf-8"))
    as_of = datetime.fromisoformat(shipped["as_of"]).replace(tzinfo=UTC)
    return ShippedRanges(json.dumps(shipped["lists"]).encode(), shipped["source"], as_of)
