r"""Finding credentials in text that should hold none, by their shape alone, whether or not they are real.

Used first on every raw argument of a call (refused), and last on everything that leaves (replaced). It stops
accidents: a key pasted, logged or encoded on its way. It cannot stop somebody who sets out to hide one.

Shapes: an API key or signing secret (in any case, 12 characters or more after the prefix: names and fingerprints
are shorter), a signed token (JWS compact form, RFC 7515), a PEM private key (RFC 7468).

Readings of a text, each searched for every shape:
1. as it is, without characters that cannot be seen (also NUL: UTF-16 and UTF-32 read as bytes);
2. unescaped: percent-encoding, `\u0063` and `\x63`, Markdown's `\_`; up to three layers;
3. base64 and base64url, and hexadecimal, of the last of these: at every alignment, through line breaks.

Everything is linear, and in C, since an argument may have a mebibyte.
"""

from __future__ import annotations

import binascii
import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence

MARK = "[redacted credential]"

_KEY = r"chekt_(?:whsec_)?(?:live|test)_[a-z0-9]{12,}"
KEY = re.compile(_KEY)
"""For lower-case text: a pattern that begins with literal characters is searched for fifty times as fast."""

# One start for each run of token characters, and no backtracking: otherwise "eyJeyJeyJ…" takes quadratic time.
TOKEN = re.compile(r"eyJ(?<![\w-]eyJ)[\w-]{12,}+\.[\w-]{2,}+\.[\w-]{16,}", re.ASCII)
PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----(?s:.*?)(?:-----END [A-Z ]{0,30}PRIVATE KEY-----|\Z)")
IN_CLEAR = (re.compile(_KEY, re.IGNORECASE | re.ASCII), TOKEN, PRIVATE_KEY)
MARKS = (b"eyJ", b"-----BEGIN ")
"""What a token or private key begins with; without these and a key's beginning there is nothing to search for."""
SHORTEST = len("chekt_live_") + 12

UNSEEN = bytes(code for code in range(256) if (code < 32 and code not in b"\t\n") or code > 126)  # noqa: PLR2004 -- printable ASCII is 32 to 126
ESCAPES = (
    (b"=", b" "),
    (b"\\u00", b"="),
    (b"\\u", b"."),
    (b"\\x", b"="),
    (b"\\n", b" "),
    (b"\\r", b" "),
    (b"\\t", b" "),
    (b"\\", b""),
    (b"%", b"="),
)
"""Every escape of one byte becomes quoted-printable's `=63`, which the standard library decodes in C.
(That decoder skips from a carriage return after `=` to the next line feed: hence a carriage return is `UNSEEN`.)"""
LAYERS = 3

_DIGITS = b"0123456789"
_HEX = _DIGITS + b"abcdefABCDEF"
_BASE64 = _DIGITS + bytes(range(65, 91)) + bytes(range(97, 123)) + b"+/-_"
NOT_HEX = bytes(set(range(256)) - set(_HEX))
NOT_BASE64 = bytes(set(range(256)) - set(_BASE64))
FROM_BASE64URL = bytes.maketrans(b"-_", b"+/")


def contains_credential(text: str) -> bool:
    """Tell whether `text` holds something shaped like a credential, in any of the module's readings."""
    if len(text) < SHORTEST:
        return False
    readings = list(_readings(text))
    return _may_have_shape(readings) and any(map(_has_shape, readings))


def contain_credentials(texts: Sequence[str]) -> Sequence[bool]:
    """`contains_credential` of each text; several times as fast where nearly all hold none.

    Texts that are not escaped read the same alone and together. A credential in one of them leaves the beginning of
    its shape in a reading of all, at whatever alignment; where there is none, none of them is looked at for itself.
    """
    plain = "\n".join(text for text in texts if "%" not in text and "\\" not in text)
    if _may_have_shape(_readings(plain)):
        return [contains_credential(text) for text in texts]
    return [("%" in text or "\\" in text) and contains_credential(text) for text in texts]


def exposed_field(arguments: Mapping[str, object]) -> str | None:
    """Return the name of an argument in which a credential hides, at any depth; None when there is none.

    "" stands for a name that holds one itself, and for one that is spread over several arguments.
    """
    if not _holds_credential(arguments):
        return None
    for name, value in arguments.items():
        if contains_credential(name):
            return ""
        if _holds_credential(value):
            return name
    return ""


def redacted(text: str) -> str:
    """Return `text` with every credential replaced; one that is hidden by an encoding takes its line with it."""
    if not contains_credential(text):
        return text
    for shape in IN_CLEAR:
        text = shape.sub(MARK, text)
    if not contains_credential(text):
        return text
    text = "\n".join(MARK if contains_credential(line) else line for line in text.split("\n"))
    return MARK if contains_credential(text) else text


def _holds_credential(value: object) -> bool:
    return contains_credential("\n".join(_texts(value)))


def _texts(value: object) -> Iterator[str]:
    """Walk a JSON value of any depth without recursion, so that nesting hides nothing and breaks nothing.

    Values beside each other come out in their order, so that one credential in pieces is whole when they are joined.
    """
    waiting: deque[object] = deque([value])
    while waiting:
        item = waiting.popleft()
        if isinstance(item, str):
            yield item
        elif isinstance(item, Mapping):
            waiting.extend(item.keys())
            waiting.extend(item.values())
        elif isinstance(item, list | tuple):
            waiting.extend(item)


def _has_shape(reading: bytes) -> bool:
    text = reading.translate(None, UNSEEN).decode("ascii")
    return any(shape.search(text) for shape in (TOKEN, PRIVATE_KEY)) or KEY.search(text.lower()) is not None


def _may_have_shape(readings: Iterable[bytes]) -> bool:
    """Tell whether any of them holds what a shape begins with: one look at all, as hardly any text does."""
    seen = b"\n".join(readings).translate(None, UNSEEN)
    return any(mark in seen for mark in MARKS) or b"chekt_" in seen.lower()


def _readings(text: str) -> Iterator[bytes]:
    reading = text.encode("ascii", "ignore").translate(None, UNSEEN)
    yield reading
    for _ in range(LAYERS):
        if b"%" not in reading and b"\\" not in reading:
            break
        reading = _unescaped(reading)
        yield reading
    yield from _decoded(reading)


def _unescaped(reading: bytes) -> bytes:
    for escape, quoted in ESCAPES:
        reading = reading.replace(escape, quoted)
    return binascii.a2b_qp(reading).translate(None, UNSEEN)


def _decoded(reading: bytes) -> Iterator[bytes]:
    """Decode the whole text as if it were one run: what surrounds a real run only shifts its alignment."""
    base64 = reading.translate(FROM_BASE64URL, NOT_BASE64)
    for start in range(4):
        yield binascii.a2b_base64(base64[start : start + (len(base64) - start) // 4 * 4])
    digits = reading.translate(None, NOT_HEX)
    for start in range(2):
        yield binascii.a2b_hex(digits[start : start + (len(digits) - start) // 2 * 2])
