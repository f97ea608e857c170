"""Diagnosis: the same JSON with the members of its objects in another order."""

from __future__ import annotations

from itertools import accumulate, permutations
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_PUBLISHED_ORDER = ("id", "type", "created_at", "data")
_MAX_DEPTH = 32
_PERMUTED = range(2, 6)
"""How many members `data` may have for every order to be tried: 120 orders for five."""
_MAX_PERMUTED_TOKENS = 1_000
_NESTING = {"{": 1, "[": 1, "}": -1, "]": -1}

Member = tuple[str, "Value"]
"""The name's token, with its quotation marks, and the value."""


class Object(NamedTuple):
    """A JSON object as its members in order."""

    members: list[Member]


class Array(NamedTuple):
    """A JSON array."""

    elements: list[Value]


Value = Object | Array | str
"""A string, number or literal is its token, untouched."""


def usual_orders(tokens: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    """Yield (note, tokens) of the JSON object in `tokens` in the published order, and sorted by name throughout."""
    document = _document(tokens)
    if document is not None:
        yield "with the members in the published order", list(_tokens(_published(document)))
        yield "with the members sorted by name", list(_tokens(_sorted(document)))


def permutations_of_data(tokens: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    """Yield (note, tokens) in the published order with every order of a `data` of two to five members.

    Whoever sorted them has lost the order they came in, so it has to be found.
    """
    document = _document(tokens) if len(tokens) <= _MAX_PERMUTED_TOKENS else None
    for permuted in _permuted(_published(document)) if document is not None else ():
        yield "with the members in another order", list(_tokens(permuted))


def _document(tokens: Sequence[str]) -> Object | None:
    if max(accumulate(_NESTING.get(lexeme, 0) for lexeme in tokens), default=0) > _MAX_DEPTH:
        return None
    rest = iter(tokens)
    document = _value(next(rest), rest)
    return document if isinstance(document, Object) else None


def _value(lexeme: str, rest: Iterator[str]) -> Value:
    if lexeme == "{":
        return Object(list(_members(rest)))
    return Array(list(_elements(rest))) if lexeme == "[" else lexeme


def _members(rest: Iterator[str]) -> Iterator[Member]:
    for lexeme in rest:
        if lexeme == "}":
            return
        name = next(rest) if lexeme == "," else lexeme
        next(rest)  # the colon
        yield name, _value(next(rest), rest)


def _elements(rest: Iterator[str]) -> Iterator[Value]:
    for lexeme in rest:
        if lexeme == "]":
            return
        yield _value(next(rest) if lexeme == "," else lexeme, rest)


def _tokens(value: Value) -> Iterator[str]:
    if isinstance(value, Object):
        yield from _enclosed("{", ([name, ":", *_tokens(inner)] for name, inner in value.members), "}")
    elif isinstance(value, Array):
        yield from _enclosed("[", (list(_tokens(item)) for item in value.elements), "]")
    else:
        yield value


def _enclosed(opening: str, parts: Iterable[list[str]], closing: str) -> Iterator[str]:
    yield opening
    for at, part in enumerate(parts):
        yield from part if at == 0 else [",", *part]
    yield closing


def _published(document: Object) -> Object:
    places = {f'"{name}"': place for place, name in enumerate(_PUBLISHED_ORDER)}
    return Object(sorted(document.members, key=lambda member: places.get(member[0], len(places))))


def _sorted(value: Value) -> Value:
    if isinstance(value, Object):
        members = sorted(value.members, key=lambda member: member[0][1:-1])
        return Object([(name, _sorted(inner)) for name, inner in members])
    return Array([_sorted(element) for element in value.elements]) if isinstance(value, Array) else value


def _permuted(document: Object) -> Iterator[Object]:
    data = dict(document.members).get('"data"')
    if isinstance(data, Object) and len(data.members) in _PERMUTED:
        for members in permutations(data.members):
            changed: dict[str, Value] = {'"data"': Object(list(members))}
            yield Object([(name, changed.get(name, value)) for name, value in document.members])
