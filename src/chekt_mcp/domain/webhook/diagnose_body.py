"""Diagnosis: the bodies that may have been signed when another one arrived. Each is proven by its signature."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from itertools import chain
from typing import NamedTuple

from chekt_mcp.domain.webhook.cause import Cause
from chekt_mcp.domain.webhook.delivery import MAX_BODY_BYTES
from chekt_mcp.domain.webhook.diagnose_json import MAX_JSON_BYTES, json_variants, unwrapped_json

_BOM = b"\xef\xbb\xbf"
_WHITESPACE = b" \t\r\n"
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]+={0,2}\s*")
_PRINTED_BYTES = re.compile(rb"""b(['"])(.*)\1""", re.DOTALL)
_FORM_FIELD = re.compile(rb"[A-Za-z0-9_]{1,32}=")
_GZIP_OR_ZLIB = 32 + 15  # zlib: recognise either header, largest window
_STANDINS = (b"", b"{}", b"null")


class Variant(NamedTuple):
    """A body that may have been signed, what that would mean, and how it differs where the cause leaves it open."""

    cause: Cause
    body: bytes
    note: str = ""


def body_variants(body: bytes) -> Iterator[Variant]:
    """Yield the candidates, cheap and likely ones first, none twice and none equal to `body`.

    Those that take parsing are left out above 64 KiB, so that the work stays bounded.
    """
    seen = {hash(body)}
    for variant in chain(_edges(body), _charsets(body), _transports(body), _rewritten(body), _standins()):
        if hash(variant.body) not in seen and len(variant.body) <= 2 * MAX_BODY_BYTES:
            seen.add(hash(variant.body))
            yield variant


def _edges(body: bytes) -> Iterator[Variant]:
    for ending in (b"\r\n", b"\n", b"\r"):
        if body.endswith(ending):
            yield Variant(Cause.TRAILING_NEWLINE, body.removesuffix(ending))
    yield Variant(Cause.TRAILING_NEWLINE, body.rstrip(b"\r\n"))
    yield from (Variant(Cause.NEWLINE_DROPPED, body + ending) for ending in (b"\n", b"\r\n"))
    yield Variant(Cause.LINE_ENDINGS_CHANGED, body.replace(b"\r\n", b"\n"))
    yield Variant(Cause.LINE_ENDINGS_CHANGED, body.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))
    yield Variant(Cause.SURROUNDING_WHITESPACE, body.strip(_WHITESPACE))
    yield Variant(Cause.BOM_ADDED, body.removeprefix(_BOM))
    yield Variant(Cause.BOM_DROPPED, _BOM + body)


def _charsets(body: bytes) -> Iterator[Variant]:
    """Yield the body with one decoding undone: read as Latin-1 and written as UTF-8, and the like."""
    pairs = (("utf-8", "latin-1"), ("utf-8", "cp1252"), ("latin-1", "utf-8"), ("cp1252", "utf-8"))
    wide = (("utf-16", "utf-8"), ("utf-16-le", "utf-8"), ("utf-8", "utf-16"), ("utf-8", "utf-16-le"))
    for arrived, signed in pairs + wide:
        try:
            yield Variant(Cause.WRONG_CHARSET, body.decode(arrived).encode(signed))
        except UnicodeError:
            continue


def _transports(body: bytes) -> Iterator[Variant]:
    """Yield the body taken out of what gateways, forms and templates wrap it in."""
    for cause, unwrap in (
        (Cause.JSON_ENCODED_TWICE, unwrapped_json),
        (Cause.BODY_IN_BASE64, _from_base64),
        (Cause.BODY_COMPRESSED, _decompressed),
        (Cause.BODY_URL_ENCODED, _url_decoded),
        (Cause.BODY_HTML_ESCAPED, _html_unescaped),
        (Cause.BODY_IS_PRINTED_OBJECT, _from_printed_bytes),
    ):
        original = unwrap(body)
        if original is not None:
            yield Variant(cause, original)


def _rewritten(body: bytes) -> Iterator[Variant]:
    return (Variant(*variant) for variant in json_variants(body))


def _standins() -> Iterator[Variant]:
    return (Variant(Cause.EMPTY_BODY_SIGNED, body) for body in _STANDINS)


def _from_base64(body: bytes) -> bytes | None:
    if not body or not _BASE64.fullmatch(body):
        return None
    text = body.strip().translate(bytes.maketrans(b"-_", b"+/"))
    try:
        return base64.b64decode(text + b"=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None


def _decompressed(body: bytes) -> bytes | None:
    import zlib  # noqa: PLC0415  only for a body that begins like this

    if not body.startswith((b"\x1f\x8b", b"\x78\x01", b"\x78\x9c", b"\x78\xda")):
        return None
    try:
        return zlib.decompressobj(_GZIP_OR_ZLIB).decompress(body, MAX_BODY_BYTES)  # bounded: no decompression bomb
    except zlib.error:
        return None


def _url_decoded(body: bytes) -> bytes | None:
    from urllib.parse import unquote_to_bytes  # noqa: PLC0415  as above

    if b"%22" not in body or len(body) > MAX_JSON_BYTES:
        return None
    return unquote_to_bytes(_FORM_FIELD.sub(b"", body, count=1).replace(b"+", b" "))


def _html_unescaped(body: bytes) -> bytes | None:
    from html import unescape  # noqa: PLC0415  as above

    if (b"&quot;" not in body and b"&#34;" not in body and b"&#x22;" not in body) or len(body) > MAX_JSON_BYTES:
        return None
    try:
        return unescape(body.decode("utf-8")).encode("utf-8")
    except UnicodeError:
        return None


def _from_printed_bytes(body: bytes) -> bytes | None:
    r"""Undo Python's `str(body)`: `b'…'` with `\\xc3` and `\\n` for what is not printable."""
    printed = _PRINTED_BYTES.fullmatch(body.strip()) if body[:1] == b"b" else None
    try:
        return printed[2].decode("unicode_escape").encode("latin-1") if printed else None
    except UnicodeError:
        return None
