"""Get a provider's published ranges: from its document, from the copy kept of it, from a shipped list, or from a file.

A document is asked for every time (with the entity tag of the copy, so that it comes only when it has changed). What
cannot be fetched, or is no list of addresses, never replaces the copy: the copy serves instead, and its age is said.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from chekt_mcp.domain.endpoint.url import read_url
from chekt_mcp.domain.published_document import Answer, Fetched, KeptCopy, NotFetched, Unchanged, age
from chekt_mcp.domain.published_ranges import read_ranges
from chekt_mcp.domain.range_text import Origin
from chekt_mcp.domain.timespan import rfc3339
from chekt_mcp.errors import InvalidInput, Unavailable
from chekt_mcp.operations.ranges.range_file import ranges_of_file
from chekt_mcp.operations.ranges.range_providers import Provider, provider_of, shipped_ranges
from chekt_mcp.operations.ranges.range_sources import Obtained, RangeSources

OFFLINE = "Fetch it by other means and give it as a file."


async def fetch_ranges(source: str, sources: RangeSources, *, shared: bool = False) -> Obtained:
    """Get the ranges of `source`: a provider's name, an https URL, or the path of a file.

    `shared` says of a URL or file what is known of a provider: that all its customers call from these addresses.

    Raises:
        InvalidInput: `bad_url`, `not_https`, `credentials_in_url`, `unreadable_file`, or as `read_ranges`.
        Unavailable: with a `FetchCode`; the document cannot be had and there is no copy.
    """
    provider = provider_of(source, sources.providers)
    if provider and not provider.url:
        return _shipped(provider, sources.clock())
    if provider:
        return await _published(provider, sources, shared=True)
    if "://" in source:
        return await _published(Provider(_host(source), source), sources, shared=shared)
    return ranges_of_file(source, shared=shared)


def _shipped(provider: Provider, now: datetime) -> Obtained:
    shipped = shipped_ranges(provider.name)
    note = (
        f"{provider.name} publishes no feed. This list is shipped with chekt-mcp: it is {age(shipped.as_of, now)} "
        f"(as of {shipped.as_of:%Y-%m-%d}). Compare it with {shipped.source}."
    )
    origin = Origin(provider.name, shipped.source, shipped.as_of, shared=True)
    return Obtained(read_ranges(shipped.content), origin, (note, provider.advice))


def _host(url: str) -> str:
    """Return the host of an https URL.

    Raises:
        InvalidInput: see `fetch_ranges`.
    """
    parts = read_url(url)
    if parts.scheme != "https":
        raise _bad("not_https", "Only https is spoken: anybody could change http.", "Give its https:// URL.")
    if parts.has_credentials:
        fix = "They stand in your shell's history now: change them where they are used."
        raise _bad("credentials_in_url", "The URL holds a user name or password.", fix)
    return parts.host


def _bad(code: str, message: str, fix: str) -> InvalidInput:
    return InvalidInput(message, field="source", code=code, fix=fix)


async def _published(provider: Provider, sources: RangeSources, *, shared: bool) -> Obtained:
    kept, damage = sources.kept.load(provider.url)
    answer = await sources.documents.fetch(provider.url, kept.etag if kept else None)
    now = sources.clock()
    try:
        copy = _copy(answer, kept, now)
        lists = read_ranges(copy.content, provider.root)
    except (Unavailable, InvalidInput) as error:
        if kept is None:
            error.message = f"{error.message} {damage}".rstrip()
            raise
        copy, lists = kept, read_ranges(kept.content, provider.root)
        note = f"Not fetched: {error.message} This is the copy of {rfc3339(kept.at)}, {age(kept.at, now)}."
    else:
        note = sources.kept.save(provider.url, copy)
    # A query may hold a token, and the comment goes where an allow list goes.
    origin = Origin(provider.name, provider.url.partition("?")[0], copy.at, shared=shared)
    return Obtained(lists, origin, tuple(filter(None, (damage, note, provider.advice))))


def _copy(answer: Answer, kept: KeptCopy | None, now: datetime) -> KeptCopy:
    match answer:
        case Fetched():
            return KeptCopy(answer.content, answer.etag, now)
        case Unchanged() if kept:
            return replace(kept, at=now)
        case NotFetched():
            said = f"{answer.message} ({answer.detail})" if answer.detail else answer.message
            raise Unavailable(said, code=answer.code, fix=answer.fix or OFFLINE)
    raise Unavailable("The server speaks of a copy that there is none of.", code="bad_status", fix=OFFLINE)
