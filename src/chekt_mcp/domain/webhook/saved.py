"""A delivery that somebody saved: its headers as lines or JSON, or the whole request as a dump (RFC 9112 section 2).

The body is every byte after the head, just as it stands: nothing is stripped, decoded or written anew. What speaks
for the file no longer being what was received is said in notes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from chekt_mcp.errors import InvalidInput

MOST_HEAD_BYTES = 64 * 1024

Pairs = list[tuple[str, str]]
"""Header names and values, in their order and as often as they came."""

_START_LINE = re.compile(
    rb"[A-Z]{1,20} [^ \r\n]+ HTTP/[0-9](?:\.[0-9])?\r?|HTTP/[0-9](?:\.[0-9])? [1-5][0-9]{2}(?: .*)?\r?"
)
_INTERIM = re.compile(rb"HTTP/[0-9](?:\.[0-9])? 1[0-9]{2}(?![0-9])")
_HEADER = re.compile(rb"(:?[!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*\r?")
_END = re.compile(rb"\r?\n\r?\n")
_LENGTH = re.compile(r"[0-9]{1,12}")
_UTF_8_MARK = b"\xef\xbb\xbf"
_UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")

CHUNKED = (
    "The head says `Transfer-Encoding: chunked`. The body was taken as the file has it and was not decoded: if it "
    "begins with a line of hexadecimal digits, save the decoded body and give it with --body."
)
LENGTH_DIFFERS = (
    "The head says that the body has {claimed} bytes; after the head the file has {found}. Something was added, cut "
    "or changed when it was saved (an editor adds a line end): save the very bytes."
)
LINE_FEEDS = (
    "The lines of the head end with LF, while HTTP has CRLF: what changed them may have changed the body as well."
)


@dataclass(frozen=True, slots=True)
class SavedDelivery:
    """A delivery read off files. `notes` are sentences of ours for when it does not verify."""

    headers: Pairs
    body: bytes
    notes: tuple[str, ...] = ()


def read_headers(data: bytes) -> Pairs:
    """Read a file of headers: `Name: value` lines, a request or status line before them allowed, or a JSON object.

    In JSON a value may be a list, for a name that came several times.

    Raises:
        InvalidInput: code `bad_headers`.
    """
    text = _plain(data, "headers").strip(b" \t\r\n")
    if len(text) > MOST_HEAD_BYTES:
        raise InvalidInput("The headers are longer than 64 KiB.", field="headers", code="bad_headers")
    return _json_headers(text) if text.startswith((b"{", b"[")) else _lines(text, "headers")


def read_dump(data: bytes) -> SavedDelivery:
    """Read a request as it went over the line, or what `curl -i` prints: start line, headers, blank line, body.

    Raises:
        InvalidInput: code `bad_dump`.
    """
    rest = _plain(data, "dump")
    while True:
        end = _END.search(rest, 0, MOST_HEAD_BYTES)
        if end is None:
            raise InvalidInput(
                "No blank line ends the head in the first 64 KiB.",
                field="dump",
                code="bad_dump",
                fix="A dump has a request line, headers, a blank line and the body; else use --headers and --body.",
            )
        head, rest = rest[: end.start()], rest[end.end() :]
        if not _INTERIM.match(head):
            headers = _lines(head, "dump")
            return SavedDelivery(headers, rest, tuple(_notes(head, headers, rest)))


def _notes(head: bytes, headers: Pairs, body: bytes) -> Iterator[str]:
    values = {name.lower(): value for name, value in headers}
    claimed = values.get("content-length", "")
    if "chunked" in values.get("transfer-encoding", "").lower():
        yield CHUNKED
    elif _LENGTH.fullmatch(claimed) and int(claimed) != len(body):
        yield LENGTH_DIFFERS.format(claimed=f"{int(claimed):,}", found=f"{len(body):,}")
    if b"\n" in head and b"\r\n" not in head:
        yield LINE_FEEDS


def _lines(head: bytes, field: str) -> Pairs:
    """Read lines; a value's bytes are kept one to one (Latin-1, RFC 9110 section 5.5)."""
    lines = head.split(b"\n")
    first = 1 if _START_LINE.fullmatch(lines[0]) else 0
    found: Pairs = []
    for number, line in enumerate(lines[first:], first + 1):
        header = _HEADER.fullmatch(line)
        if header is None:
            raise InvalidInput(
                f"Line {number} is not a header.",
                field=field,
                code=f"bad_{field}",
                fix="Write each as `Name: value` on a line of its own.",
            )
        found.append((header[1].decode("latin-1"), header[2].decode("latin-1")))
    return found


class _Members(list[tuple[str, object]]):
    """An object's members; a name that is repeated stays repeated, as `dict` would not have it."""


def _json_headers(text: bytes) -> Pairs:
    try:
        found = json.loads(text, object_pairs_hook=_Members)
    except (ValueError, RecursionError):
        found = None
    if isinstance(found, _Members):
        pairs = [(name, value) for name, values in found for value in _each(values)]
        if all(isinstance(value, str) for _, value in pairs):
            return [(name, str(value)) for name, value in pairs]
    raise InvalidInput(
        "The headers are not a JSON object of texts.",
        field="headers",
        code="bad_headers",
        fix='Write them like {"X-CHeKT-Signature": "…", "X-CHeKT-Timestamp": "1771200000"}, numbers in quotes too.',
    )


def _each(values: object) -> Sequence[object]:
    return values if isinstance(values, list) and not isinstance(values, _Members) else [values]


def _plain(data: bytes, field: str) -> bytes:
    """Leave out the mark that some editors put before UTF-8; refuse UTF-16, in which no byte is as it was."""
    if data.startswith(_UTF_16_MARKS):
        raise InvalidInput(
            "The file is UTF-16, so it does not hold the bytes that were received.",
            field=field,
            code=f"bad_{field}",
            fix="PowerShell's `>` writes that: let curl write the file itself (`-o`).",
        )
    return data.removeprefix(_UTF_8_MARK)
