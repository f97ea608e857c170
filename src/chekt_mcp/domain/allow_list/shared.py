"""Addresses that every customer of a provider calls from, and the mark in an entry's comment that says so."""

from __future__ import annotations

from typing import Final

from chekt_mcp.domain.allow_list.entry import Entry

SHARED_MARK: Final = ": shared by all its customers"
"""What the comment of such an entry holds; `published_ranges` writes it, and a person may do so as well."""


def is_shared(entry: Entry) -> bool:
    """Tell whether the entry's comment says that others call from there too."""
    return entry.comment is not None and SHARED_MARK in entry.comment
