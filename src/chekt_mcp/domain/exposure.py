"""Finding credentials in text that should hold none, by their shape alone.

Used first on every raw argument of a call, and last on everything that leaves: a value shaped like a key, a
signing secret or a token is refused (in) or replaced (out), whether or not it is real.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping
from urllib.parse import unquote

SHAPE = re.compile(
    r"chekt_(?:whsec_)?(?:live|test)_[A-Za-z0-9_\-]{8,}"
    r"|eyJ[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-]{16,}"
    r"|-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----",
    re.IGNORECASE,
)
BASE64_RUN = re.compile(r"[A-Za-z0-9+/_\-]{24,}={0,2}")
MARK = "[redacted credential]"


def contains_credential(text: str) -> bool:
    """Tell whether `text` holds something shaped like a credential, in clear, percent-encoded or base64."""
    if SHAPE.search(text):
        return True
    if "%" in text and SHAPE.search(unquote(text)):
        return True
    return any(SHAPE.search(decoded) for decoded in _base64_texts(text))


def exposed_field(arguments: Mapping[str, object]) -> str | None:
    """Return the first argument name under which a credential hides (also in names), else None.

    The name itself is returned only when it is clean; otherwise "" stands for it.
    """
    for name, value in arguments.items():
        if contains_credential(name):
            return ""
        if any(contains_credential(text) for text in _texts(value)):
            return name
    return None


def redacted(text: str) -> str:
    """Return `text` with every credential-shaped run replaced."""
    return SHAPE.sub(MARK, text)


def _texts(value: object) -> Iterator[str]:
    """Walk a JSON value of any depth without recursion, so that nesting hides nothing and breaks nothing."""
    waiting: list[object] = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            yield item
        elif isinstance(item, Mapping):
            waiting.extend(item.keys())
            waiting.extend(item.values())
        elif isinstance(item, list | tuple):
            waiting.extend(item)


def _base64_texts(text: str) -> Iterator[str]:
    for run in BASE64_RUN.findall(text):
        standard = run.rstrip("=").replace("-", "+").replace("_", "/")
        whole = standard[: len(standard) // 4 * 4]
        yield base64.b64decode(whole).decode("utf-8", "replace")
