"""What of a refused row may be shown: its beginning, without anything shaped like a credential, on one line."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from chekt_mcp.domain.exposure import MARK, redacted
from chekt_mcp.domain.foreign_text import escaped

LOOKED_AT = 8_192
"""Characters looked through for credentials. One that is cut off here lies far behind what is shown."""

SHOWN = 200
BEGINS, ENDS = "-----BEGIN ", "-----END "


ENCODED = re.compile(r"""[\s\["]*[A-Za-z0-9+/]+={0,2}[\s\]"]*""")
ENCODED_LINE = re.compile(r"""[\s\["]*[A-Za-z0-9+/]{40,}={0,2}[\s\]"]*""")
"""A row that is nothing but base64: it may be of a key whose first line was a row by itself, and was taken."""


class Excerpts:
    """Excerpts of rows one after the other: a private key may lie over several of them, and only the first says so."""

    def __init__(self) -> None:
        self._in_key = False
        self._in_encoded = False

    def of(self, raw: object) -> str:
        """Return the excerpt; "" for a row of which nothing could be read."""
        text = _text(raw)[:LOOKED_AT]
        in_key = self._in_key or BEGINS in text
        if in_key:
            self._in_key = text.rfind(ENDS) <= text.rfind(BEGINS)
        self._in_encoded = (ENCODED if self._in_encoded else ENCODED_LINE).fullmatch(text) is not None
        if in_key or self._in_encoded or ENDS in text:
            return MARK
        return escaped(redacted(text).strip(), SHOWN)


def _text(raw: object) -> str:
    if raw is None:
        return ""
    if isinstance(raw, bytes):
        return raw.decode("utf-8", "backslashreplace")
    if isinstance(raw, str):
        return raw
    try:
        return json.dumps(dict(raw) if isinstance(raw, Mapping) else raw, ensure_ascii=False, default=str)
    except (RecursionError, TypeError, ValueError):
        return ""
