"""English for numbers and sentences, said in one way wherever a person or a model reads it."""

from __future__ import annotations


def counted(number: int, one: str, many: str) -> str:
    """Return a number with its noun: `1 entry`, `0 entries`, `1,234 entries`."""
    return f"{number:,} {one if number == 1 else many}"


def sentence(text: str) -> str:
    """Return text as a sentence of its own: with a capital and a full stop; "" stays empty."""
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") or not text else ".")
