"""IP allow lists: read the documented text, match, find what is wrong, compare, and tell who is calling.

The names below are the whole of it; the modules are its parts. Each is loaded when it is first asked for, since
every start of the server imports this package and hardly any needs all of it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chekt_mcp.domain.allow_list.address import ParsedAddress, address_text, parse_address
    from chekt_mcp.domain.allow_list.behind_proxies import (
        ClientAddress,
        ClientAddressRefused,
        ForwardingHeader,
        client_address,
    )
    from chekt_mcp.domain.allow_list.coverage import covered_share, covers_everything, covers_most
    from chekt_mcp.domain.allow_list.entry import (
        MAX_BYTES,
        MAX_ENTRIES,
        MAX_ERRORS,
        Entry,
        IPVersion,
        ParseCode,
        ParsedList,
        ParseError,
        Refusal,
    )
    from chekt_mcp.domain.allow_list.finding import Finding, FindingCode, FindingSettings, Severity
    from chekt_mcp.domain.allow_list.list_diff import CommentChange, ListDiff, diff
    from chekt_mcp.domain.allow_list.list_text import parse
    from chekt_mcp.domain.allow_list.match import AddressCheck, AddressMatcher, AddressVerdict
    from chekt_mcp.domain.allow_list.review import findings

__all__ = [
    "MAX_BYTES",
    "MAX_ENTRIES",
    "MAX_ERRORS",
    "AddressCheck",
    "AddressMatcher",
    "AddressVerdict",
    "ClientAddress",
    "ClientAddressRefused",
    "CommentChange",
    "Entry",
    "Finding",
    "FindingCode",
    "FindingSettings",
    "ForwardingHeader",
    "IPVersion",
    "ListDiff",
    "ParseCode",
    "ParseError",
    "ParsedAddress",
    "ParsedList",
    "Refusal",
    "Severity",
    "address_text",
    "client_address",
    "covered_share",
    "covers_everything",
    "covers_most",
    "diff",
    "findings",
    "parse",
    "parse_address",
]

_NAMES = {
    "address": "ParsedAddress address_text parse_address",
    "behind_proxies": "ClientAddress ClientAddressRefused ForwardingHeader client_address",
    "coverage": "covered_share covers_everything covers_most",
    "entry": "MAX_BYTES MAX_ENTRIES MAX_ERRORS Entry IPVersion ParseCode ParseError ParsedList Refusal",
    "finding": "Finding FindingCode FindingSettings Severity",
    "list_diff": "CommentChange ListDiff diff",
    "list_text": "parse",
    "match": "AddressCheck AddressMatcher AddressVerdict",
    "review": "findings",
}
_MODULE_OF = {name: module for module, names in _NAMES.items() for name in names.split()}


def __getattr__(name: str) -> object:
    """Load the module that a public name lives in (PEP 562)."""
    if name not in _MODULE_OF:
        raise AttributeError(name)
    value: object = getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
    globals()[name] = value
    return value
