r"""Diagnosis: other ways to write the same JSON, as the libraries of several languages do.

It works on the text's tokens, not on parsed values, so that `1.0` stays `1.0` and a number keeps all its digits.
A form is a way to write strings (escapes), a style a way to space tokens, an order a way to arrange members.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from chekt_mcp.domain.webhook.cause import Cause
from chekt_mcp.domain.webhook.diagnose_json_order import permutations_of_data, usual_orders

MAX_JSON_BYTES = 64 * 1024
"""Larger bodies are not written anew: an event is a few KiB, and the work must stay bounded."""
_MAX_TOKENS = 10_000
_MAX_INDENTED_DEPTH = 16
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]:,]|[^\s{}\[\]:,"]+', re.DOTALL)
_ESCAPE = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\.", re.DOTALL)
_OPENING, _CLOSING = frozenset("{["), frozenset("}]")
_NOT_ASCII = re.compile(r"[^\x00-\x7e]")  # Python and .NET escape DEL, too
_HTML = re.compile("[<>&\u2028\u2029]")
_STAYS_ESCAPED = re.compile(r'["\\\x00-\x1f\ud800-\udfff]')
Orders = Callable[[list[str]], Iterator[tuple[str, list[str]]]]


class Style(NamedTuple):
    """What is written after a comma and after a colon; `indent` is one level's, or None on a single line."""

    comma: str
    colon: str
    indent: str | None
    note: str


COMPACT = Style(",", ":", None, "without any spaces")
SPACED = Style(", ", ": ", None, "with a space after commas and colons")
_STYLES = (
    COMPACT,
    SPACED,
    Style(",", ": ", None, "with a space after colons"),
    Style(",", ": ", "  ", "indented by two spaces"),
    Style(",", ": ", "    ", "indented by four spaces"),
    Style(",", ": ", "\t", "indented by tabs"),
    Style(",", " : ", "  ", "indented, with spaces around colons"),
)


def json_variants(body: bytes) -> Iterator[tuple[Cause, bytes, str]]:
    """Yield (cause, body, note) for other ways to write `body`; nothing when it is not JSON or too large."""
    text = _json_text(body)
    if text is None:
        return
    written = list(dict.fromkeys([text, *_forms(text)]))
    for form in written[1:]:
        yield _escaping_cause(text, form), form.encode(), ""
    for form in written:
        tokens = _TOKEN.findall(form)
        if len(tokens) <= _MAX_TOKENS:
            yield from ((Cause.BODY_RESERIALIZED, _styled(tokens, style).encode(), style.note) for style in _STYLES)
    yield from _reordered(written, usual_orders, (COMPACT, SPACED))
    yield from _reordered(written, permutations_of_data, (COMPACT,))


def unwrapped_json(body: bytes) -> bytes | None:
    """Return the text inside a body that is one JSON string, or None when it is not that."""
    if body.lstrip()[:1] != b'"':
        return None
    try:
        inner = json.loads(body)
        return inner.encode() if isinstance(inner, str) else None
    except (ValueError, RecursionError):
        return None


def _json_text(body: bytes) -> str | None:
    if len(body) > MAX_JSON_BYTES:
        return None
    try:
        text = body.decode("utf-8")
        json.loads(text, parse_int=str, parse_float=str)  # only whether: unbalanced quotes would slow the scan
    except (ValueError, RecursionError):
        return None
    return text


def _reordered(written: list[str], orders: Orders, styles: Sequence[Style]) -> Iterator[tuple[Cause, bytes, str]]:
    for form in written:
        tokens = _TOKEN.findall(form)
        for note, ordered in orders(tokens) if len(tokens) <= _MAX_TOKENS else ():
            for style in styles:
                yield Cause.BODY_RESERIALIZED, _styled(ordered, style).encode(), f"{note}, {style.note}"


def _styled(tokens: list[str], style: Style) -> str:
    if style.indent is None:
        spaced = {",": style.comma, ":": style.colon}
        return "".join([spaced.get(lexeme, lexeme) for lexeme in tokens])
    return "".join(_indented(tokens, style, style.indent))


def _indented(tokens: list[str], style: Style, indent: str) -> Iterator[str]:
    depth, previous = 0, ""
    for lexeme in tokens:
        closes, opened = lexeme in _CLOSING, previous in _OPENING
        depth -= closes
        if depth < _MAX_INDENTED_DEPTH and (opened != closes or previous == ","):
            yield "\n" + indent * depth
        depth += lexeme in _OPENING
        yield style.colon if lexeme == ":" else lexeme
        previous = lexeme


def _forms(text: str) -> Iterator[str]:
    """Yield the text with its strings written in other ways; outside of strings nothing of this occurs."""
    yield _ESCAPE.sub(_unescaped, text)
    plain = _ESCAPE.sub(_bare, text)
    ascii_only = _NOT_ASCII.sub(_escaped, plain)
    yield from (plain, ascii_only, ascii_only.replace("/", "\\/"), plain.replace("/", "\\/"))
    yield from (_HTML.sub(_escaped, plain), _HTML.sub(_escaped, ascii_only), _NOT_ASCII.sub(_escaped_upper, plain))


def _bare(escape: re.Match[str]) -> str:
    return "/" if escape[0] == "\\/" else _unescaped(escape)


def _unescaped(escape: re.Match[str]) -> str:
    if not escape[0].startswith("\\u"):
        return escape[0]
    characters = json.loads(f'"{escape[0]}"')
    return escape[0] if _STAYS_ESCAPED.search(characters) else str(characters)


def _escaped(character: re.Match[str]) -> str:
    units = character[0].encode("utf-16-be")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))


def _escaped_upper(character: re.Match[str]) -> str:
    return _escaped(character).upper().replace("\\U", "\\u")


def _escaping_cause(arrived: str, signed: str) -> Cause:
    if arrived.isascii() != signed.isascii():
        return Cause.UNICODE_ESCAPED if arrived.isascii() else Cause.UNICODE_UNESCAPED
    return Cause.STRING_ESCAPING_CHANGED
