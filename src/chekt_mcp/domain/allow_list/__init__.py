"""IP allow lists: read the documented text, match, find what is wrong, compare, and tell who is calling.

The names below are the whole of it; the modules are its parts.
"""

from __future__ import annotations

from chekt_mcp.domain.allow_list.address import ParsedAddress, address_text, parse_address
from chekt_mcp.domain.allow_list.client_address import (
    ClientAddress,
    ClientAddressRefused,
    ForwardingHeader,
    client_address,
)
from chekt_mcp.domain.allow_list.coverage import covered_share, covers_everything
from chekt_mcp.domain.allow_list.diff import CommentChange, ListDiff, diff
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
from chekt_mcp.domain.allow_list.findings import findings
from chekt_mcp.domain.allow_list.match import AddressCheck, AddressMatcher, AddressVerdict
from chekt_mcp.domain.allow_list.parse import parse

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
    "diff",
    "findings",
    "parse",
    "parse_address",
]
