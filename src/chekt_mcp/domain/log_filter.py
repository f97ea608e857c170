"""The filters of the audit log, as search and export take them: one text each (`domain.choice`); all must hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum
from ipaddress import ip_address, ip_network
from typing import TypeVar

from chekt_mcp.domain.audit import Kind, Network, Query, Result
from chekt_mcp.domain.choice import Choice, parse_choice, written
from chekt_mcp.errors import InvalidInput

FILTERS = ("actor", "action", "kind", "scope", "result", "request_id", "source_ip", "key_id", "text")
E = TypeVar("E", bound=StrEnum)


def with_filters(query: Query, given: Mapping[str, str]) -> Query:
    """Return the query with these of `FILTERS`; one that is absent asks for nothing.

    Raises:
        InvalidInput: codes of `parse_choice`, and `bad_value` (kind, result) and `bad_address` (source_ip).
    """
    choice = {name: parse_choice(text, name) for name, text in given.items()}
    return replace(
        query,
        actor=choice.get("actor"),
        action=choice.get("action"),
        kind=_named(Kind, choice.get("kind"), "kind"),
        scope=choice.get("scope"),
        result=_named(Result, choice.get("result"), "result"),
        request_id=choice.get("request_id"),
        source_network=_networks(choice.get("source_ip")),
        key_id=choice.get("key_id"),
        text=choice.get("text"),
    )


def canonical(query: Query) -> dict[str, str]:
    """Return the filters of a query as texts that say the same as those it was made of, however they were written."""
    chosen = {name: getattr(query, name) for name in FILTERS if name != "source_ip"}
    places = query.source_network
    chosen["source_ip"] = places and Choice(tuple(map(str, places.values)), places.negated)
    return {name: written(chosen[name]) for name in FILTERS if chosen[name] is not None}


def parse_network(text: str) -> Network:
    """Read an address or CIDR; an IPv4-mapped IPv6 one is its IPv4 self.

    Raises:
        InvalidInput: code `bad_address`.
    """
    try:
        network = ip_network(text, strict="/" in text)
    except ValueError:
        raise InvalidInput(
            "That is neither an address nor a CIDR range.",
            field="source_ip",
            code="bad_address",
            fix="Write 203.0.113.7, 203.0.113.0/24 or 2001:db8::/32 (no host bits set).",
        ) from None
    mapped = getattr(ip_address(network.network_address), "ipv4_mapped", None)
    if mapped is None or network.prefixlen < 96:  # noqa: PLR2004 -- ::ffff:0:0/96 is where IPv4 is mapped, RFC 4291
        return network
    return ip_network((mapped, network.prefixlen - 96))


def _networks(choice: Choice[str] | None) -> Choice[Network] | None:
    if choice is None:
        return None
    return Choice(tuple(dict.fromkeys(map(parse_network, choice.values))), choice.negated)


def _named(names: type[E], choice: Choice[str] | None, field: str) -> Choice[E] | None:
    if choice is None:
        return None
    known = {name.value: name for name in names}
    if not set(choice.values) <= set(known):
        fix = f"Values: {', '.join(known)}; several with commas, `!` before them for none of these."
        raise InvalidInput("That value is not known.", field=field, code="bad_value", fix=fix)
    return Choice(tuple(known[value] for value in choice.values), choice.negated)
