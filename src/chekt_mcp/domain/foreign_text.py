"""Text that others wrote (user agents, actor names, comments, bodies): data, shown escaped and cut."""

from __future__ import annotations

import unicodedata

VISIBLE_LIMIT = 200
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_ALSO_INVISIBLE = frozenset("\u115f\u1160\u3164\uffa0\u2800\u034f")  # fillers that render as nothing


def escaped(text: str, limit: int = VISIBLE_LIMIT) -> str:
    r"""Return `text` with control, format and invisible characters as `\\u{…}`, cut to `limit` characters.

    A lone surrogate, a right-to-left mark, a zero-width joiner or a newline can then neither hide nor reorder
    what a person reads, nor start a line of its own. A cut is marked with `…`.
    """
    if text.isascii() and text.isprintable():
        return text if len(text) <= limit else text[: limit - 1] + "…"
    kept = text[:limit]
    shown = "".join(_shown(character) for character in kept)
    return shown if len(shown) <= limit and kept == text else shown[: limit - 1] + "…"


def _shown(character: str) -> str:
    hidden = unicodedata.category(character) in _HIDDEN or character in _ALSO_INVISIBLE
    return f"\\u{{{ord(character):x}}}" if hidden else character
