r"""Request ids in the lines of a log that somebody else's application wrote.

Without a pattern of one's own: CHeKT's ids (`req_…`) wherever they stand, and the values of the JSON fields
`request_id`, `requestId` and `X-Request-Id`, at any depth. A field is found by its text, not by parsing: that holds
in a line that was cut, and a quote inside a JSON string is escaped, so text in a value cannot pass for a field.
"""

from __future__ import annotations

import json
import re
import warnings
from dataclasses import dataclass

from chekt_mcp.errors import InvalidInput

LONGEST = 500
"""Characters of a pattern."""

CHEKT = re.compile(r"req_[A-Za-z0-9]{8,64}")
FIELD = re.compile(r'"(?:request_?id|x-request-id)"\s*+:\s*+"((?:[^"\\]|\\.){1,200}+)"', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class RequestPattern:
    """What counts as a request id; without `own`, see above."""

    own: re.Pattern[str] | None = None

    def ids_in(self, line: str) -> list[str]:
        """Return the different ids of a line, in the order found. An `own` pattern may take exponential time."""
        if self.own is not None:
            return list(dict.fromkeys(found for match in self.own.finditer(line) if (found := _chosen(match))))
        fields = [_unescaped(value) for value in FIELD.findall(line)] if '"' in line else []
        return list(dict.fromkeys([*fields, *CHEKT.findall(line)]))


def request_pattern(text: str | None) -> RequestPattern:
    """Read a regular expression: its first group that took part is the id, or the whole match where it has none.

    Raises:
        InvalidInput: code `bad_pattern`.
    """
    if text is None:
        return RequestPattern()
    if len(text) > LONGEST:
        raise _bad(f"The pattern is longer than {LONGEST} characters.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what may mean something else in a later Python
            return RequestPattern(re.compile(text))
    except (re.error, RecursionError, OverflowError):
        raise _bad("The pattern is no regular expression.") from None


def _chosen(match: re.Match[str]) -> str:
    return next((group for group in match.groups() if group), "") if match.re.groups else match[0]


def _unescaped(value: str) -> str:
    if "\\" not in value:
        return value
    try:
        return str(json.loads(f'"{value}"', strict=False))
    except ValueError:
        return value


def _bad(message: str) -> InvalidInput:
    fix = "Write one as Python's `re` has it, for example 'rid=([0-9a-f-]{36})'."
    return InvalidInput(message, field="pattern", code="bad_pattern", fix=fix)
