"""What a parsed list is made of: entries, and errors that say where and what to write instead."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal

IPVersion = Literal[4, 6]

WIDTH: Final[dict[IPVersion, int]] = {4: 32, 6: 128}
"""Bits in an address of each version."""

MAX_BYTES: Final = 1024 * 1024
"""Longest list that is read, in UTF-8 bytes."""

MAX_ENTRIES: Final = 100_000
"""Most entries that one list may hold."""

MAX_ERRORS: Final = 100
"""Most errors that are listed one by one; a last one then counts the rest."""

MAX_COMMENT: Final = 500
"""Longest comment that is kept with an entry, in characters; a longer one is cut and ends in `…`."""

EXCERPT: Final = 60
"""Longest piece of the text that an error quotes, in characters."""


class ParseCode(StrEnum):
    """Why a piece of text is refused; programs may rely on these."""

    NOT_AN_ADDRESS = "not_an_address"
    HOST_BITS_SET = "host_bits_set"
    LEADING_ZEROS = "leading_zeros"
    NETMASK = "netmask"
    HOSTMASK = "hostmask"
    PREFIX_TOO_LONG = "prefix_too_long"
    BAD_PREFIX = "bad_prefix"
    ZONE_ID = "zone_id"
    DASH_RANGE = "dash_range"
    WILDCARD = "wildcard"
    BRACKETS_OR_PORT = "brackets_or_port"
    WRONG_SEPARATOR = "wrong_separator"
    HIDDEN_CHARACTER = "hidden_character"
    HIDDEN_LINE_BREAK = "hidden_line_break"
    TOO_LARGE = "too_large"
    TOO_MANY_ENTRIES = "too_many_entries"
    MORE_ERRORS = "more_errors"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a piece of text cannot be taken.

    Attributes:
        code: which kind of mistake.
        message: what is wrong, then what to do; holds nothing of the text.
        suggestion: what was most likely meant, in the form a list takes; None when that would be a guess.
    """

    code: ParseCode
    message: str
    suggestion: str | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One network of a list.

    Attributes:
        network: canonical text, always with its prefix ("203.0.113.42/32"); RFC 5952 for IPv6. An IPv4-mapped
            network is the IPv4 one.
        version: 4 or 6.
        first: lowest address as a number.
        last: highest address as a number.
        prefix: prefix length in bits.
        comment: the `#` comment of its line, or of the comment lines straight above; hidden characters escaped.
        line: where its text stands, counted from 1.
        column: the same, in characters.
    """

    network: str
    version: IPVersion
    first: int
    last: int
    prefix: int
    comment: str | None
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class ParseError:
    """One thing wrong with the text, as a value: all of them are reported at once.

    Attributes:
        line: where it stands, counted from 1.
        column: the same, in characters.
        text: what stands there, hidden characters escaped, cut to `EXCERPT` characters.
        code: see `Refusal`, like the two that follow.
        message: see `Refusal`.
        suggestion: see `Refusal`.
    """

    line: int
    column: int
    text: str
    code: ParseCode
    message: str
    suggestion: str | None


@dataclass(frozen=True, slots=True)
class ParsedList:
    """The entries that could be read, in the order of the text, and everything that could not."""

    entries: tuple[Entry, ...]
    errors: tuple[ParseError, ...]

    @property
    def ok(self) -> bool:
        """True when every piece of the text was an entry or a comment; only such a list may be put in force."""
        return not self.errors
