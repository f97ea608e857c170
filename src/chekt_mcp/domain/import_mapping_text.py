"""Reading a mapping file: all that is wrong with it at once, each with its place. See `import_mapping`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from chekt_mcp.domain.audit import Kind, Result
from chekt_mcp.domain.exposure import contains_credential
from chekt_mcp.domain.import_mapping import ImportMapping
from chekt_mcp.domain.imported_fields import FIELDS, LIMITS
from chekt_mcp.domain.imported_value import read_kind, read_result, read_source
from chekt_mcp.errors import InvalidInput

OURS = tuple(dict.fromkeys(FIELDS.values()))
MEMBERS = ("fields", "constants", "results", "kinds")
NEVER_CONSTANT = ("timestamp", "request_id")
"""What tells one entry from another."""

LONGEST = 256
MOST = 1_000
Texts = dict[str, str]


@dataclass(frozen=True, slots=True)
class MappingProblem:
    """Something wrong with a mapping. `place` is as it is written there (`fields.timestamp`): foreign text."""

    place: str
    message: str


def read_mapping(text: str) -> ImportMapping | tuple[MappingProblem, ...]:
    """Read a mapping, or return everything that is wrong with it."""
    repeated: list[str] = []
    try:
        found: object = json.loads(text, object_pairs_hook=lambda pairs: _members(pairs, repeated))
    except (ValueError, RecursionError):
        return (MappingProblem("", "This is not JSON."),)
    if not isinstance(found, dict):
        return (MappingProblem("", "This is not a JSON object."),)
    problems = [MappingProblem(name, "It stands there more than once.") for name in repeated]
    problems += [
        MappingProblem(name, f"There is no such member: write {', '.join(MEMBERS)}.")
        for name in found
        if name not in MEMBERS
    ]
    parts = {member: _texts(found.get(member, {}), member, problems) for member in MEMBERS}
    for member, check in CHECKS.items():
        problems += check(parts[member], parts)
    return tuple(problems) or _mapping(parts)


def _members(pairs: list[tuple[str, object]], repeated: list[str]) -> dict[str, object]:
    names = [name for name, _ in pairs]
    repeated += sorted({name for name in names if names.count(name) > 1}) if len(names) <= MOST else []
    return dict(pairs)


def _texts(member: object, place: str, problems: list[MappingProblem]) -> Texts:
    """Return the texts of a member, and say what in it is none."""
    if not isinstance(member, dict) or len(member) > MOST:
        problems.append(MappingProblem(place, f"It must be an object of at most {MOST:,} texts."))
        return {}
    good = {name: value for name, value in member.items() if isinstance(value, str) and 0 < len(value) <= LONGEST}
    problems += [
        MappingProblem(f"{place}.{name}", f"It must be text of 1 to {LONGEST} characters.")
        for name in member
        if name not in good
    ]
    return good


def _fields(named: Texts, _parts: Mapping[str, Texts]) -> Iterator[MappingProblem]:
    for ours in named:
        if ours not in OURS:
            yield MappingProblem(f"fields.{ours}", f"The log has no such field: {', '.join(OURS)}.")


def _constants(named: Texts, parts: Mapping[str, Texts]) -> Iterator[MappingProblem]:
    for ours, value in named.items():
        message = _constant(ours, value, parts)
        if message:
            yield MappingProblem(f"constants.{ours}", message)


def _constant(ours: str, value: str, parts: Mapping[str, Texts]) -> str:
    if ours not in OURS or ours in NEVER_CONSTANT:
        return f"It cannot be the same in every row: {', '.join(one for one in OURS if one not in NEVER_CONSTANT)}."
    if ours in parts["fields"]:
        return "It is mapped under fields, too: leave one of the two out."
    if contains_credential(value) or "\0" in value:
        return "It holds something shaped like a key, or a NUL character."
    if len(value) > LIMITS.get(ours, LONGEST):
        return f"It is longer than {LIMITS[ours]} characters."
    return _unreadable(ours, value)


def _unreadable(ours: str, value: str) -> str:
    readers: Mapping[str, Callable[[str], object]] = {
        "result": read_result,
        "kind": read_kind,
        "source_ip": read_source,
    }
    try:
        readers.get(ours, str)(value)
    except InvalidInput:
        return f"That is no {ours}."
    return ""


def _results(named: Texts, _parts: Mapping[str, Texts]) -> Iterator[MappingProblem]:
    yield from _translations("results", named, tuple(Result))


def _kinds(named: Texts, _parts: Mapping[str, Texts]) -> Iterator[MappingProblem]:
    yield from _translations("kinds", named, tuple(Kind))


def _translations(member: str, named: Texts, words: tuple[str, ...]) -> Iterator[MappingProblem]:
    lower: dict[str, str] = {}
    for theirs, ours in named.items():
        if ours not in words:
            yield MappingProblem(f"{member}.{theirs}", f"It must be one of {', '.join(words)}.")
        if lower.setdefault(theirs.lower(), ours) != ours:
            yield MappingProblem(f"{member}.{theirs}", "In another case it means something else.")


def _mapping(parts: Mapping[str, Texts]) -> ImportMapping:
    return ImportMapping(
        fields=parts["fields"],
        constants=parts["constants"],
        results={theirs.lower(): Result(ours) for theirs, ours in parts["results"].items()},
        kinds={theirs.lower(): Kind(ours) for theirs, ours in parts["kinds"].items()},
    )


CHECKS = {"fields": _fields, "constants": _constants, "results": _results, "kinds": _kinds}
