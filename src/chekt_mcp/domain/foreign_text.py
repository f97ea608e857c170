"""Text that others wrote (user agents, actor names, comments, bodies): data, shown escaped and cut."""

from __future__ import annotations

import re

VISIBLE_LIMIT = 200
ALSO_INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
"""What counts as printable and renders as nothing: fillers, joiners and variation selectors (Unicode's
Default_Ignorable_Code_Point, and the blank Braille pattern). A run of selectors can carry a whole hidden message."""


def escaped(text: str, limit: int = VISIBLE_LIMIT) -> str:
    r"""Return `text` with control, format and invisible characters as `\\u{…}`, cut to `limit` characters.

    A lone surrogate, a right-to-left mark, a zero-width joiner, a newline or a space that is not U+0020 can then
    neither hide nor reorder what a person reads, nor start a line of its own. A cut is marked with `…`.
    """
    if text.isascii() and text.isprintable():
        return text if len(text) <= limit else text[: limit - 1] + "…"
    kept = text[:limit]
    shown = "".join(_shown(character) for character in kept)
    return shown if len(shown) <= limit and kept == text else shown[: limit - 1] + "…"


def _shown(character: str) -> str:
    hidden = not character.isprintable() or ALSO_INVISIBLE.match(character)
    return f"\\u{{{ord(character):x}}}" if hidden else character
